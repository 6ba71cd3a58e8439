//! Reads segments.

use std::ops::{Bound, Range};
use std::sync::OnceLock;

use bytes::Bytes;

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::{Manifest, SegmentInfo};
use crate::format::names;
use crate::format::segment::{HEADER_LEN, NoRecord, stored_crc, verified};
use crate::format::sidecar::{Damaged, Header, Sidecar};
use crate::ids::Key;
use crate::memtable::Version;
use crate::range::{KeyRange, is_below, is_within};
use crate::storage::Storage;

use super::cursor::Forward;
use super::shared::Shared;
use super::writer::Sealed;

/// A sealed segment. Its records are mapped, and each is checked whenever it is read.
#[derive(Debug)]
pub(crate) struct Segment {
    id: u64,
    name: String,
    info: SegmentInfo,
    /// No record is of a later commit.
    last_checkpoint: u64,
    /// Whether a newer version of the format wrote it: then records of unknown types are passed
    /// over.
    is_newer: bool,
    data: Bytes,
    /// The same bytes, to be handed out.
    shared: Shared,
    /// The sidecar that was found on the medium.
    stored: Option<Sidecar>,
    /// The sidecar that was made because the stored one is missing or damaged.
    rebuilt: OnceLock<Sidecar>,
}

/// A record that verified.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: Key,
    pub(crate) sequence: u64,
    pub(crate) crc: u32,
    /// Bytes of the whole record.
    pub(crate) len: usize,
    content: Content,
}

/// What a record says of its entity.
#[derive(Debug, Clone)]
enum Content {
    /// Its content is there in the segment.
    At(Range<usize>),
    Deleted,
    /// Nothing that this version of the format understands: neither content nor deletion.
    Unknown,
}

impl Found {
    pub(super) fn is_tombstone(&self) -> bool {
        matches!(self.content, Content::Deleted)
    }
}

/// What stopped a question to a sidecar.
enum Fault {
    Sidecar(Damaged),
    Segment(Error),
}

impl From<Damaged> for Fault {
    fn from(damaged: Damaged) -> Self {
        Self::Sidecar(damaged)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Segment(error)
    }
}

impl Segment {
    /// Opens a segment, at a cost that does not depend on its length: checks that length, and that
    /// its sidecar, if there is one, knows of no record newer than the last checkpoint.
    ///
    /// # Errors
    /// `Corrupt` for any difference.
    pub(crate) fn open(
        storage: &dyn Storage,
        manifest: &Manifest,
        id: u64,
        info: &SegmentInfo,
    ) -> Result<Self> {
        let last_checkpoint = manifest.last_checkpoint.unwrap_or(0);
        let mut segment = Self::map(storage, id, info, last_checkpoint)?;
        segment.is_newer = manifest.newer.is_some();
        segment.stored = Sidecar::open(storage, id, info);
        if let Some(header) = segment.header() {
            segment.check_sequence(0, header.min_sequence)?;
            segment.check_sequence(0, header.max_sequence)?;
        }
        Ok(segment)
    }

    /// Opens a segment that was just written: reads it back, checks all of it and makes its
    /// sidecar.
    ///
    /// # Errors
    /// `Corrupt` if it is not what was written; the medium's.
    pub(crate) fn open_sealed(storage: &dyn Storage, sealed: &Sealed, cut: u64) -> Result<Self> {
        let mut segment = Self::map(storage, sealed.id, &sealed.info, cut)?;
        segment.stored = Some(segment.stored_or_kept(storage, segment.build_sidecar()?));
        Ok(segment)
    }

    fn map(
        storage: &dyn Storage,
        id: u64,
        info: &SegmentInfo,
        last_checkpoint: u64,
    ) -> Result<Self> {
        let name = names::segment_path(id);
        let file = match storage.open(&name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let what = "MANIFEST lists this segment: it is missing";
                return Err(Error::corrupt(name, 0_u64, what));
            }
            opened => opened.at("open segment", &name)?,
        };
        let len = file.len().at("read length of segment", &name)?;
        if len != info.len {
            let what = format!("the file has {len} bytes where MANIFEST says {}", info.len);
            return Err(Error::corrupt(name, len.min(info.len), what));
        }
        let data = file.view(0..len).at("read segment", &name)?;
        let (info, shared, rebuilt) = (*info, Shared::new(&data), OnceLock::new());
        let (is_newer, stored) = (false, None);
        Ok(Self { id, name, info, last_checkpoint, is_newer, data, shared, stored, rebuilt })
    }

    /// Where there is no sidecar to tell: checks that no record, up to the first that is damaged, is
    /// of a later commit than MANIFEST knows of. The next MANIFEST would make that look right.
    ///
    /// # Errors
    /// `Corrupt` for such a record.
    pub(crate) fn require_known_commits(&self) -> Result<()> {
        let mut at = if self.stored.is_some() { self.len() } else { 0 };
        while let Some(rest) = self.data.get(at..)
            && let Ok((record, len)) = verified(rest)
        {
            self.check_sequence(at, record.sequence)?;
            at += len;
        }
        Ok(())
    }

    /// Makes the sidecar if there is none, and answers whether it did. A segment that is damaged
    /// itself is left to whoever reads it.
    pub(crate) fn mend(&self, storage: &dyn Storage) -> bool {
        if self.stored.is_some() {
            return false;
        }
        let Ok(built) = self.build_sidecar() else { return false };
        self.rebuilt.get_or_init(|| self.stored_or_kept(storage, built));
        true
    }

    /// Makes the sidecar anew, puts it in place of the stored one and answers whether that
    /// worked. Reads that found the stored one damaged have theirs in memory already.
    pub(crate) fn replace_sidecar(&self, storage: &dyn Storage) -> bool {
        let Ok(built) = self.build_sidecar() else { return false };
        let stored = built.store(storage, self.id);
        let is_stored = stored.is_ok();
        self.rebuilt.get_or_init(|| stored.unwrap_or(built));
        is_stored
    }

    /// Writes a sidecar to the medium. If that fails it stays in memory: it is never needed.
    fn stored_or_kept(&self, storage: &dyn Storage, sidecar: Sidecar) -> Sidecar {
        sidecar.store(storage, self.id).unwrap_or(sidecar)
    }

    /// Reads and checks all of it against what MANIFEST says, and answers the number of records.
    ///
    /// # Errors
    /// `Corrupt` for any difference.
    pub(crate) fn verify(&self) -> Result<u64> {
        let mut walk = Forward::whole();
        while walk.read(self)?.is_some() {}
        Ok(self.info.records)
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// What the sidecar knows of the whole segment, made anew if there is none.
    ///
    /// # Errors
    /// `Corrupt` if it must be made and the segment does not verify.
    pub(crate) fn facts(&self) -> Result<Header> {
        self.consult(|sidecar| Ok(*sidecar.header()))
    }

    /// What MANIFEST says of it.
    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// What is known of the segment without reading it; nothing while it has no sidecar.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.rebuilt.get().or(self.stored.as_ref()).map(Sidecar::header)
    }

    /// Whether a key of the range may be in it.
    pub(crate) fn may_hold(&self, (low, high): &KeyRange) -> bool {
        self.header().is_none_or(|header| {
            !is_below(&header.last, low.as_ref()) && is_within(&header.first, high.as_ref())
        })
    }

    /// The version of a key if it is of a later commit than `sequence`, without copying its
    /// content.
    ///
    /// # Errors
    /// `Corrupt` if a record does not verify.
    pub(crate) fn get_above(&self, key: &Key, sequence: u64) -> Result<Option<Version>> {
        if let Some(header) = self.header()
            && (header.max_sequence <= sequence || *key < header.first || *key > header.last)
        {
            return Ok(None);
        }
        let found = self.consult(|sidecar| {
            for slot in sidecar.candidates(key, &self.data) {
                let slot = slot?;
                let at = slot.offset as usize;
                let found = self.record(at)?;
                // The low bits tell a record from any other that may have come in its place.
                if found.crc & 0xffff != slot.crc_bits.into() {
                    return Err(self.corrupt(at, "not the record that was sealed here").into());
                }
                if found.key == *key {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })?;
        let newer = found.filter(|found| found.sequence > sequence);
        Ok(newer.and_then(|found| self.version(&found)))
    }

    /// The version that a record of this segment is, without copying its content; `None` if its
    /// type is unknown.
    pub(crate) fn version(&self, found: &Found) -> Option<Version> {
        let content = match &found.content {
            Content::At(range) => Some(self.shared.slice(range.clone())),
            Content::Deleted => None,
            Content::Unknown => return None,
        };
        Some(Version { sequence: found.sequence, content })
    }

    /// The record at an offset.
    ///
    /// # Errors
    /// `Corrupt` if none is there that verifies.
    pub(super) fn record(&self, at: usize) -> Result<Found> {
        let rest = self.data.get(at..).unwrap_or_default();
        let damaged = |why: NoRecord| self.corrupt(at, why.to_string());
        let (record, len) = verified(rest).map_err(damaged)?;
        self.check_sequence(at, record.sequence)?;
        let content = if self.is_newer && !record.is_known() {
            Content::Unknown
        } else {
            let start = at + HEADER_LEN;
            let content = record.content().map_err(damaged)?;
            content.map_or(Content::Deleted, |it| Content::At(start..start + it.len()))
        };
        Ok(Found {
            key: Key { collection: record.collection, entity: record.entity },
            sequence: record.sequence,
            crc: stored_crc(&rest[..len]),
            len,
            content,
        })
    }

    fn check_sequence(&self, at: usize, sequence: u64) -> Result<()> {
        if (1..=self.last_checkpoint).contains(&sequence) {
            return Ok(());
        }
        let last = self.last_checkpoint;
        let what = format!("record of sequence {sequence} where the last checkpoint is {last}");
        Err(self.corrupt(at, what))
    }

    /// The offset of the first record that is not below the bound; the segment's length if there
    /// is none.
    ///
    /// # Errors
    /// `Corrupt` if a record on the way does not verify.
    pub(super) fn seek(&self, low: Bound<&Key>) -> Result<usize> {
        let below = |key: &Key| is_below(key, low);
        if self.header().is_some_and(|header| !below(&header.first)) {
            return Ok(0);
        }
        let mut at = match self.count_groups(below)? {
            0 => 0,
            groups => self.group(groups - 1)?,
        };
        while at < self.len() {
            let found = self.record(at)?;
            if !below(&found.key) {
                break;
            }
            at += found.len;
        }
        Ok(at)
    }

    /// How many groups of records begin within the upper bound.
    pub(super) fn groups_within(&self, high: Bound<&Key>) -> Result<usize> {
        self.count_groups(|key| is_within(key, high))
    }

    /// The offset at which a group of records begins; the segment's length after the last one.
    pub(super) fn group(&self, at: usize) -> Result<usize> {
        self.consult(|sidecar| {
            if at >= sidecar.fences() { Ok(self.len()) } else { Ok(sidecar.fence(at)? as usize) }
        })
    }

    /// How many groups begin with a key for which `holds`, which must hold for the lowest keys.
    fn count_groups(&self, holds: impl Fn(&Key) -> bool) -> Result<usize> {
        self.consult(|sidecar| {
            let (mut low, mut high) = (0, sidecar.fences());
            while low < high {
                let middle = low.midpoint(high);
                let first = self.record(sidecar.fence(middle)? as usize)?;
                if holds(&first.key) { low = middle + 1 } else { high = middle }
            }
            Ok(low)
        })
    }

    /// Asks the sidecar, and if it is missing or turns out damaged, one made anew in memory.
    fn consult<T>(&self, ask: impl Fn(&Sidecar) -> Result<T, Fault>) -> Result<T> {
        if self.rebuilt.get().is_none()
            && let Some(stored) = &self.stored
        {
            match ask(stored) {
                Ok(answer) => return Ok(answer),
                Err(Fault::Segment(error)) => return Err(error),
                Err(Fault::Sidecar(_)) => {}
            }
        }
        let rebuilt = if let Some(rebuilt) = self.rebuilt.get() {
            rebuilt
        } else {
            let built = self.build_sidecar()?;
            self.rebuilt.get_or_init(|| built)
        };
        ask(rebuilt).map_err(|fault| match fault {
            Fault::Segment(error) => error,
            // Made from this very segment and never written: memory itself failed.
            Fault::Sidecar(Damaged { block }) => {
                let what = format!("block {block} of the sidecar in memory does not verify");
                self.corrupt(0, what)
            }
        })
    }

    pub(super) fn corrupt(&self, at: usize, what: impl Into<String>) -> Error {
        Error::corrupt(&self.name, at as u64, what)
    }
}
