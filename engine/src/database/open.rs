//! Opening: lock, MANIFEST, segments, then recovery if the last life ended uncleanly.

use std::io;
use std::sync::Arc;

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::{FORMAT, LEN_MAX, Manifest, NoManifest};
use crate::format::names::{self, LEGACY_WAL, LOCK, MANIFEST, SEGMENTS};
use crate::ids::IdSource;
use crate::options::{OpenMode, Options};
use crate::segment::{self, Segment};
use crate::storage::{LockGuard, PARENT, ROOT, Storage};
use crate::view::View;

use super::catalog::Catalog;
use super::core::{Core, Published, Writer};
use super::files::Present;
use super::log::Log;
use super::{publish, recover};

pub(super) fn open(
    storage: Arc<dyn Storage>,
    ids: Box<dyn IdSource>,
    mut options: Options,
) -> Result<Core> {
    options.check()?;
    let lock = lock(&*storage, options.mode)?;
    let mut present = Present::list(&*storage)?;
    if !present.manifest {
        present.require_unborn(&*storage)?;
        if options.mode != OpenMode::Create {
            return Err(Error::NoStore);
        }
        create(&*storage, &present)?;
        present = Present::list(&*storage)?;
    }
    let manifest = read_manifest(&*storage)?;
    present.require_empty_legacy_wal(&*storage)?;
    check_present(&manifest, &present)?;
    if manifest.newer.is_some() {
        options.mode = OpenMode::ReadOnly;
    }
    let read_only = read_only(&manifest, options.mode);
    if let (Some(why), Some(wal)) = (&read_only, manifest.trailer.wals.first()) {
        return Err(unrecovered(why, names::wal(*wal)));
    }
    let segments = open_segments(&*storage, &manifest)?;
    if options.mode != OpenMode::ReadOnly {
        // Before any publication of this life: one that raises `last_checkpoint` must not be made
        // over a segment that is ahead of it.
        segments.iter().try_for_each(|segment| segment.require_known_commits())?;
    }
    if !present.segments_dir && options.mode != OpenMode::ReadOnly {
        // Copying a store without segments may well lose the empty directory.
        storage.create_dir(SEGMENTS).at("create directory", SEGMENTS)?;
        storage.sync_dir(ROOT).at("sync directory", ROOT)?;
    }
    let mut writer = Writer {
        next_segment_id: present.next_segment_id(&manifest),
        next_generation: present.next_generation(&manifest),
        manifest,
        swept: false,
    };
    let mut published = Published {
        view: Arc::new(View::new(segments)),
        sequence: writer.manifest.last_checkpoint.unwrap_or(0),
        catalog: Arc::new(Catalog::new(writer.manifest.collections.clone())),
    };
    let wal = if writer.manifest.trailer.wals.is_empty() {
        None
    } else {
        recover::recover(&*storage, &options, &mut writer, &mut published)?
    };
    if options.mode != OpenMode::ReadOnly {
        let segments = published.view.segments().iter();
        let mended = segments.filter(|segment| segment.mend(&*storage)).count();
        if mended > 0 {
            segment::sync_sidecars(&*storage);
        }
    }
    let log = Log::new(wal, published.sequence, options.auto_checkpoint.wal_bytes());
    Ok(Core::new(storage, options, lock, writer, ids, log, published).reading_only(read_only))
}

/// Why a handle may not write, if so.
fn read_only(manifest: &Manifest, mode: OpenMode) -> Option<Error> {
    if let Some(newer) = &manifest.newer {
        let (major, ours) = FORMAT;
        let minor = newer.format_minor;
        let what = format!(
            "format {major}.{minor}, where this engine's {major}.{ours} only reads what was closed \
             cleanly"
        );
        return Some(Error::NewerVersion { file: MANIFEST.into(), what });
    }
    (mode == OpenMode::ReadOnly).then_some(Error::ReadOnly)
}

/// The refusal of a live WAL by a handle that may not write, and so not recover.
fn unrecovered(why: &Error, wal: String) -> Error {
    match why {
        Error::NewerVersion { what, .. } => {
            let what = format!("the store was not closed, and has {what}");
            Error::NewerVersion { file: wal, what }
        }
        _ => Error::NeedsRecovery { file: wal },
    }
}

fn lock(storage: &dyn Storage, mode: OpenMode) -> Result<Box<dyn LockGuard>> {
    let directory = match mode {
        OpenMode::Create => storage.create_dir(ROOT).at("create directory", ROOT),
        OpenMode::Existing | OpenMode::ReadOnly => match storage.list(ROOT) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::NoStore),
            listed => listed.map(drop).at("list directory", ROOT),
        },
    };
    match directory {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotADirectory => {
            return Err(Error::NotADirectory);
        }
        directory => directory?,
    }
    match storage.lock(LOCK) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(Error::Locked { file: LOCK }),
        locked => locked.at("lock", LOCK),
    }
}

/// Creates an empty store. MANIFEST comes last: without it there is none, and beside it every
/// other name, that of the store's own directory included, is durable already.
fn create(storage: &dyn Storage, present: &Present) -> Result<()> {
    storage.create_dir(SEGMENTS).at("create directory", SEGMENTS)?;
    if !present.legacy_wal {
        storage.create(LEGACY_WAL).at("create", LEGACY_WAL)?;
    }
    storage.sync_dir(ROOT).at("sync directory", ROOT)?;
    storage.sync_dir(PARENT).at("sync directory", PARENT)?;
    publish::prepare(storage, &Manifest::default())?;
    publish::switch(storage)
}

pub(super) fn read_manifest(storage: &dyn Storage) -> Result<Manifest> {
    let file = storage.open(MANIFEST).at("open", MANIFEST)?;
    let len = file.len().at("read length", MANIFEST)?;
    let Some(len) = usize::try_from(len).ok().filter(|len| *len <= LEN_MAX) else {
        let what = format!("{len} bytes, above the limit of {LEN_MAX}");
        return Err(Error::corrupt(MANIFEST, LEN_MAX as u64, what));
    };
    let mut bytes = vec![0; len];
    file.read_at(0, &mut bytes).at("read", MANIFEST)?;
    let manifest = Manifest::decode(&bytes).map_err(|why| {
        let file = MANIFEST.to_owned();
        match why {
            NoManifest::Corrupt { offset, what } => Error::corrupt(file, offset as u64, what),
            NoManifest::Foreign => Error::Foreign {
                file,
                what: "it ends at EntiDB's own body, without this engine's trailer",
            },
            NoManifest::Newer { .. } => Error::NewerVersion { file, what: why.to_string() },
        }
    })?;
    // Whoever only reads maintains none.
    if !manifest.indexes.is_empty() && manifest.newer.is_none() {
        let what = "defines indexes, which this version does not maintain".into();
        return Err(Error::NewerVersion { file: MANIFEST.into(), what });
    }
    Ok(manifest)
}

/// What MANIFEST says must agree with which files are there.
fn check_present(manifest: &Manifest, present: &Present) -> Result<()> {
    let trailer = &manifest.trailer;
    if !trailer.wals.is_empty() {
        return Ok(());
    }
    // The first write of a life names a WAL before any segment is created, so a newer segment
    // beside no WAL means that a later MANIFEST was lost.
    match present.segments.iter().find(|id| **id >= trailer.next_segment_id) {
        Some(id) => {
            let what = "newer than MANIFEST, which says that the store was closed cleanly";
            Err(Error::corrupt(names::segment_path(*id), 0_u64, what))
        }
        None => Ok(()),
    }
}

fn open_segments(storage: &dyn Storage, manifest: &Manifest) -> Result<Vec<Arc<Segment>>> {
    let segments = manifest.trailer.segments.iter();
    segments.map(|(id, info)| Segment::open(storage, manifest, *id, info).map(Arc::new)).collect()
}
