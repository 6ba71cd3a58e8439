//! Writes segments.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::segment::{OVERHEAD, Record, encode};
use crate::memtable::Memtable;
use crate::storage::{File, Storage, SyncKind};

/// A segment holds no more records than this, however small they are: making its sidecar takes
/// some 24 bytes of memory for each.
const RECORDS_MAX: u64 = 1 << 19;

/// Records are gathered to this many bytes before a write.
const WRITE_LEN: usize = 1 << 20;

/// A segment on its way: synced, its name not yet.
pub(crate) struct Sealed {
    pub(crate) id: u64,
    pub(crate) info: SegmentInfo,
}

/// Writes the newest version of every key into new segments, each sealed before it would exceed
/// `max_len` bytes, and syncs them and their directory. Numbers are taken from `next_id`, which
/// moves on even if this fails: a number is never used twice, and the caller removes the files.
///
/// A version that only a live snapshot needs stays where that snapshot finds it: in the memtable
/// the snapshot holds. Tombstones are always written, they hide versions in older segments.
///
/// # Errors
/// The medium's; `Invalid` when segment numbers are used up.
pub(crate) fn seal(
    storage: &dyn Storage,
    memtable: &Memtable,
    next_id: &mut u64,
    max_len: u64,
) -> Result<Vec<Sealed>> {
    let mut sealed = Vec::new();
    let mut open: Option<Writer> = None;
    memtable.try_for_each_newest(|key, version| {
        let payload = version.content.as_deref();
        let len = (OVERHEAD + payload.map_or(0, <[u8]>::len)) as u64;
        if let Some(full) = open.take_if(|writer| writer.is_full(len, max_len)) {
            sealed.push(full.finish()?);
        }
        let writer = if let Some(writer) = &mut open {
            writer
        } else {
            let id = *next_id;
            *next_id = id.checked_add(1).ok_or_else(|| Error::Invalid {
                what: "all segment numbers are used up; copy the store into a new one".into(),
            })?;
            open.insert(Writer::create(storage, id)?)
        };
        writer.push(&Record {
            collection: key.collection,
            entity: key.entity,
            sequence: version.sequence,
            payload,
        })
    })?;
    if let Some(last) = open {
        sealed.push(last.finish()?);
    }
    if !sealed.is_empty() {
        storage.sync_dir(names::SEGMENTS).at("sync directory", names::SEGMENTS)?;
    }
    Ok(sealed)
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
