//! Who reads, and as of when: what pruning must leave alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::ids::Key;
use crate::memtable::Version;
use crate::merge::Merge;
use crate::range::{Direction, KeyRange};
use crate::sync::{Mutex, MutexGuard};
use crate::view::View;

/// Versions looked at while readings and commits wait, when the last reading of a sequence ends; or
/// those that one commit replaced, if they are more.
const RELEASED: usize = 256;

/// Sequences of live readings, with how many there are of each.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    live: Mutex<BTreeMap<u64, usize>>,
}

impl Readers {
    /// One reading less; whether it was the last one as of its sequence.
    fn leave(&self, sequence: u64) -> bool {
        let mut live = self.live.lock();
        let Some(count) = live.get_mut(&sequence) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            live.remove(&sequence);
        }
        last
    }

    /// Calls `act` with the sequences, ascending. None comes or goes meanwhile.
    pub(crate) fn with_sequences(&self, act: impl FnOnce(&[u64])) {
        let live = self.live.lock();
        act(&live.keys().copied().collect::<Vec<_>>());
        // To whoever waits: a release in pieces would take it again before they wake.
        MutexGuard::unlock_fair(live);
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
        if self.readers.leave(self.sequence) {
            // What it needed was committed before it began: it is nowhere else.
            for memtable in self.view.memory() {
                let mut from = Some(self.sequence);
                while let Some(sequence) = from {
                    // Readings that came meanwhile keep what they need: they are asked each time.
                    self.readers.with_sequences(|live| {
                        from = memtable.release(sequence, live, RELEASED);
                    });
                }
            }
        }
    }
}
