//! Which files are there, and which of them belong.

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::Manifest;
use crate::format::names;
use crate::storage::{ROOT, Storage};

/// The engine's own files in a store's directory; foreign names are ignored.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) manifest: bool,
    pub(super) legacy_wal: bool,
    pub(super) wals: Vec<u32>,
    pub(super) segments_dir: bool,
    pub(super) segments: Vec<u64>,
    /// The segments whose sidecars these are.
    pub(super) sidecars: Vec<u64>,
    pub(super) temporaries: Vec<String>,
}

impl Present {
    pub(super) fn list(storage: &dyn Storage) -> Result<Self> {
        let mut present = Self::default();
        let mut has_index = false;
        for name in storage.list(ROOT).at("list directory", ROOT)? {
            match name.as_str() {
                names::MANIFEST => present.manifest = true,
                names::LEGACY_WAL => present.legacy_wal = true,
                names::SEGMENTS => present.segments_dir = true,
                names::INDEX => has_index = true,
                _ if names::is_temporary(&name) => present.temporaries.push(name),
                _ => present.wals.extend(names::parse_wal(&name)),
            }
        }
        if present.segments_dir {
            let listed = storage.list(names::SEGMENTS).at("list directory", names::SEGMENTS)?;
            present.segments =
                listed.iter().filter_map(|name| names::parse_segment(name)).collect();
        }
        if has_index && let Ok(listed) = storage.list(names::INDEX) {
            // Nothing here is needed: what cannot be listed is not there.
            present.sidecars =
                listed.iter().filter_map(|name| names::parse_sidecar(name)).collect();
        }
        Ok(present)
    }

    /// A segment number above every one listed, reserved or present.
    pub(super) fn next_segment_id(&self, manifest: &Manifest) -> u64 {
        let above = self.segments.iter().map(|id| id.saturating_add(1)).max().unwrap_or(0);
        above.max(manifest.trailer.next_segment_id)
    }

    /// A WAL number above every one listed, reserved or present.
    pub(super) fn next_generation(&self, manifest: &Manifest) -> u32 {
        let above = self.wals.iter().map(|number| number.saturating_add(1)).max().unwrap_or(0);
        above.max(manifest.trailer.next_generation)
    }

    /// Decides whether a directory without MANIFEST is one where creation never finished.
    pub(super) fn require_unborn(&self, storage: &dyn Storage) -> Result<()> {
        let lost = |file: String| {
            let what = "MANIFEST is missing beside this file";
            Err(Error::corrupt(file, 0_u64, what))
        };
        if let Some(generation) = self.wals.first() {
            return lost(names::wal(*generation));
        }
        self.require_empty_legacy_wal(storage)?;
        match self.segments.first() {
            Some(id) => lost(names::segment_path(*id)),
            None => Ok(()),
        }
    }

    /// This engine never writes to `wal.log`: content there is commits that `EntiDB` took, before
    /// this engine came or after it closed, and that nothing here would show.
    pub(super) fn require_empty_legacy_wal(&self, storage: &dyn Storage) -> Result<()> {
        if !self.legacy_wal {
            return Ok(());
        }
        let file = storage.open(names::LEGACY_WAL).at("open", names::LEGACY_WAL)?;
        if file.is_empty().at("read length", names::LEGACY_WAL)? {
            return Ok(());
        }
        let what = "EntiDB's version-1 log holds commits";
        Err(Error::Foreign { file: names::LEGACY_WAL.into(), what })
    }
}

/// Removes the engine's own files that MANIFEST does not list. Only after a publication of this
/// life was made durable: until then an older MANIFEST may come back and need them.
///
/// A file that cannot be removed is harmless and tried again in the next life.
pub(super) fn sweep(storage: &dyn Storage, manifest: &Manifest) -> Result<()> {
    let present = Present::list(storage)?;
    let trailer = &manifest.trailer;
    let wals = present.wals.iter().filter(|wal| !trailer.wals.contains(wal));
    let segments = present.segments.iter().filter(|id| !trailer.segments.contains_key(id));
    let sidecars = present.sidecars.iter().filter(|id| !trailer.segments.contains_key(id));
    let unlisted = wals
        .map(|wal| names::wal(*wal))
        .chain(segments.map(|id| names::segment_path(*id)))
        .chain(sidecars.map(|id| names::sidecar_path(*id)))
        .chain(present.temporaries.iter().cloned());
    for name in unlisted {
        let _ = storage.remove(&name);
    }
    Ok(())
}
