//! What a reader sees: one memtable over a list of segments, as of one sequence.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ids::{CollectionId, EntityId, Key};
use crate::memtable::{Memtable, Version};
use crate::readers::Reading;
use crate::segment::Segment;

/// Memtable entries are copied out this many at a time, so that a scan of any length holds the
/// memtable's lock briefly and little memory.
const CHUNK: usize = 256;

/// A sequence no commit has: as of it, the newest version counts.
const NEWEST: u64 = u64::MAX;

/// The places versions live in. A checkpoint makes a new view; readers keep the one they have,
/// with its memtable and files, for as long as they need it.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) memtable: Arc<Memtable>,
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl View {
    /// The newest content of a key. Memtable and segments hold committed versions only. One key
    /// needs no [`Reading`]: the newest version is never dropped.
    pub(crate) fn newest(&self, key: &Key) -> Result<Option<Bytes>> {
        self.get(key, NEWEST)
    }

    /// The content of a key as of `sequence`. The highest commit sequence dominates; everything
    /// in the memtable is above everything in its view's segments.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Result<Option<Bytes>> {
        if let Some(version) = self.memtable.get(key, sequence) {
            return Ok(version.content);
        }
        let mut newest: Option<Version> = None;
        for segment in &self.segments {
            if let Some(version) = segment.get(key)?
                && newest.as_ref().is_none_or(|other| other.sequence < version.sequence)
            {
                newest = Some(version);
            }
        }
        Ok(newest.and_then(|version| version.content))
    }
}

/// Iterates over one collection in identity order.
///
/// Yields an error, once, if stored bytes turn out damaged, and ends there.
pub struct Scan {
    /// Held to the end: later chunks of the memtable are read as of the same sequence.
    reading: Arc<Reading>,
    collection: CollectionId,
    memtable: MemtableCursor,
    /// Per segment, the position of its next record.
    positions: Vec<usize>,
    failed: bool,
}

struct MemtableCursor {
    chunk: std::vec::IntoIter<(Key, Version)>,
    next: Option<(Key, Version)>,
    /// Where the chunk after this one begins; `None` when there is none.
    resume: Option<Bound<Key>>,
}

impl Scan {
    pub(crate) fn new(reading: Arc<Reading>, collection: CollectionId) -> Self {
        let first = Key { collection, entity: EntityId::new([0; 16]) };
        let segments = reading.view.segments.iter();
        let positions = segments.map(|segment| segment.lower_bound(&first)).collect();
        let memtable = MemtableCursor {
            chunk: Vec::new().into_iter(),
            next: None,
            resume: Some(Bound::Included(first)),
        };
        let mut scan = Self { reading, collection, memtable, positions, failed: false };
        scan.advance_memtable();
        scan
    }

    fn advance_memtable(&mut self) {
        let cursor = &mut self.memtable;
        cursor.next = cursor.chunk.next();
        if cursor.next.is_some() {
            return;
        }
        let Some(from) = cursor.resume.take() else { return };
        let last = Key { collection: self.collection, entity: EntityId::new([0xff; 16]) };
        if matches!(from, Bound::Excluded(key) if key == last) {
            return;
        }
        let bounds = (from, Bound::Included(last));
        let chunk = self.reading.view.memtable.range(bounds, self.reading.sequence, CHUNK);
        if chunk.len() == CHUNK {
            cursor.resume = chunk.last().map(|(key, _)| Bound::Excluded(*key));
        }
        cursor.chunk = chunk.into_iter();
        cursor.next = cursor.chunk.next();
    }

    /// The key of segment `at`'s next record, if it is of this collection.
    fn segment_key(&self, at: usize) -> Option<Key> {
        let key = self.reading.view.segments[at].key(self.positions[at])?;
        (key.collection == self.collection).then_some(key)
    }

    /// The next key with its winning version, a tombstone included.
    fn next_version(&mut self) -> Result<Option<(Key, Version)>> {
        let in_segments = (0..self.positions.len()).filter_map(|at| self.segment_key(at));
        let in_memtable = self.memtable.next.as_ref().map(|(key, _)| *key);
        let Some(key) = in_segments.chain(in_memtable).min() else { return Ok(None) };
        let mut winner: Option<Version> = None;
        for at in 0..self.positions.len() {
            if self.segment_key(at) != Some(key) {
                continue;
            }
            let version = self.reading.view.segments[at].read(self.positions[at])?;
            self.positions[at] += 1;
            if winner.as_ref().is_none_or(|other| other.sequence < version.sequence) {
                winner = Some(version);
            }
        }
        if let Some((_, version)) = self.memtable.next.take_if(|(other, _)| *other == key) {
            winner = Some(version);
            self.advance_memtable();
        }
        Ok(winner.map(|version| (key, version)))
    }
}

impl Iterator for Scan {
    type Item = Result<(EntityId, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match self.next_version() {
                Ok(None) => return None,
                Ok(Some((key, version))) => {
                    if let Some(content) = version.content {
                        return Some(Ok((key.entity, content)));
                    }
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
