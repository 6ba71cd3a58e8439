//! What all handles, transactions and snapshots of one open store share.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::ids::{CollectionId, IdSource};
use crate::options::Options;
use crate::readers::{Readers, Reading};
use crate::storage::{LockGuard, Storage};
use crate::sync::{Mutex, MutexGuard, Newest, RwLock};
use crate::view::View;

use super::catalog::Catalog;
use super::compact::Job;
use super::gate::Gate;
use super::health::Health;
use super::log::Log;

pub(super) struct Core {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) options: Options,
    /// Why this handle may not write, whatever its health.
    read_only: Option<Error>,
    pub(super) health: Health,
    pub(super) gate: Gate,
    /// Held for one checkpoint, verification or close: there is one of them at a time. Who has
    /// passed the gate must not wait for it.
    pub(super) maintenance: Mutex<()>,
    /// Held for a publication of MANIFEST, which edits the current one; not while segments are
    /// written.
    pub(super) writer: Mutex<Writer>,
    /// Where new identities come from.
    pub(super) ids: Mutex<Box<dyn IdSource>>,
    pub(super) log: Log,
    /// The compaction under way, if any. Locked after the gate, never before it.
    pub(super) compaction: Mutex<Option<Job>>,
    published: RwLock<Published>,
    /// The same for those who ask for the newest state once, and need no lock.
    front: Newest<Front>,
    readers: Arc<Readers>,
    pub(super) lock: Mutex<Option<Box<dyn LockGuard>>>,
}

/// What publications of MANIFEST change.
pub(super) struct Writer {
    /// What MANIFEST says.
    pub(super) manifest: Manifest,
    /// Above every segment number listed, reserved or present.
    pub(super) next_segment_id: u64,
    /// Above every WAL number listed, reserved or present.
    pub(super) next_generation: u32,
    /// Whether files that MANIFEST does not list were removed in this life.
    pub(super) swept: bool,
}

/// What readers see.
#[derive(Clone, Default)]
pub(super) struct Published {
    pub(super) view: Arc<View>,
    pub(super) sequence: u64,
    pub(super) catalog: Arc<Catalog>,
}

/// What a read of the newest state needs. Commits change what is in the view, not which view it is.
pub(super) struct Front {
    pub(super) view: Arc<View>,
    catalog: Arc<Catalog>,
}

impl Front {
    fn of(published: &Published) -> Self {
        let Published { view, catalog, .. } = published;
        Self { view: Arc::clone(view), catalog: Arc::clone(catalog) }
    }

    /// Whether this shows other places than what is published.
    fn is_stale(&self, published: &Published) -> bool {
        let Published { view, catalog, .. } = published;
        !(Arc::ptr_eq(&self.view, view) && Arc::ptr_eq(&self.catalog, catalog))
    }

    pub(super) fn require_collection(&self, collection: CollectionId) -> Result<()> {
        let known = self.catalog.contains(collection);
        if known { Ok(()) } else { Err(Error::UnknownCollection(collection)) }
    }
}

impl Core {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        options: Options,
        lock: Box<dyn LockGuard>,
        writer: Writer,
        ids: Box<dyn IdSource>,
        log: Log,
        published: Published,
    ) -> Self {
        Self {
            storage,
            options,
            read_only: None,
            health: Health::default(),
            gate: Gate::default(),
            maintenance: Mutex::new(()),
            writer: Mutex::new(writer),
            ids: Mutex::new(ids),
            log,
            compaction: Mutex::new(None),
            front: Newest::new(Front::of(&published)),
            published: RwLock::new(published),
            readers: Arc::default(),
            lock: Mutex::new(Some(lock)),
        }
    }

    /// The same, for reading only if there is a reason.
    pub(super) fn reading_only(self, read_only: Option<Error>) -> Self {
        Self { read_only, ..self }
    }

    /// Admission as the one writer.
    pub(super) fn writing(core: &Arc<Self>) -> Result<Permit> {
        let permit = Self::admission(core)?;
        core.require_writer()?;
        Ok(permit)
    }

    /// Waits for the checkpoint, verification or close that is running, and keeps others out.
    ///
    /// # Errors
    /// `NestedTransaction` if this thread is the writer; `Closed`.
    pub(super) fn maintaining(&self) -> Result<MutexGuard<'_, ()>> {
        self.health.require_open()?;
        // A checkpoint may be waiting for this thread's transaction to end.
        self.gate.refuse_nested()?;
        Ok(self.maintenance.lock())
    }

    pub(super) fn require_writer(&self) -> Result<()> {
        match &self.read_only {
            Some(why) => Err(why.clone()),
            None => self.health.require_writable(),
        }
    }

    /// Admission whatever the handle's health.
    pub(super) fn admission(core: &Arc<Self>) -> Result<Permit> {
        core.health.require_open()?;
        core.gate.enter()?;
        Ok(Permit { core: Arc::clone(core), not_send: PhantomData })
    }

    /// Why this handle may not write, whatever its health.
    pub(super) fn read_only(&self) -> Option<&Error> {
        self.read_only.as_ref()
    }

    pub(super) fn require_open(&self) -> Result<()> {
        self.health.require_open()
    }

    pub(super) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.published.read().catalog)
    }

    pub(super) fn require_collection(&self, collection: CollectionId) -> Result<()> {
        self.front().require_collection(collection)
    }

    /// What a single read of the newest state needs, without a lock. A read of two keys is not as
    /// of one moment: that takes [`Core::retain`].
    pub(super) fn front(&self) -> impl Deref<Target = Arc<Front>> {
        self.front.look()
    }

    /// The newest view and the sequence of its last commit.
    pub(super) fn current(&self) -> (Arc<View>, u64) {
        let published = self.published.read();
        (Arc::clone(&published.view), published.sequence)
    }

    /// Like [`Core::current`], and keeps that sequence's versions while the reading is held.
    /// Whoever reads more than once as of a sequence needs this: a commit drops the versions
    /// that no reading retains.
    pub(super) fn retain(&self) -> Arc<Reading> {
        // Registered under the lock that publishing takes: no commit can fall in between and
        // drop a version this reading needs.
        let published = self.published.read();
        Reading::new(Arc::clone(&published.view), published.sequence, &self.readers)
    }

    /// Changes what readers see from now on. The sequences of live readings are handed in.
    pub(super) fn republish(&self, change: impl FnOnce(&mut Published, &[u64])) {
        let mut published = self.published.write();
        self.readers.with_sequences(|live| change(&mut published, live));
        // Under the lock: of two changes, the later one stays.
        if self.front.look().is_stale(&published) {
            self.front.replace(Front::of(&published));
        }
    }
}

/// Proof of being the one writer. Stays on the thread that was admitted: the gate tells nested
/// use from waiting by thread.
pub(super) struct Permit {
    pub(super) core: Arc<Core>,
    not_send: PhantomData<*const ()>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.core.gate.leave();
    }
}
