//! What the one writer does: commits, and new collections.

use std::sync::Arc;

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::{Manifest, NAME_LEN_MAX};
use crate::ids::CollectionId;
use crate::storage::{ROOT, Storage};
use crate::wal::{Commit, Wal, Write};

use super::catalog::Catalog;
use super::checkpoint::checkpoint_if_due;
use super::core::{Core, Permit, Writer};
use super::log::Base;

impl Permit {
    /// Commits writes in key order on top of `base` and answers the sequence. The next writer is
    /// admitted as soon as they are queued; this returns once they are synced and visible. No
    /// writes: the answer is the last commit's sequence, once that is synced.
    ///
    /// # Errors
    /// `Io` before anything of the transaction was written; `InDoubt` after, or if what the
    /// transaction was begun on will not be synced.
    pub(super) fn commit(self, base: &Base, writes: Vec<Write>) -> Result<u64> {
        let sequence = if writes.is_empty() { base.last } else { self.queue(base.last, writes)? };
        let core = Arc::clone(&self.core);
        drop(self);
        core.synced(sequence)?;
        checkpoint_if_due(&core);
        Ok(sequence)
    }

    fn queue(&self, last: u64, writes: Vec<Write>) -> Result<u64> {
        let core = &*self.core;
        core.health.require_writable()?;
        let sequence = last.checked_add(1).ok_or_else(|| Error::Invalid {
            what: "all commit sequences are used up; copy the store into a new one".into(),
        })?;
        self.begin_wal()?;
        core.log.push(Commit { sequence, writes })?;
        Ok(sequence)
    }

    /// Makes sure that MANIFEST names a WAL of this life, as it must before anything is written
    /// that MANIFEST does not name.
    ///
    /// # Errors
    /// `Io`: nothing happened. `InDoubt`: the switch failed, and the handle is poisoned.
    pub(super) fn begin_wal(&self) -> Result<()> {
        let core = &*self.core;
        if core.log.is_begun() {
            return Ok(());
        }
        core.writer.lock().publish(core, |_| {})
    }

    pub(super) fn create_collections(&self, names: &[&str]) -> Result<Vec<CollectionId>> {
        let core = &*self.core;
        let mut writer = core.writer.lock();
        let mut collections = writer.manifest.collections.clone();
        let mut next_id = writer.manifest.next_collection_id;
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            if name.is_empty() || name.len() > NAME_LEN_MAX {
                let len = name.len();
                let what = format!("a collection's name has 1 to {NAME_LEN_MAX} bytes, not {len}");
                return Err(Error::Invalid { what });
            }
            let id = CollectionId::new(next_id);
            next_id = next_id.checked_add(1).ok_or_else(|| Error::Invalid {
                what: "all collection numbers are used up".into(),
            })?;
            if collections.insert((*name).into(), id).is_some() {
                return Err(Error::CollectionExists { name: (*name).into() });
            }
            ids.push(id);
        }
        if ids.is_empty() {
            return Ok(ids);
        }
        let catalog = Arc::new(Catalog::new(collections.clone()));
        // What survives a crash is a prefix of commits and creations together.
        core.flush()?;
        writer.publish(core, |manifest| {
            manifest.collections = collections;
            manifest.next_collection_id = next_id;
        })?;
        drop(writer);
        core.republish(|published, _| published.catalog = catalog);
        Ok(ids)
    }
}

impl Writer {
    /// Publishes an edited MANIFEST that names a live WAL, creating one if this is the first
    /// write of a life.
    ///
    /// # Errors
    /// `Io`: nothing happened. `InDoubt`: the switch failed, and the handle is poisoned.
    pub(super) fn publish(&mut self, core: &Core, edit: impl FnOnce(&mut Manifest)) -> Result<()> {
        let storage = &*core.storage;
        let mut manifest = self.manifest.clone();
        edit(&mut manifest);
        let (fresh, prepared) = self.or_abandon(storage, |writer| {
            let fresh = writer.first_wal(storage, core)?;
            if let Some(wal) = &fresh {
                manifest.trailer.wals = vec![wal.generation()];
            }
            Ok((fresh, writer.prepare(storage, manifest)?))
        })?;
        self.switch(core, prepared)?;
        if let Some(wal) = fresh {
            core.log.install(wal);
        }
        Ok(())
    }

    /// The WAL of this life, if it has none yet.
    fn first_wal(&mut self, storage: &dyn Storage, core: &Core) -> Result<Option<Wal>> {
        if core.log.is_begun() {
            return Ok(None);
        }
        if self.manifest == Manifest::default() {
            // The very first MANIFEST may be a rename that a killed life never synced. If power
            // loss took it back, the WAL would stand beside no MANIFEST: a store that lost it.
            storage.sync_dir(ROOT).at("sync directory", ROOT)?;
        }
        let cut = self.manifest.last_checkpoint.unwrap_or(0);
        self.create_wal(storage, &core.options, cut).map(Some)
    }
}
