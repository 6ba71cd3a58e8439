//! Bulk load: all entities in durable transactions of many.

use std::path::Path;

use crate::child::{Task, figures};
use crate::data::{entity, id};
use crate::results::{Better, Row};
use crate::store::{Peer, Result, Store};
use crate::turn::to_f64;

use super::space::bytes_of;
use super::{Loaded, Rows, Setting, open, say};

/// Entities in a transaction.
pub const BATCH: u64 = 10_000;
/// Peers that load fewer entities a second than this load once, not once a round.
const SLOW: f64 = 50_000.0;

/// Writes entities `0..count` in scattered order of identities, or ascending.
///
/// # Errors
/// The peer's.
pub fn load(store: &dyn Store, count: u64, batch: u64, is_sorted: bool) -> Result<()> {
    let mut numbers: Vec<u64> = (0..count).collect();
    if is_sorted {
        numbers.sort_by_key(|number| id(*number));
    }
    let mut session = store.session()?;
    for numbers in numbers.chunks(usize::try_from(batch)?) {
        let entries: Vec<_> = numbers.iter().map(|number| (id(*number), entity(*number))).collect();
        session.put(&entries)?;
    }
    Ok(())
}

/// Loads every peer in every round; the stores of the last round stay, settled and closed.
///
/// # Errors
/// Those of peers and of the file system.
pub fn measure(setting: &Setting, rounds: usize) -> Result<Rows> {
    let payload = to_f64(setting.entities * crate::data::ENTITY_LEN as u64);
    let rate = |name: &str| Row::new(name, "entities/s", Better::More);
    let share = |name: &str| Row::new(name, "bytes a byte of payload", Better::Less);
    let mut rows = vec![
        rate("bulk load, transactions of 10,000, scattered ids"),
        rate("the same, until closed"),
        share("bytes written in a bulk load, closed"),
        share("space as loaded and closed"),
    ];
    let mut sorted = rate("bulk load, ascending ids");
    for at in setting.turns_of(rounds) {
        let peer = setting.peers[at];
        if rows[0].cell(peer.name).samples.last().is_some_and(|rate| *rate < SLOW) {
            continue;
        }
        let path = setting.place("sorted", peer);
        let [loaded, ..] = fill(Task::FillAscending, peer, &path, setting.entities)?;
        sorted.cell(peer.name).samples.push(to_f64(setting.entities) / loaded);
        std::fs::remove_dir_all(&path)?;

        let path = setting.place("loaded", peer);
        let [loaded, closed, written] = fill(Task::Fill, peer, &path, setting.entities)?;
        let figures = [
            to_f64(setting.entities) / loaded,
            to_f64(setting.entities) / closed,
            written / payload,
            to_f64(bytes_of(&path)?) / payload,
        ];
        for (row, figure) in rows.iter_mut().zip(figures) {
            row.cell(peer.name).samples.push(figure);
        }
        say(&format!("{}: loaded at {:.0} entities/s", peer.name, figures[0]));
    }
    rows.insert(2, sorted);
    let mut settled = share("space once compacted and closed");
    for peer in &setting.peers {
        let path = setting.place("loaded", peer);
        let mut store = open(peer, &path)?;
        store.settle()?;
        store.close()?;
        settled.cell(peer.name).samples.push(to_f64(bytes_of(&path)?) / payload);
    }
    rows.push(settled);
    Ok(rows)
}

/// Opens the stores that were loaded.
///
/// # Errors
/// Those of peers.
pub fn reopen(setting: &Setting) -> Result<Vec<Loaded>> {
    let open = |peer: &&'static Peer| {
        Ok(Loaded { peer, store: open(peer, &setting.place("loaded", peer))? })
    };
    setting.peers.iter().map(open).collect()
}

/// Fills a new store: seconds until loaded and until closed, bytes written.
///
/// Neither memory that other peers left in pieces nor what they left to be written is to be paid for:
/// each fills its store in a process of its own, once the medium has nothing to do.
fn fill(task: Task, peer: &Peer, path: &Path, count: u64) -> Result<[f64; 3]> {
    if path.exists() {
        std::fs::remove_dir_all(path)?;
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    rustix::fs::sync();
    figures(task, peer, path, count)
}
