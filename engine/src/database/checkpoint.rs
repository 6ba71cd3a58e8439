//! Checkpoint: memory becomes sealed segments, and commits move to a fresh WAL.
//!
//! First comes the **cut**: every commit so far is synced, a fresh WAL is named beside the live one,
//! and commits go on in it. Then what was committed before is sealed, while nobody waits, and
//! MANIFEST is published without the old WAL. A store that ends in between has two WALs, and one
//! whose sealing failed keeps them until the next checkpoint.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::names;
use crate::memtable::Newest;
use crate::options::{AutoCheckpoint, Options};
use crate::segment::{Sealed, Segment, seal, sync_sidecars};
use crate::storage::Storage;
use crate::view::{Frozen, View};
use crate::wal::Wal;

use super::core::{Core, Permit, Published, Writer};
use super::{files, publish};

/// Everything a checkpoint needs before the switch: written, synced, not yet named.
pub(super) struct Prepared {
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
    wal: Option<Wal>,
}

/// Moves everything committed so far into segments.
pub(super) fn checkpoint(core: &Arc<Core>) -> Result<()> {
    let _alone = core.maintaining()?;
    core.require_writer()?;
    // What an earlier checkpoint froze and could not seal.
    core.seal_frozen()?;
    if core.current().0.memtable.is_empty() {
        // Whatever is acknowledged is visible, so nothing is. Writers must not wait for that.
        return Ok(());
    }
    Core::writing(core)?.cut()?;
    core.seal_frozen()
}

pub(super) fn checkpoint_when_due(core: &Arc<Core>) -> Result<bool> {
    if let Some(why) = core.read_only() {
        return Err(why.clone());
    }
    core.gate.refuse_nested()?;
    if !core.log.await_due()? {
        return Ok(false);
    }
    match checkpoint(core) {
        Err(Error::Closed) => Ok(false),
        done => done.map(|()| true),
    }
}

/// Runs the checkpoint that is due, if the committing thread is to do it.
///
/// If it fails, the commit it follows is none the less durable: the next one is due when the WAL
/// has grown by as much again, and a handle that is poisoned says so to the next writer.
pub(super) fn checkpoint_if_due(core: &Arc<Core>) {
    if matches!(core.options.auto_checkpoint, AutoCheckpoint::AtCommit { .. })
        && core.log.claim_checkpoint()
    {
        let _ = checkpoint(core);
    }
}

impl Permit {
    /// Moves commits on to a fresh WAL and a fresh memtable. What is committed is synced, and
    /// frozen; nobody waits for it to be sealed. Without commits since the last cut, nothing
    /// happens.
    fn cut(self) -> Result<()> {
        let core = &*self.core;
        core.flush()?;
        let (view, cut) = core.current();
        if view.memtable.is_empty() {
            return Ok(());
        }
        let mut writer = core.writer.lock();
        let (wal, prepared) = writer.or_abandon(&*core.storage, |writer| {
            let wal = writer.create_wal(&*core.storage, &core.options, cut)?;
            let mut manifest = writer.manifest.clone();
            manifest.trailer.wals.push(wal.generation());
            Ok((wal, writer.prepare(&*core.storage, manifest)?))
        })?;
        writer.switch(core, prepared)?;
        core.log.install(wal);
        core.republish(|published, _| published.view = Arc::new(published.view.cut(cut)));
        Ok(())
    }

    /// Seals everything, and leaves no WAL.
    pub(super) fn seal_all(&self) -> Result<()> {
        let core = &*self.core;
        core.flush()?;
        let (view, sequence) = core.current();
        let mut writer = core.writer.lock();
        let memory = view.memory().map(|memtable| &**memtable);
        let prepared =
            writer.prepare_checkpoint(&*core.storage, &core.options, memory, sequence, false)?;
        // Readers move to the new view only once it is durable, so the switch works on a copy.
        let mut next = Published { view, sequence, catalog: core.catalog() };
        writer.install(&*core.storage, prepared, &mut next).map_err(|error| core.poison(error))?;
        core.republish(|published, _| *published = next);
        Ok(())
    }
}

impl Core {
    /// Seals what a cut has frozen, beside commits, and drops the WAL it came from. Only
    /// maintenance creates segments.
    fn seal_frozen(&self) -> Result<()> {
        let (view, _) = self.current();
        let Some(Frozen { memtable, cut }) = view.frozen() else { return Ok(()) };
        let storage = &*self.storage;
        let first = self.writer.lock().next_segment_id;
        let mut next = first;
        let sealed = seal_segments(storage, &self.options, [&**memtable], *cut, &mut next);
        let mut writer = self.writer.lock();
        writer.next_segment_id = next;
        let prepared = sealed.and_then(|sealed| {
            let mut manifest = writer.manifest.clone();
            let segments = name_segments(&mut manifest, sealed, *cut);
            let trailer = &mut manifest.trailer;
            let live = trailer.wals.split_off(trailer.wals.len().saturating_sub(1));
            let obsolete = std::mem::replace(&mut trailer.wals, live);
            Ok((segments, obsolete, writer.prepare(storage, manifest)?))
        });
        if prepared.is_err() {
            abandon_segments(storage, first..next);
        }
        let (segments, obsolete, prepared) = prepared?;
        writer.switch(self, prepared)?;
        self.republish(|published, _| published.view = Arc::new(published.view.sealed(segments)));
        remove_wals(storage, obsolete);
        Ok(())
    }
}

/// Segments that were written and synced, and are open.
type SealedSegments = Vec<(Sealed, Arc<Segment>)>;

/// Seals what is in memory, older commits first, up to `cut`.
fn seal_segments<'a>(
    storage: &dyn Storage,
    options: &Options,
    memory: impl IntoIterator<Item = &'a (impl Newest + 'a)>,
    cut: u64,
    next_id: &mut u64,
) -> Result<SealedSegments> {
    let mut segments = Vec::new();
    for part in memory {
        for sealed in seal(storage, part, next_id, options.max_segment)? {
            let segment = Arc::new(Segment::open_sealed(storage, &sealed, cut)?);
            segments.push((sealed, segment));
        }
    }
    if !segments.is_empty() {
        sync_sidecars(storage);
    }
    Ok(segments)
}

fn name_segments(manifest: &mut Manifest, sealed: SealedSegments, cut: u64) -> Vec<Arc<Segment>> {
    manifest.last_checkpoint = Some(cut);
    let name = |(sealed, segment): (Sealed, Arc<Segment>)| {
        manifest.trailer.segments.insert(sealed.id, sealed.info);
        segment
    };
    sealed.into_iter().map(name).collect()
}

/// Removes segments that no MANIFEST names. What stays behind is harmless.
fn abandon_segments(storage: &dyn Storage, numbers: std::ops::Range<u64>) {
    for id in numbers {
        let _ = storage.remove(&names::segment_path(id));
        let _ = storage.remove(&names::sidecar_path(id));
    }
}

/// Removes WALs that MANIFEST names no more. An unlisted file is harmless, and swept in the next
/// life.
fn remove_wals(storage: &dyn Storage, generations: impl IntoIterator<Item = u32>) {
    for generation in generations {
        let _ = storage.remove(&names::wal(generation));
    }
}

impl Writer {
    /// Seals `memory`, creates the next WAL if `live`, and writes the MANIFEST that names them.
    ///
    /// # Errors
    /// The medium's. Nothing happened then: what was written is abandoned.
    pub(super) fn prepare_checkpoint<'a>(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        memory: impl IntoIterator<Item = &'a (impl Newest + 'a)>,
        cut: u64,
        live: bool,
    ) -> Result<Prepared> {
        self.or_abandon(storage, |writer| {
            writer.write_checkpoint(storage, options, memory, cut, live)
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
            abandon_segments(storage, segment..self.next_segment_id);
            remove_wals(storage, generation..self.next_generation);
        }
        created
    }

    fn write_checkpoint<'a>(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        memory: impl IntoIterator<Item = &'a (impl Newest + 'a)>,
        cut: u64,
        live: bool,
    ) -> Result<Prepared> {
        let sealed = seal_segments(storage, options, memory, cut, &mut self.next_segment_id)?;
        let mut manifest = self.manifest.clone();
        let segments = name_segments(&mut manifest, sealed, cut);
        let wal = if live { Some(self.create_wal(storage, options, cut)?) } else { None };
        manifest.trailer.wals = wal.iter().map(Wal::generation).collect();
        Ok(Prepared { manifest: self.prepare(storage, manifest)?, segments, wal })
    }

    /// Writes the next MANIFEST, with the numbers handed out so far, beside the current one.
    ///
    /// # Errors
    /// `TooLarge`; the medium's. Nothing happened then.
    pub(super) fn prepare(&self, storage: &dyn Storage, mut next: Manifest) -> Result<Manifest> {
        // Never handed out again once MANIFEST says so.
        next.trailer.next_segment_id = self.next_segment_id;
        next.trailer.next_generation = self.next_generation;
        publish::prepare(storage, &next)?;
        Ok(next)
    }

    /// Makes the prepared MANIFEST the current one.
    ///
    /// # Errors
    /// `InDoubt`: which MANIFEST is current is unknown, and the handle is poisoned.
    pub(super) fn switch(&mut self, core: &Core, prepared: Manifest) -> Result<()> {
        publish::switch(&*core.storage).map_err(|error| core.poison(error))?;
        self.manifest = prepared;
        self.sweep_once(&*core.storage);
        Ok(())
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
        let segments = published.view.segments().iter().cloned().chain(prepared.segments);
        published.view = Arc::new(View::new(segments.collect()));
        published.sequence = self.manifest.last_checkpoint.unwrap_or(0);
        remove_wals(storage, obsolete);
        self.sweep_once(storage);
        Ok(prepared.wal)
    }

    /// Whether one more WAL can be created.
    pub(super) fn has_wal_number(&self) -> bool {
        self.next_generation < u32::MAX
    }

    pub(super) fn create_wal(
        &mut self,
        storage: &dyn Storage,
        options: &Options,
        cut: u64,
    ) -> Result<Wal> {
        let generation = self.next_generation;
        if !self.has_wal_number() {
            let what = "all WAL numbers are used up; copy the store into a new one".into();
            return Err(Error::Invalid { what });
        }
        self.next_generation += 1;
        Wal::create(storage, generation, cut, options.wal_reserve)
    }

    /// Removes what earlier lives left behind, after this life's first publication.
    pub(super) fn sweep_once(&mut self, storage: &dyn Storage) {
        if !std::mem::replace(&mut self.swept, true) {
            // What cannot be listed or removed is harmless, and tried again in the next life.
            let _ = files::sweep(storage, &self.manifest);
        }
    }
}
