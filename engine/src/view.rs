//! What a reader sees: one memtable over a list of segments, as of one sequence.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ids::Key;
use crate::memtable::{Memtable, Version};
use crate::merge::{Merge, Versions, of_memtable, of_segment};
use crate::range::{Direction, KeyRange};
use crate::segment::Segment;

/// A sequence no commit has: as of it, the newest version counts.
const NEWEST: u64 = u64::MAX;

/// The places versions live in. A checkpoint makes a new view; readers keep the one they have,
/// with its memtable and files, for as long as they need it.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) memtable: Arc<Memtable>,
    /// Those with the newest records first: reads find most keys early.
    segments: Vec<Arc<Segment>>,
}

impl View {
    pub(crate) fn new(mut segments: Vec<Arc<Segment>>) -> Self {
        segments.sort_by_key(|segment| {
            std::cmp::Reverse(segment.header().map_or(u64::MAX, |header| header.max_sequence))
        });
        Self { memtable: Arc::default(), segments }
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The newest content of a key. Memtable and segments hold committed versions only. One key
    /// needs no [`Reading`](crate::readers::Reading): the newest version is never dropped.
    pub(crate) fn newest(&self, key: &Key) -> Result<Option<Bytes>> {
        self.get(key, NEWEST)
    }

    /// The content of a key as of `sequence`. The highest commit sequence dominates; everything
    /// in the memtable is above everything in its view's segments.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Result<Option<Bytes>> {
        if let Some(version) = self.memtable.get(key, sequence) {
            return Ok(version.content);
        }
        let mut newest = Version { sequence: 0, content: None };
        for segment in &self.segments {
            if let Some(version) = segment.get_above(key, newest.sequence)? {
                newest = version;
            }
        }
        Ok(newest.content)
    }

    /// All versions that count as of `sequence`, in key order, `own` above all others.
    ///
    /// # Errors
    /// `Corrupt` if what must be read to find the first ones does not verify.
    pub(crate) fn walk(
        &self,
        sequence: u64,
        own: &[(Key, Version)],
        range: KeyRange,
        direction: Direction,
    ) -> Result<Merge> {
        let mut own = own.to_vec();
        if direction == Direction::Down {
            own.reverse();
        }
        let own: Versions = Box::new(own.into_iter().map(Ok));
        let memory = of_memtable(&self.memtable, sequence, range, direction);
        let segments = self.segments.iter().filter(|segment| segment.may_hold(&range));
        let segments = segments.map(|segment| of_segment(segment, range, direction));
        Merge::new(direction, [Ok(own), Ok(memory)].into_iter().chain(segments))
    }
}
