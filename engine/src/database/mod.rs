//! The database handle.

mod catalog;
mod checkpoint;
mod close;
mod commit;
mod compact;
mod core;
mod files;
mod gate;
mod health;
mod log;
mod open;
mod publish;
mod recover;
mod scrub;
mod snapshot;
mod txn;
mod verify;
mod writes;

use std::ops::RangeBounds;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ids::{CollectionId, EntityId, IdSource, Key};
use crate::options::Options;
use crate::scan::Scan;
use crate::storage::{FileStorage, OsEntropy, Storage};

use self::core::Core;

pub use compact::{Compaction, CompactionControl, CompactionProgress, CompactionState};
pub use scrub::{Scrub, ScrubFinding, ScrubReport};
pub use snapshot::Snapshot;
pub use txn::WriteTxn;
pub use verify::Verified;

/// An open store.
///
/// A clone is another handle to the same open store. Readers never wait for the writer, nor the
/// writer for readers. There is one write transaction at a time, but the next one begins while
/// the commit of the last is on its way to the medium: commits that come together share a sync.
///
/// Dropping the last handle without [`Database::close`] loses nothing that was acknowledged; the
/// next open recovers it from the WAL.
#[derive(Clone)]
pub struct Database {
    core: Arc<Core>,
}

impl Database {
    /// Opens the store in directory `path`, with identities from the operating system's entropy.
    ///
    /// # Errors
    /// As [`Database::open_with`].
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let storage = Arc::new(FileStorage::new(path.as_ref()));
        Self::open_with(storage, Box::new(OsEntropy), options)
    }

    /// Opens the store on a medium, with inserts drawing identities from `ids`. After an unclean
    /// end this recovers: what it then shows is durable before this returns. A store of a newer
    /// minor version of the format is opened for reading only, whatever the options permit.
    ///
    /// # Errors
    /// `NoStore`, `NotADirectory`, `Locked`, `NeedsRecovery` (read-only), `Invalid` (options),
    /// `Corrupt`, `Foreign`, `NewerVersion`, `Io`. A failed open changes nothing that the next
    /// one would show.
    pub fn open_with(
        storage: Arc<dyn Storage>,
        ids: Box<dyn IdSource>,
        options: Options,
    ) -> Result<Self> {
        Ok(Self { core: Arc::new(open::open(storage, ids, options)?) })
    }

    /// Creates a collection, durably.
    ///
    /// # Errors
    /// As [`Database::create_collections`].
    pub fn create_collection(&self, name: &str) -> Result<CollectionId> {
        let ids = self.create_collections(&[name])?;
        // One name in, one number out.
        Ok(ids[0])
    }

    /// Creates collections, all or none, durably, in one publication of MANIFEST.
    ///
    /// # Errors
    /// `CollectionExists`; `Invalid` for a name that is empty or above 255 bytes;
    /// `NestedTransaction` if this thread has a write transaction; `ReadOnly`, `Poisoned`,
    /// `Closed`; `Io` (nothing happened) or `InDoubt` (it may have).
    pub fn create_collections(&self, names: &[&str]) -> Result<Vec<CollectionId>> {
        Core::writing(&self.core)?.create_collections(names)
    }

    /// The collection of this name.
    pub fn collection(&self, name: &str) -> Option<CollectionId> {
        self.core.catalog().by_name().get(name).copied()
    }

    /// Whether this handle only reads: it was opened so, or a newer minor version of the format
    /// wrote the store.
    pub fn is_read_only(&self) -> bool {
        self.core.read_only().is_some()
    }

    /// All collections with their names, by name.
    pub fn collections(&self) -> Vec<(String, CollectionId)> {
        let catalog = self.core.catalog();
        catalog.by_name().iter().map(|(name, id)| (name.clone(), *id)).collect()
    }

    /// Begins a write transaction, waiting for the one another thread may have open.
    ///
    /// # Errors
    /// `NestedTransaction` if this thread has one; `ReadOnly`, `Poisoned`, `Closed`.
    pub fn begin(&self) -> Result<WriteTxn> {
        Core::writing(&self.core).map(WriteTxn::new)
    }

    /// Inserts or replaces one entity in a transaction of its own and answers its sequence.
    ///
    /// # Errors
    /// As [`Database::begin`], [`WriteTxn::put`] and [`WriteTxn::commit`].
    pub fn put(&self, collection: CollectionId, id: EntityId, payload: Bytes) -> Result<u64> {
        let mut txn = self.begin()?;
        txn.put(collection, id, payload)?;
        txn.commit()
    }

    /// Deletes one entity in a transaction of its own and answers the sequence after it: of the
    /// last commit, if there was nothing to delete.
    ///
    /// # Errors
    /// As [`Database::begin`], [`WriteTxn::delete`] and [`WriteTxn::commit`].
    pub fn delete(&self, collection: CollectionId, id: EntityId) -> Result<u64> {
        let mut txn = self.begin()?;
        txn.delete(collection, id)?;
        txn.commit()
    }

    /// The content of an entity, without copying it where the medium allows: it shares memory with
    /// what was committed, loaded or mapped beside it, which stays as long as it is held.
    ///
    /// # Errors
    /// `UnknownCollection`, `Closed`; `Corrupt` if the stored record does not verify.
    pub fn get(&self, collection: CollectionId, id: EntityId) -> Result<Option<Bytes>> {
        self.core.require_open()?;
        let front = self.core.front();
        front.require_collection(collection)?;
        front.view.newest(&Key { collection, entity: id })
    }

    /// The contents of several entities as of one moment, in the order asked.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub fn get_many(
        &self,
        collection: CollectionId,
        ids: &[EntityId],
    ) -> Result<Vec<Option<Bytes>>> {
        self.snapshot()?.get_many(collection, ids)
    }

    /// A whole collection in identity order, or backwards with [`Iterator::rev`], as of now.
    ///
    /// # Errors
    /// As [`Database::get`]; the iterator's items report what turns up while reading.
    pub fn scan(&self, collection: CollectionId) -> Result<Scan> {
        self.snapshot()?.scan(collection)
    }

    /// The entities of a collection whose identities are within a range, as [`Database::scan`].
    ///
    /// # Errors
    /// As [`Database::scan`].
    pub fn scan_range(
        &self,
        collection: CollectionId,
        ids: impl RangeBounds<EntityId>,
    ) -> Result<Scan> {
        self.snapshot()?.scan_range(collection, ids)
    }

    /// A view of the store as of now that later commits, checkpoints and the close of this
    /// handle do not change.
    ///
    /// # Errors
    /// `Closed`.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.core.require_open()?;
        Ok(Snapshot::new(&self.core))
    }

    /// The sequence of the last visible commit; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.core.current().1
    }

    /// Moves everything committed into sealed segments and starts a fresh WAL. Waits for an open
    /// write transaction of another thread; commits go on in the fresh WAL while segments are
    /// written.
    ///
    /// # Errors
    /// As [`Database::begin`]; `Io` if it failed before publication: the store stays usable, and
    /// the next checkpoint does what is left. `InDoubt` if publication itself failed.
    pub fn checkpoint(&self) -> Result<()> {
        checkpoint::checkpoint(&self.core)
    }

    /// Waits until a checkpoint is due by [`AutoCheckpoint::Background`](crate::AutoCheckpoint),
    /// runs it and answers `true`; `false` once the store is closed. For a thread that does
    /// nothing else, until this answers `false` or an error that will not go away.
    ///
    /// # Errors
    /// As [`Database::checkpoint`]. After `Io`, the next one is due when the WAL has grown by as
    /// much again.
    pub fn checkpoint_when_due(&self) -> Result<bool> {
        checkpoint::checkpoint_when_due(&self.core)
    }

    /// Merges sealed segments into fewer, leaving out versions and deletions that nobody needs any
    /// more. Readers, commits and checkpoints go on meanwhile.
    ///
    /// # Errors
    /// As [`Database::compaction`] and [`Compaction::step`].
    pub fn compact(&self) -> Result<()> {
        self.compaction()?.run().map(drop)
    }

    /// Plans a compaction, to be carried out step by step, or on a thread of the caller's:
    /// `std::thread::spawn(|| compaction.run())`.
    ///
    /// # Errors
    /// `CompactionRunning` if there is one already; `Corrupt` if a segment without a sidecar does
    /// not verify; otherwise as [`Database::begin`].
    pub fn compaction(&self) -> Result<Compaction> {
        Compaction::new(&self.core)
    }

    /// Reads and checks every byte that MANIFEST vouches for, from the medium, and that MANIFEST
    /// and the WAL are those of this handle. A read-only handle may verify, too.
    ///
    /// # Errors
    /// `Corrupt` at the first damage; `NestedTransaction` if this thread has a write transaction
    /// (no commit may run meanwhile); `Poisoned`, `Closed`; `Io`.
    pub fn verify(&self) -> Result<Verified> {
        let _alone = self.core.maintaining()?;
        Core::admission(&self.core)?.verify()
    }

    /// Begins to read and check everything that is sealed, step by step, while the store is in
    /// use: each record, each segment's digest, and that sidecars lead to every record. Damaged
    /// sidecars are made anew. [`Database::verify`] covers the WAL, too, but lets no commit run.
    ///
    /// # Errors
    /// `Closed`.
    pub fn scrub(&self) -> Result<Scrub> {
        Scrub::new(&self.core)
    }

    /// Closes cleanly: everything in sealed segments, no WAL left. Waits for an open write
    /// transaction of another thread. Every use of this and other handles fails with `Closed`
    /// afterwards; snapshots can still be read.
    ///
    /// # Errors
    /// `NestedTransaction`: this thread has a write transaction, the store stays open. After any
    /// other error the handle is closed and the next open recovers.
    pub fn close(&self) -> Result<()> {
        close::close(&self.core)
    }
}
