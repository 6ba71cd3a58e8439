//! Who reads, and as of when: what pruning must leave alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::ids::Key;
use crate::memtable::Version;
use crate::merge::Merge;
use crate::range::{Direction, KeyRange};
use crate::sync::Mutex;
use crate::view::View;

/// Sequences of live readings, with how many there are of each.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    live: Mutex<BTreeMap<u64, usize>>,
}

impl Readers {
    /// Calls `act` with the sequences, ascending. None comes or goes meanwhile.
    pub(crate) fn with_sequences(&self, act: impl FnOnce(&[u64])) {
        let live = self.live.lock();
        act(&live.keys().copied().collect::<Vec<_>>());
    }
}

/// A view as of one sequence. No version it needs is dropped while it is held, so snapshots and
/// scans share one and keep it for as long as either lives.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) view: Arc<View>,
    pub(crate) sequence: u64,
    readers: Arc<Readers>,
}

impl Reading {
    /// Registers a reading of the newest state. The caller keeps commits from being applied
    /// meanwhile: none may drop what `sequence` needs before it is registered.
    pub(crate) fn new(view: Arc<View>, sequence: u64, readers: &Arc<Readers>) -> Arc<Self> {
        *readers.live.lock().entry(sequence).or_default() += 1;
        Arc::new(Self { view, sequence, readers: Arc::clone(readers) })
    }

    /// All versions that count here, in key order, `own` above all others.
    ///
    /// # Errors
    /// `Corrupt` if what must be read to find the first ones does not verify.
    pub(crate) fn walk(
        &self,
        own: &[(Key, Version)],
        range: KeyRange,
        direction: Direction,
    ) -> Result<Merge> {
        self.view.walk(self.sequence, own, range, direction)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut live = self.readers.live.lock();
        if let Some(count) = live.get_mut(&self.sequence) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.sequence);
                // What it needed was committed before it began: it is nowhere else.
                let others: Vec<u64> = live.keys().copied().collect();
                for memtable in self.view.memory() {
                    memtable.release(self.sequence, &others);
                }
            }
        }
    }
}
