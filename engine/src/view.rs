//! What a reader sees: memory over a list of segments, as of one sequence.

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
    /// What a checkpoint is sealing: below the memtable and above the segments.
    frozen: Option<Frozen>,
    /// Those with the newest records first: reads find most keys early.
    segments: Vec<Arc<Segment>>,
}

/// Commits up to a cut, all synced, which no commit changes any more.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    pub(crate) memtable: Arc<Memtable>,
    /// The last commit in it.
    pub(crate) cut: u64,
}

impl View {
    /// These segments under an empty memtable.
    pub(crate) fn new(mut segments: Vec<Arc<Segment>>) -> Self {
        segments.sort_by_key(|segment| {
            std::cmp::Reverse(segment.header().map_or(u64::MAX, |header| header.max_sequence))
        });
        Self { memtable: Arc::default(), frozen: None, segments }
    }

    /// The same memory over these segments, which hold the same content.
    pub(crate) fn with_segments(&self, segments: Vec<Arc<Segment>>) -> Self {
        let (memtable, frozen) = (Arc::clone(&self.memtable), self.frozen.clone());
        Self { memtable, frozen, ..Self::new(segments) }
    }

    /// The same content with an empty memtable, after commit `cut`. The one before is sealed.
    pub(crate) fn cut(&self, cut: u64) -> Self {
        debug_assert!(self.frozen.is_none(), "one checkpoint at a time");
        let frozen = Some(Frozen { memtable: Arc::clone(&self.memtable), cut });
        Self { memtable: Arc::default(), frozen, segments: self.segments.clone() }
    }

    /// The same content once the frozen memtable is in these segments.
    pub(crate) fn sealed(&self, segments: Vec<Arc<Segment>>) -> Self {
        let segments = self.segments.iter().cloned().chain(segments).collect();
        Self { memtable: Arc::clone(&self.memtable), ..Self::new(segments) }
    }

    pub(crate) fn frozen(&self) -> Option<&Frozen> {
        self.frozen.as_ref()
    }

    /// What is not in segments, older commits first.
    pub(crate) fn memory(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        let frozen = self.frozen.iter().map(|frozen| &frozen.memtable);
        frozen.chain([&self.memtable])
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
    /// in the memtable is above everything frozen, and that above everything in segments.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Result<Option<Bytes>> {
        let frozen = self.frozen.as_ref().map(|frozen| &frozen.memtable);
        for memtable in [&self.memtable].into_iter().chain(frozen) {
            if let Some(version) = memtable.get(key, sequence) {
                return Ok(version.content);
            }
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
        let own = Versions::Other(Box::new(own.into_iter().map(Ok)));
        let memory = self.memory().map(|one| Ok(of_memtable(one, sequence, range, direction)));
        let segments = self.segments.iter().filter(|segment| segment.may_hold(&range));
        let segments = segments.map(|segment| of_segment(segment, range, direction));
        Merge::new(direction, [Ok(own)].into_iter().chain(memory).chain(segments))
    }
}
