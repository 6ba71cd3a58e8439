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
    /// What neither end has passed yet, but for what `passed` says.
    range: KeyRange,
    /// The key that the one open end handed out last. The other end must not show it, but until
    /// there is one, nobody asks.
    passed: Option<Key>,
    front: Option<Merge>,
    back: Option<Merge>,
    ended: bool,
}

impl Scan {
    pub(crate) fn new(reading: Arc<Reading>, own: Vec<(Key, Version)>, range: KeyRange) -> Self {
        let ended = is_empty(&range);
        Self { reading, own, range, passed: None, front: None, back: None, ended }
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
        let merge = if let Some(merge) = end {
            merge
        } else {
            if let Some(key) = self.passed.take() {
                self.range = after(self.range, key, direction.reversed());
            }
            end.insert(self.reading.walk(&self.own, self.range, direction)?)
        };
        let next = merge.next()?;
        let Some((key, _)) = &next else { return Ok(None) };
        if other.is_none() {
            self.passed = Some(*key);
        } else if self.range.contains(key) {
            self.range = after(self.range, *key, direction);
        } else {
            // The other end has been here.
            return Ok(None);
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
