//! Bulk load: all entities in durable transactions of many.

use std::time::Instant;

use crate::data::{entity, id};
use crate::results::{Better, Row};
use crate::store::{Peer, Result, Store};
use crate::turn::to_f64;

use super::space::{bytes_of, written};
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
        let store = fresh(peer, &path)?;
        let start = Instant::now();
        load(&*store, setting.entities, BATCH, true)?;
        sorted
            .cell(peer.name)
            .samples
            .push(to_f64(setting.entities) / start.elapsed().as_secs_f64());
        store.close()?;
        std::fs::remove_dir_all(&path)?;

        let path = setting.place("loaded", peer);
        let store = fresh(peer, &path)?;
        let (start, before) = (Instant::now(), written()?);
        load(&*store, setting.entities, BATCH, false)?;
        let loaded = start.elapsed().as_secs_f64();
        store.close()?;
        let closed = start.elapsed().as_secs_f64();
        let figures = [
            to_f64(setting.entities) / loaded,
            to_f64(setting.entities) / closed,
            to_f64(written()? - before) / payload,
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

/// A new store, and nothing of an earlier round.
fn fresh(peer: &Peer, path: &std::path::Path) -> Result<Box<dyn Store>> {
    if path.exists() {
        std::fs::remove_dir_all(path)?;
    }
    open(peer, path)
}
