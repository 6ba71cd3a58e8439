//! Scans: part of a collection, in identity order, from either end.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ids::{CollectionId, EntityId, Key};
use crate::memtable::Version;
use crate::merge::Merge;
use crate::range::{Direction, KeyRange, after, is_empty};
use crate::readers::Reading;

/// Iterates over entities of one collection in identity order; from the other end as a
/// [`DoubleEndedIterator`]. It holds little memory, however much it reads.
///
/// Yields an error, once, if stored bytes turn out damaged, and ends there. A scan that reads a
/// whole sealed segment forwards checks that segment's digest, too.
pub struct Scan {
    /// Held to the end: all is read as of the same sequence.
    reading: Arc<Reading>,
    /// A transaction's own writes within the range, ascending.
    own: Vec<(Key, Version)>,
    /// What neither end has passed yet.
    range: KeyRange,
    front: Option<Merge>,
    back: Option<Merge>,
    ended: bool,
}

impl Scan {
    pub(crate) fn new(reading: Arc<Reading>, own: Vec<(Key, Version)>, range: KeyRange) -> Self {
        let ended = is_empty(&range);
        Self { reading, own, range, front: None, back: None, ended }
    }

    fn step(&mut self, direction: Direction) -> Option<Result<(EntityId, Bytes)>> {
        while !self.ended {
            match self.next_version(direction) {
                Ok(None) => self.ended = true,
                Ok(Some((key, version))) => {
                    if let Some(content) = version.content {
                        return Some(Ok((key.entity, content)));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// The next key from one end with its version, a tombstone included.
    fn next_version(&mut self, direction: Direction) -> Result<Option<(Key, Version)>> {
        let (end, other) = match direction {
            Direction::Up => (&mut self.front, &self.back),
            Direction::Down => (&mut self.back, &self.front),
        };
        let merge = match end {
            Some(merge) => merge,
            None => end.insert(self.reading.walk(&self.own, self.range, direction)?),
        };
        let next = merge.next()?;
        if let Some((key, _)) = &next {
            if other.is_some() && !self.range.contains(key) {
                // The other end has been here.
                return Ok(None);
            }
            self.range = after(self.range, *key, direction);
        }
        Ok(next)
    }
}

impl Iterator for Scan {
    type Item = Result<(EntityId, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Direction::Up)
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(Direction::Down)
    }
}

/// The keys of a range of identities in a collection.
pub(crate) fn keys(collection: CollectionId, ids: &impl RangeBounds<EntityId>) -> KeyRange {
    let key = |entity: &EntityId| Key { collection, entity: *entity };
    let end = |bound: Bound<&EntityId>, all: [u8; 16]| match bound {
        Bound::Unbounded => Bound::Included(key(&EntityId::new(all))),
        bound => bound.map(key),
    };
    (end(ids.start_bound(), [0; 16]), end(ids.end_bound(), [0xff; 16]))
}
