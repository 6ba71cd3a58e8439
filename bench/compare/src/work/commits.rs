//! Durable commits: one entity each, one thread and several, beside the least any engine could do.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::{entity, id};
use crate::results::{Better, Row};
use crate::store::{Get, Id, Result, Session, Store};
use crate::turn;

use super::{Rows, Setting, open, say};

/// Threads that commit at once.
const THREADS: [usize; 3] = [1, 8, 32];
/// What the engine appends for a commit of one entity: BEGIN, PUT and COMMIT.
const APPEND_LEN: usize = 43 + 68 + 150 + 51;
/// Sparse, and more than any run fills.
const RESERVED: u64 = 8 << 30;

/// The bare loops' names in the table.
const BARE: [&str; 2] = ["bare loop, reserved", "bare loop, appending"];

/// Measures durable commits.
///
/// # Errors
/// Those of peers and of the file system.
pub fn measure(setting: &Setting) -> Result<Rows> {
    let mut stores: Vec<(&str, Box<dyn Store>)> = vec![
        (BARE[0], Box::new(Bare::create(&setting.dir.join("reserved"), RESERVED)?)),
        (BARE[1], Box::new(Bare::create(&setting.dir.join("appending"), 0)?)),
    ];
    for peer in &setting.peers {
        stores.push((peer.name, open(peer, &setting.place("commits", peer))?));
    }
    let next = AtomicU64::new(0);
    let mut rows: Rows = THREADS
        .iter()
        .map(|threads| {
            Row::new(format!("durable commits, {threads} threads"), "commits/s", Better::More)
        })
        .collect();
    rows[0].name = "durable commits, 1 thread".into();
    for round in 0..setting.rounds {
        say(&format!("durable commits, round {} of {}", round + 1, setting.rounds));
        for at in 0..stores.len() {
            let (name, store) = &stores[(round + at) % stores.len()];
            for (threads, row) in THREADS.iter().zip(&mut rows) {
                if *threads > 1 && BARE.contains(name) {
                    continue;
                }
                let rate = turn::take(&**store, *threads, setting.turn, |session, _, turn| {
                    let mut done = 0;
                    while turn.goes_on() {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        session.put(&[(id(number), entity(number))])?;
                        done += 1;
                    }
                    Ok(done)
                })?;
                row.cell(name).samples.push(rate.wall);
            }
        }
    }
    for (_, store) in stores {
        store.close()?;
    }
    Ok(rows)
}

/// A file that is written to and synced, and nothing else.
struct Bare {
    file: File,
    next: Mutex<u64>,
}

impl Bare {
    fn create(path: &Path, reserved: u64) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.set_len(reserved)?;
        file.sync_all()?;
        Ok(Self { file, next: Mutex::new(0) })
    }
}

impl Store for Bare {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Session for &Bare {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut next = self.next.lock().map_err(|_| "a thread panicked")?;
        let mut bytes = [0x5a; APPEND_LEN];
        for (id, content) in entries {
            bytes[..16].copy_from_slice(id);
            bytes[16..16 + content.len()].copy_from_slice(content);
            self.file.write_all_at(&bytes, *next)?;
            *next += APPEND_LEN as u64;
        }
        Ok(self.file.sync_data()?)
    }

    fn get(&mut self, _: &Id, _: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Err("a bare loop reads nothing".into())
    }

    fn reading(&mut self, _: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        Err("a bare loop reads nothing".into())
    }

    fn scan(&mut self, _: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        Err("a bare loop reads nothing".into())
    }
}
