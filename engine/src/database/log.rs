//! The way of a commit: into the queue, with others into the WAL, synced, then visible.
//!
//! The writer queues its commit and makes room for the next writer, which builds on it at once.
//! Whoever waits for a commit and finds the WAL free takes it, appends everything queued as one
//! batch, syncs, and shows it to readers; meanwhile the next batch gathers. So commits share a
//! sync exactly if they come while one runs, and a lone committer does all of it by itself, with
//! one write and one sync.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::ids::Key;
use crate::sync::{Condvar, Mutex};
use crate::wal::{Commit, Wal, Write};

use super::core::Core;

/// A batch takes no further commit from this many bytes of entities on: it bounds the memory that
/// an append takes beside its largest transaction.
const BATCH_LEN: usize = 8 << 20;

/// The live WAL and the commits that are not known to be in it yet.
pub(super) struct Log {
    state: Mutex<State>,
    /// Signalled when a batch was synced, and when none will be any more.
    settled: Condvar,
}

struct State {
    /// The live WAL; none before the first write of a life, and while a thread appends to it.
    wal: Option<Wal>,
    /// The last commit known synced.
    synced: u64,
    /// The commits after that one, ascending. One that is being appended stays here until readers
    /// see it: writers find every commit here or there.
    unsynced: VecDeque<Arc<Commit>>,
    /// What ended this life's commits.
    failed: Option<Arc<Error>>,
    closed: bool,
    /// A checkpoint is due when the WAL has this many bytes, counted from its own cut or from the
    /// last attempt.
    checkpoint_every: Option<u64>,
    checkpoint_at: u64,
}

/// What a thread takes away to append.
struct Batch {
    wal: Wal,
    commits: Vec<Arc<Commit>>,
    synced_to: u64,
}

/// The newest state, as a write transaction begins on it: what readers see, under the commits
/// that they do not see yet.
pub(super) struct Base {
    /// The last commit of all.
    pub(super) last: u64,
    /// Ascending.
    pub(super) unsynced: Vec<Arc<Commit>>,
}

impl Base {
    /// What the commits that readers do not see yet make of a key; `None` if they leave it alone.
    pub(super) fn content(&self, key: &Key) -> Option<&Option<Bytes>> {
        self.unsynced.iter().rev().find_map(|commit| commit.content(key))
    }
}

impl Log {
    /// A log after commit `synced`, with the WAL that recovery has begun, if it had to.
    /// Every `checkpoint_every` bytes of WAL, a checkpoint is due.
    pub(super) fn new(wal: Option<Wal>, synced: u64, checkpoint_every: Option<u64>) -> Self {
        let state = State {
            wal,
            synced,
            unsynced: VecDeque::new(),
            failed: None,
            closed: false,
            checkpoint_every,
            checkpoint_at: checkpoint_every.unwrap_or(u64::MAX),
        };
        Self { state: Mutex::new(state), settled: Condvar::new() }
    }

    /// Whether this life has a WAL.
    pub(super) fn is_begun(&self) -> bool {
        let state = self.state.lock();
        state.wal.is_some() || !state.unsynced.is_empty()
    }

    /// Goes on in another WAL. Everything queued is synced, and only the one writer queues.
    pub(super) fn install(&self, wal: Wal) {
        let mut state = self.state.lock();
        debug_assert!(state.unsynced.is_empty(), "no commit is on its way");
        state.wal = Some(wal);
        state.checkpoint_at = state.checkpoint_every.unwrap_or(u64::MAX);
    }

    /// Ends the log: the store is closed.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.wal = None;
        state.closed = true;
        drop(state);
        self.settled.notify_all();
    }

    /// Whether a checkpoint is due. Whoever is told so runs it: others are told again only when
    /// the WAL has grown by as much once more.
    pub(super) fn claim_checkpoint(&self) -> bool {
        self.state.lock().claim_checkpoint()
    }

    /// Waits until a checkpoint is due, and claims it; `false` if the store is closed first.
    ///
    /// # Errors
    /// `Poisoned`.
    pub(super) fn await_due(&self) -> Result<bool> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return Ok(false);
            }
            if let Some(cause) = &state.failed {
                return Err(Error::Poisoned { cause: Arc::clone(cause) });
            }
            if state.claim_checkpoint() {
                return Ok(true);
            }
            self.settled.wait(&mut state);
        }
    }

    /// What a write transaction that begins now builds on. Only the one writer may ask.
    pub(super) fn base(&self) -> Base {
        let state = self.state.lock();
        Base { last: state.last(), unsynced: state.unsynced.iter().cloned().collect() }
    }

    /// Queues the one writer's commit, which follows the last of all.
    ///
    /// # Errors
    /// `Poisoned`, and it is not queued.
    pub(super) fn push(&self, commit: Commit) -> Result<()> {
        let mut state = self.state.lock();
        if let Some(cause) = &state.failed {
            return Err(Error::Poisoned { cause: Arc::clone(cause) });
        }
        debug_assert_eq!(commit.sequence, state.last() + 1, "sequences are dense");
        state.unsynced.push_back(Arc::new(commit));
        Ok(())
    }

    /// No batch is appended any more, and who waits for one is told why.
    fn fail(&self, cause: &Arc<Error>) {
        self.state.lock().failed.get_or_insert_with(|| Arc::clone(cause));
        self.settled.notify_all();
    }

    /// Waits until commit `sequence` is synced, or the WAL free to append a batch.
    ///
    /// # Errors
    /// `InDoubt` if the commit will not be synced in this life.
    fn next_batch(&self, sequence: u64) -> Result<Option<Batch>> {
        let mut state = self.state.lock();
        loop {
            if state.synced >= sequence {
                return Ok(None);
            }
            if let Some(cause) = &state.failed {
                return Err(Error::InDoubt { cause: Arc::clone(cause) });
            }
            if let Some(batch) = state.take_batch() {
                return Ok(Some(batch));
            }
            self.settled.wait(&mut state);
        }
    }

    /// Gives the WAL back after a batch was synced and shown.
    fn settle(&self, batch: Batch) {
        let mut state = self.state.lock();
        state.unsynced.drain(..batch.commits.len());
        state.synced += batch.commits.len() as u64;
        state.wal = Some(batch.wal);
        drop(state);
        self.settled.notify_all();
    }
}

impl State {
    fn claim_checkpoint(&mut self) -> bool {
        let (Some(wal), Some(every)) = (&self.wal, self.checkpoint_every) else { return false };
        let due = wal.end() >= self.checkpoint_at;
        if due {
            self.checkpoint_at = wal.end().saturating_add(every);
        }
        due
    }

    fn last(&self) -> u64 {
        self.synced + self.unsynced.len() as u64
    }

    /// Everything queued, up to the limit of a batch, if nobody is appending.
    fn take_batch(&mut self) -> Option<Batch> {
        let wal = self.wal.take()?;
        let mut len = 0;
        let fits = |commit: &&Arc<Commit>| {
            let begins_within = len < BATCH_LEN;
            len += commit.content_len();
            begins_within
        };
        let commits = self.unsynced.iter().take_while(fits).cloned().collect();
        Some(Batch { wal, commits, synced_to: self.synced })
    }
}

impl Core {
    /// Returns once commit `sequence` is durable and visible, appending batches for as long as
    /// nobody else does.
    ///
    /// # Errors
    /// `InDoubt` if it may never be.
    pub(super) fn synced(&self, sequence: u64) -> Result<()> {
        while let Some(mut batch) = self.log.next_batch(sequence)? {
            match batch.wal.append(&batch.commits, batch.synced_to) {
                Ok(appended) => {
                    self.show(appended.commits(&batch.commits));
                    self.log.settle(batch);
                }
                // The WAL is gone with the batch: nothing may follow it.
                Err(error) => return Err(self.poison(error)),
            }
        }
        Ok(())
    }

    /// Returns once everything committed is durable and visible. Only the one writer may ask: the
    /// queue is empty then, and stays so.
    ///
    /// # Errors
    /// `Poisoned` if that will not be.
    pub(super) fn flush(&self) -> Result<()> {
        self.synced(self.log.base().last).or_else(|_| self.health.require_writable())
    }

    /// Shows synced commits to readers, one by one.
    fn show(&self, commits: impl Iterator<Item = (u64, impl Iterator<Item = Write>)>) {
        for (sequence, writes) in commits {
            self.republish(|published, snapshots| {
                published.view.memtable.apply(sequence, writes, snapshots);
                published.sequence = sequence;
            });
        }
    }

    /// Latches the handle after a failure that leaves the medium unknown: every commit that is
    /// not synced is in doubt, and so is what failed.
    pub(super) fn poison(&self, cause: Error) -> Error {
        let cause = Arc::new(cause);
        self.health.poison(&cause);
        self.log.fail(&cause);
        Error::InDoubt { cause }
    }
}
