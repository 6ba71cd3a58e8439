//! Writes segments.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::segment::{OVERHEAD, Record, encode};
use crate::ids::Key;
use crate::memtable::{Newest, Version};
use crate::storage::{File, Storage, SyncKind};

/// A segment holds no more records than this, however small they are: making its sidecar takes
/// some 24 bytes of memory for each.
pub(crate) const RECORDS_MAX: u64 = 1 << 19;

/// Records are gathered to this many bytes before a write.
const WRITE_LEN: usize = 1 << 20;

/// A segment on its way: synced, its name not yet.
pub(crate) struct Sealed {
    pub(crate) id: u64,
    pub(crate) info: SegmentInfo,
}

/// Writes records into new segments, each sealed before it would grow beyond its limits.
///
/// Their numbers are taken in order and are never used twice, whatever fails.
pub(crate) struct Sealer {
    max_len: u64,
    open: Option<Writer>,
    sealed: Vec<Sealed>,
}

impl Sealer {
    /// A sealer of segments of at most `max_len` bytes; one record always fits.
    pub(crate) fn new(max_len: u64) -> Self {
        Self { max_len, open: None, sealed: Vec::new() }
    }

    /// Appends a record; keys ascend. `number` gives the number of a new segment.
    ///
    /// # Errors
    /// The medium's, and those of `number`.
    pub(crate) fn push(
        &mut self,
        storage: &dyn Storage,
        key: &Key,
        version: &Version,
        number: impl FnOnce() -> Result<u64>,
    ) -> Result<()> {
        let payload = version.content.as_deref();
        let len = (OVERHEAD + payload.map_or(0, <[u8]>::len)) as u64;
        if self.open.as_ref().is_some_and(|writer| writer.is_full(len, self.max_len)) {
            self.seal()?;
        }
        let writer = match &mut self.open {
            Some(writer) => writer,
            None => self.open.insert(Writer::create(storage, number()?)?),
        };
        let Key { collection, entity } = *key;
        writer.push(&Record { collection, entity, sequence: version.sequence, payload })
    }

    /// Seals the segment being written, if there is one: the next record goes to a new one.
    ///
    /// # Errors
    /// The medium's.
    pub(crate) fn seal(&mut self) -> Result<()> {
        if let Some(writer) = self.open.take() {
            self.sealed.push(writer.finish()?);
        }
        Ok(())
    }

    /// The segments sealed since this was last asked.
    pub(crate) fn take_sealed(&mut self) -> Vec<Sealed> {
        std::mem::take(&mut self.sealed)
    }
}

/// Writes the newest version of every key into new segments, and syncs them and their directory.
/// Numbers are taken from `next_id`, which moves on even if this fails: a number is never used
/// twice, and the caller removes the files.
///
/// A version that only a live snapshot needs stays where that snapshot finds it: in the memtable
/// the snapshot holds. Tombstones are always written, they hide versions in older segments.
///
/// # Errors
/// The medium's; `Invalid` when segment numbers are used up.
pub(crate) fn seal(
    storage: &dyn Storage,
    memory: &impl Newest,
    next_id: &mut u64,
    max_len: u64,
) -> Result<Vec<Sealed>> {
    let mut out = Sealer::new(max_len);
    memory.try_for_each_newest(|key, version| {
        out.push(storage, key, version, || {
            let id = *next_id;
            *next_id = id.checked_add(1).ok_or_else(numbers_used_up)?;
            Ok(id)
        })
    })?;
    out.seal()?;
    let sealed = out.take_sealed();
    if !sealed.is_empty() {
        sync_names(storage)?;
    }
    Ok(sealed)
}

/// There is no number for another segment.
pub(crate) fn numbers_used_up() -> Error {
    Error::Invalid { what: "all segment numbers are used up; copy the store into a new one".into() }
}

/// Makes the names of new segments durable.
///
/// # Errors
/// The medium's.
pub(crate) fn sync_names(storage: &dyn Storage) -> Result<()> {
    storage.sync_dir(names::SEGMENTS).at("sync directory", names::SEGMENTS)
}

/// Whether two segments would fit into one.
pub(crate) fn fit_together(one: &SegmentInfo, other: &SegmentInfo, max_len: u64) -> bool {
    one.len + other.len <= max_len && one.records + other.records <= RECORDS_MAX
}

struct Writer {
    id: u64,
    name: String,
    file: Arc<dyn File>,
    info: SegmentInfo,
    digest: Sha256,
    buffer: Vec<u8>,
    written: u64,
}

impl Writer {
    fn create(storage: &dyn Storage, id: u64) -> Result<Self> {
        let name = names::segment_path(id);
        let file = storage.create(&name).at("create segment", &name)?;
        Ok(Self {
            id,
            name,
            file,
            info: SegmentInfo { len: 0, records: 0, digest: [0; 32] },
            digest: Sha256::new(),
            buffer: Vec::new(),
            written: 0,
        })
    }

    /// Whether a record of `len` bytes must go to the next segment.
    fn is_full(&self, len: u64, max_len: u64) -> bool {
        self.info.len + len > max_len || self.info.records == RECORDS_MAX
    }

    fn push(&mut self, record: &Record<'_>) -> Result<()> {
        let before = self.buffer.len();
        let crc = encode(record, &mut self.buffer);
        self.digest.update(crc.to_le_bytes());
        self.info.len += (self.buffer.len() - before) as u64;
        self.info.records += 1;
        if self.buffer.len() >= WRITE_LEN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(self.written, &self.buffer).at("write segment", &self.name)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Sealed> {
        self.flush()?;
        self.file.sync(SyncKind::Full).at("sync segment", &self.name)?;
        self.info.digest = self.digest.finalize().into();
        Ok(Sealed { id: self.id, info: self.info })
    }
}
