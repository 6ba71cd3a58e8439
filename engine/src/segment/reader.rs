//! Reads segments.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::segment::{HEADER_LEN, NoRecord, Record, decode, stored_crc};
use crate::ids::Key;
use crate::memtable::Version;
use crate::storage::Storage;

/// A sealed segment with an index of its keys.
#[derive(Debug)]
pub(crate) struct Segment {
    name: String,
    data: Bytes,
    /// Ascending by key; a key stands once.
    index: Vec<Entry>,
}

/// Where a key's record is, and the CRC it had when the whole segment was checked.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    offset: u32,
    crc: u32,
}

impl Segment {
    /// Opens a segment and checks all of it against what MANIFEST says: length, every record's
    /// CRC, order, count, digest, and that no record is newer than `last_checkpoint`.
    ///
    /// # Errors
    /// `Corrupt` for any difference.
    pub(crate) fn open(
        storage: &dyn Storage,
        id: u64,
        info: &SegmentInfo,
        last_checkpoint: u64,
    ) -> Result<Self> {
        let name = names::segment_path(id);
        let file = match storage.open(&name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::corrupt(
                    name,
                    0_u64,
                    "MANIFEST lists this segment: it is missing",
                ));
            }
            opened => opened.at("open segment", &name)?,
        };
        let len = file.len().at("read length of segment", &name)?;
        if len != info.len {
            let what = format!("the file has {len} bytes where MANIFEST says {}", info.len);
            return Err(Error::corrupt(name, len.min(info.len), what));
        }
        let data = file.view(0..len).at("read segment", &name)?;
        let mut segment = Self { name, data, index: Vec::new() };
        segment.check(info, last_checkpoint)?;
        Ok(segment)
    }

    fn check(&mut self, info: &SegmentInfo, last_checkpoint: u64) -> Result<()> {
        let mut digest = Sha256::new();
        let mut at = 0;
        while at < self.data.len() {
            let (record, len) = self.decode(at)?;
            let key = Key { collection: record.collection, entity: record.entity };
            if self.index.last().is_some_and(|last| last.key >= key) {
                return Err(self.corrupt(at, "record out of (collection, entity) order"));
            }
            if record.sequence == 0 || record.sequence > last_checkpoint {
                let what = format!(
                    "record of sequence {} where the last checkpoint is {last_checkpoint}",
                    record.sequence
                );
                return Err(self.corrupt(at, what));
            }
            let crc = stored_crc(&self.data[at..at + len]);
            digest.update(crc.to_le_bytes());
            let offset = u32::try_from(at).map_err(|_| self.corrupt(at, "segment above 4 GiB"))?;
            self.index.push(Entry { key, offset, crc });
            at += len;
        }
        if self.index.len() as u64 != info.records {
            let what = format!("{} records where MANIFEST says {}", self.index.len(), info.records);
            return Err(self.corrupt(at, what));
        }
        let digest: [u8; 32] = digest.finalize().into();
        if digest != info.digest {
            return Err(self.corrupt(0, "records are not those MANIFEST lists: digest mismatch"));
        }
        Ok(())
    }

    /// Number of records.
    pub(crate) fn records(&self) -> usize {
        self.index.len()
    }

    /// The key at a position of the index.
    pub(crate) fn key(&self, position: usize) -> Option<Key> {
        self.index.get(position).map(|entry| entry.key)
    }

    /// The first position whose key is not below `key`.
    pub(crate) fn lower_bound(&self, key: &Key) -> usize {
        self.index.partition_point(|entry| entry.key < *key)
    }

    /// The version of a key, without copying its content.
    ///
    /// # Errors
    /// `Corrupt` if the record does not verify, or is not this key's.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Version>> {
        let position = self.lower_bound(key);
        if self.key(position) == Some(*key) { self.read(position).map(Some) } else { Ok(None) }
    }

    /// The version at a position of the index: the very record that was there when the segment
    /// was opened, by its CRC, which covers key and sequence too.
    ///
    /// # Errors
    /// `Corrupt`, as [`Segment::get`].
    pub(crate) fn read(&self, position: usize) -> Result<Version> {
        let Entry { key, offset, crc } = self.index[position];
        let at = offset as usize;
        let (record, len) = self.decode(at)?;
        let found = Key { collection: record.collection, entity: record.entity };
        if found != key || stored_crc(&self.data[at..at + len]) != crc {
            return Err(self.corrupt(at, "not the record that was here at open"));
        }
        let content = record.payload.map(|payload| {
            let start = at + HEADER_LEN;
            self.data.slice(start..start + payload.len())
        });
        Ok(Version { sequence: record.sequence, content })
    }

    fn decode(&self, at: usize) -> Result<(Record<'_>, usize)> {
        decode(&self.data[at..]).map_err(|why: NoRecord| self.corrupt(at, why.to_string()))
    }

    fn corrupt(&self, at: usize, what: impl Into<String>) -> Error {
        Error::corrupt(&self.name, at as u64, what)
    }
}
