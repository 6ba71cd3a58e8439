//! Compaction: sealed segments are merged, and what nobody needs any more is left out.
//!
//! It reads immutable files and writes files that nothing names yet, so readers, commits and
//! checkpoints go on meanwhile; only its begin and its publication wait for the one writer, and for
//! a checkpoint. Until MANIFEST is switched nothing happened.

mod job;
mod plan;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::segment::{Segment, sync_names, sync_sidecars};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

use super::core::{Core, Permit};

pub(super) use job::Job;

/// Bytes merged in one step by those who do not choose.
const STEP: u64 = 1 << 20;

/// A compaction that its holder carries out, step by step, on whatever thread. There is one at a
/// time. Dropping it before it is done abandons it: nothing happened.
pub struct Compaction {
    core: Arc<Core>,
    control: CompactionControl,
    segments: usize,
    /// Whether its job is still there: not done, failed or abandoned.
    active: bool,
}

/// How far a compaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactionState {
    /// There is more to do.
    Running,
    /// All is merged and published.
    Done,
    /// It was cancelled: nothing happened.
    Cancelled,
}

/// What a compaction has to do and has done, in bytes of segment records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionProgress {
    /// The length of the segments to be merged.
    pub total: u64,
    /// Records merged so far. Versions that others hide are not counted: in the end this may be
    /// less than `total`.
    pub merged: u64,
    /// Records written so far.
    pub written: u64,
}

/// Watches and cancels a compaction from another thread.
#[derive(Debug, Clone)]
pub struct CompactionControl {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    total: u64,
    merged: AtomicU64,
    written: AtomicU64,
    cancelled: AtomicBool,
}

impl CompactionControl {
    /// How far it is.
    pub fn progress(&self) -> CompactionProgress {
        CompactionProgress {
            total: self.shared.total,
            merged: self.shared.merged.load(Ordering::Relaxed),
            written: self.shared.written.load(Ordering::Relaxed),
        }
    }

    /// Asks it to end. The step being carried out is finished; the next one abandons it.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }
}

impl Compaction {
    pub(super) fn new(core: &Arc<Core>) -> Result<Self> {
        let _alone = core.maintaining()?;
        core.require_writer()?;
        let mut slot = core.compaction.lock();
        if slot.is_some() {
            return Err(Error::CompactionRunning);
        }
        let (view, _) = core.current();
        let max_segment = core.options.max_segment;
        let last_checkpoint = core.writer.lock().manifest.last_checkpoint.unwrap_or(0);
        let groups = plan::plan(view.segments(), max_segment)?;
        let job = Job::new(groups, last_checkpoint, max_segment);
        let shared = Shared {
            total: job.source_bytes(),
            merged: AtomicU64::new(0),
            written: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
        };
        let control = CompactionControl { shared: Arc::new(shared) };
        let segments = job.sources().len();
        let active = segments > 0;
        *slot = active.then_some(job);
        Ok(Self { core: Arc::clone(core), control, segments, active })
    }

    /// How many segments it merges; 0 if all is compact already. Until the first step nothing is
    /// written: who only wants to know drops it now.
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// Watches and cancels this compaction.
    pub fn control(&self) -> CompactionControl {
        self.control.clone()
    }

    /// How far it is.
    pub fn progress(&self) -> CompactionProgress {
        self.control.progress()
    }

    /// Merges about `budget` bytes of records. A step that fills a segment also syncs it and reads
    /// it back; the first step and the last wait for the write transaction that may be open, and for
    /// the checkpoint that may be running.
    ///
    /// # Errors
    /// `NestedTransaction` if this thread has a write transaction: commit or abort it, and go on.
    /// After `Corrupt` or `Io` the compaction is abandoned: what it wrote is removed, the store
    /// stays usable and unchanged. `InDoubt` if publication itself failed. `Closed`, `Poisoned`.
    pub fn step(&mut self, budget: u64) -> Result<CompactionState> {
        if !self.active {
            return Ok(CompactionState::Done);
        }
        if self.control.is_cancelled() {
            self.abandon();
            return Ok(CompactionState::Cancelled);
        }
        let begun = self.core.compaction.lock().as_ref().is_none_or(Job::has_numbers);
        if !begun {
            // Whoever creates segments is alone in it, or two might take one number.
            let _alone = self.core.maintaining()?;
            Core::writing(&self.core)?.begin_compaction()?;
        }
        if !self.merge(budget)? {
            return Ok(CompactionState::Running);
        }
        let _alone = self.core.maintaining()?;
        let permit = Core::writing(&self.core)?;
        self.active = false;
        permit.publish_compaction().map(|()| CompactionState::Done)
    }

    /// Carries it out to its end.
    ///
    /// # Errors
    /// As [`Compaction::step`].
    pub fn run(mut self) -> Result<CompactionState> {
        loop {
            match self.step(STEP)? {
                CompactionState::Running => {}
                ended => return Ok(ended),
            }
        }
    }

    fn merge(&mut self, budget: u64) -> Result<bool> {
        let mut slot = self.core.compaction.lock();
        let job = slot.as_mut().ok_or(Error::Closed)?;
        let merged = job.merge(&*self.core.storage, budget);
        self.control.shared.merged.store(job.merged, Ordering::Relaxed);
        self.control.shared.written.store(job.written, Ordering::Relaxed);
        drop(slot);
        if merged.is_err() {
            self.abandon();
        }
        merged
    }

    /// Ends it, removing what it wrote.
    fn abandon(&mut self) {
        if std::mem::take(&mut self.active) {
            self.core.abandon_compaction();
        }
    }
}

impl Drop for Compaction {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Core {
    /// Ends the compaction that may be under way, removing what it wrote.
    pub(super) fn abandon_compaction(&self) {
        if let Some(job) = self.compaction.lock().take() {
            job.abandon(&*self.storage);
        }
    }
}

impl Permit {
    /// Makes sure that a compaction may create files, and reserves numbers for them.
    fn begin_compaction(&self) -> Result<()> {
        let core = &*self.core;
        // Segments newer than a MANIFEST that names no WAL would say that a later one was lost.
        self.begin_wal()?;
        let mut slot = core.compaction.lock();
        let job = slot.as_mut().ok_or(Error::Closed)?;
        job.reserve_numbers(&mut core.writer.lock().next_segment_id)
    }

    /// Switches from the sources of a compaction to its results.
    fn publish_compaction(&self) -> Result<()> {
        let core = &*self.core;
        let storage = &*core.storage;
        let job = core.compaction.lock().take().ok_or(Error::Closed)?;
        let published = self.switch_segments(&job);
        match &published {
            Ok(()) => job.remove_sources(storage),
            // Which MANIFEST is current is unknown: both need their files.
            Err(Error::InDoubt { .. }) => {}
            Err(_) => job.abandon(storage),
        }
        published
    }

    fn switch_segments(&self, job: &Job) -> Result<()> {
        let core = &*self.core;
        if !job.results().is_empty() {
            sync_sidecars(&*core.storage);
            sync_names(&*core.storage)?;
        }
        core.writer.lock().publish(core, |manifest| {
            let segments = &mut manifest.trailer.segments;
            for source in job.sources() {
                segments.remove(&source.id());
            }
            segments.extend(job.listed());
        })?;
        core.republish(|published, _| {
            let is_source = |other: &&Arc<Segment>| {
                job.sources().iter().any(|source| source.id() == other.id())
            };
            let kept = published.view.segments().iter().filter(|other| !is_source(other));
            let segments = kept.chain(job.results()).cloned().collect();
            published.view = Arc::new(published.view.with_segments(segments));
        });
        Ok(())
    }
}
