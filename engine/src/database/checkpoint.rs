//! Checkpoint: memory becomes sealed segments, MANIFEST switches to a fresh WAL.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::names;
use crate::memtable::Memtable;
use crate::options::Options;
use crate::segment::{Segment, seal, sync_sidecars};
use crate::storage::Storage;
use crate::view::View;
use crate::wal::Wal;

use super::core::{Permit, Published, Writer};
use super::{files, publish};

/// Everything a checkpoint needs before the switch: written, synced, not yet named.
pub(super) struct Prepared {
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
    wal: Option<Wal>,
}

impl Permit {
    pub(super) fn checkpoint(&self) -> Result<()> {
        self.checkpoint_into(true)
    }

    /// Checkpoints; with `live` the store goes on with a fresh WAL, without it has none.
    pub(super) fn checkpoint_into(&self, live: bool) -> Result<()> {
        let core = &*self.core;
        core.flush()?;
        let mut writer = core.writer.lock();
        let (view, sequence) = core.current();
        if live && view.memtable.is_empty() {
            return Ok(());
        }
        let storage = &*core.storage;
        let prepared =
            writer.prepare_checkpoint(storage, &core.options, &view.memtable, sequence, live)?;
        // Readers move to the new view only once it is durable, so the switch works on a copy.
        let mut next = Published { view, sequence, catalog: core.catalog() };
        let wal =
            writer.install(storage, prepared, &mut next).map_err(|error| core.poison(error))?;
        core.log.install(wal);
        core.republish(|published, _| *published = next);
        Ok(())
    }
}

impl Writer {
    /// Seals `memtable`, creates the next WAL if `live`, and writes the MANIFEST that names them.
    ///
    /// # Errors
    /// The medium's. Nothing happened then: what was written is abandoned.
    pub(super) fn prepare_checkpoint(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        memtable: &Memtable,
        cut: u64,
        live: bool,
    ) -> Result<Prepared> {
        self.or_abandon(storage, |writer| {
            writer.write_checkpoint(storage, options, memtable, cut, live)
        })
    }

    /// Runs `create`; if it fails, removes the files it created. No MANIFEST names them, and
    /// their numbers are not used again in this life. On a full medium this gives the space back.
    pub(super) fn or_abandon<T>(
        &mut self,
        storage: &dyn Storage,
        create: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let (segment, generation) = (self.next_segment_id, self.next_generation);
        let created = create(self);
        if created.is_err() {
            let segments = (segment..self.next_segment_id).map(names::segment_path);
            let sidecars = (segment..self.next_segment_id).map(names::sidecar_path);
            let wals = (generation..self.next_generation).map(names::wal);
            for name in segments.chain(sidecars).chain(wals) {
                // The error that matters is in `created`; a file left behind is harmless.
                let _ = storage.remove(&name);
            }
        }
        created
    }

    fn write_checkpoint(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        memtable: &Memtable,
        cut: u64,
        live: bool,
    ) -> Result<Prepared> {
        let sealed = seal(storage, memtable, &mut self.next_segment_id, options.max_segment)?;
        let mut manifest = self.manifest.clone();
        manifest.last_checkpoint = Some(cut);
        let mut segments = Vec::with_capacity(sealed.len());
        for segment in sealed {
            segments.push(Arc::new(Segment::open_sealed(storage, &segment, cut)?));
            manifest.trailer.segments.insert(segment.id, segment.info);
        }
        if !segments.is_empty() {
            sync_sidecars(storage);
        }
        let wal = if live { Some(self.create_wal(storage, options, cut)?) } else { None };
        manifest.trailer.wals = wal.iter().map(Wal::generation).collect();
        self.reserve_numbers(&mut manifest);
        publish::prepare(storage, &manifest)?;
        Ok(Prepared { manifest, segments, wal })
    }

    /// Switches to what was prepared, shows it, and answers the WAL to go on with.
    ///
    /// # Errors
    /// The medium's: which MANIFEST is current is unknown then.
    pub(super) fn install(
        &mut self,
        storage: &dyn Storage,
        prepared: Prepared,
        published: &mut Published,
    ) -> Result<Option<Wal>> {
        publish::switch(storage)?;
        let obsolete = std::mem::replace(&mut self.manifest, prepared.manifest).trailer.wals;
        let mut segments = published.view.segments().to_vec();
        segments.extend(prepared.segments);
        published.view = Arc::new(View::new(segments));
        published.sequence = self.manifest.last_checkpoint.unwrap_or(0);
        for generation in obsolete {
            // An unlisted file is harmless, and swept in the next life.
            let _ = storage.remove(&names::wal(generation));
        }
        self.sweep_once(storage);
        Ok(prepared.wal)
    }

    pub(super) fn create_wal(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        cut: u64,
    ) -> Result<Wal> {
        let generation = self.next_generation;
        let next = generation.checked_add(1).ok_or_else(|| Error::Invalid {
            what: "all WAL numbers are used up; copy the store into a new one".into(),
        })?;
        self.next_generation = next;
        Wal::create(storage, generation, cut, options.wal_reserve)
    }

    /// Numbers handed out so far are never handed out again once MANIFEST says so.
    pub(super) fn reserve_numbers(&self, manifest: &mut Manifest) {
        manifest.trailer.next_segment_id = self.next_segment_id;
        manifest.trailer.next_generation = self.next_generation;
    }

    /// Removes what earlier lives left behind, after this life's first publication.
    pub(super) fn sweep_once(&mut self, storage: &dyn Storage) {
        if !std::mem::replace(&mut self.swept, true) {
            // What cannot be listed or removed is harmless, and tried again in the next life.
            let _ = files::sweep(storage, &self.manifest);
        }
    }
}
