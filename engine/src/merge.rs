//! One walk in key order over all the places where versions live.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Bound;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ids::Key;
use crate::memtable::{Memtable, Version};
use crate::range::{Direction, KeyRange, after, is_below, is_within};
use crate::segment::{Backward, Forward, Found, Segment};

/// Memtable entries are copied out this many at a time, so that a walk of any length holds the
/// memtable's lock briefly and little memory.
const CHUNK: usize = 256;

/// Versions in key order, of one place.
pub(crate) enum Versions {
    /// A segment, forwards: known to the compiler, since this is where long walks spend their time.
    Ascending(Box<Ascending>),
    /// Any other.
    Other(Box<dyn Iterator<Item = Result<(Key, Version)>> + Send + Sync>),
}

impl Versions {
    fn next(&mut self) -> Option<Result<(Key, Version)>> {
        match self {
            Self::Ascending(walk) => walk.next(),
            Self::Other(walk) => walk.next(),
        }
    }
}

/// A segment's records up to a bound.
pub(crate) struct Ascending {
    segment: Arc<Segment>,
    walk: Forward,
    high: Bound<Key>,
}

impl Ascending {
    fn next(&mut self) -> Option<Result<(Key, Version)>> {
        let Self { segment, walk, high } = self;
        read(segment, || walk.read(segment), &|key: &Key| is_within(key, high.as_ref()))
    }
}

/// Merges places that are each in key order. Of several versions of a key, the one with the
/// highest sequence counts; tombstones are handed out, too.
pub(crate) struct Merge {
    /// The source whose head comes next. It is kept out of the heap: where many keys in a row come
    /// from one place, each costs one comparison.
    first: Option<Source>,
    others: BinaryHeap<Source>,
    /// What is left of the last source, once there is nothing to compare.
    alone: Option<Versions>,
    last: Option<Key>,
    /// What a source said after the version handed out last.
    failure: Option<Error>,
}

struct Source {
    direction: Direction,
    head: (Key, Version),
    rest: Versions,
}

impl Merge {
    /// A merge of these places, all of which go in `direction`.
    ///
    /// # Errors
    /// What reading their first versions turns up.
    pub(crate) fn new(
        direction: Direction,
        places: impl IntoIterator<Item = Result<Versions>>,
    ) -> Result<Self> {
        let mut others = BinaryHeap::new();
        for place in places {
            let mut rest = place?;
            if let Some(head) = rest.next().transpose()? {
                others.push(Source { direction, head, rest });
            }
        }
        Ok(Self { first: others.pop(), others, alone: None, last: None, failure: None })
    }

    /// The next key with its version.
    ///
    /// # Errors
    /// `Corrupt` if stored bytes turn out damaged.
    pub(crate) fn next(&mut self) -> Result<Option<(Key, Version)>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        while let Some(head) = self.take_head()? {
            // A key's highest sequence came first.
            if self.last.replace(head.0) != Some(head.0) {
                return Ok(Some(head));
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
        }
        Ok(None)
    }

    /// The next version of any key.
    fn take_head(&mut self) -> Result<Option<(Key, Version)>> {
        if let Some(alone) = &mut self.alone {
            return alone.next().transpose();
        }
        if self.others.is_empty()
            && let Some(Source { head, rest, .. }) = self.first.take()
        {
            self.alone = Some(rest);
            return Ok(Some(head));
        }
        let Some(first) = self.first.as_mut() else { return Ok(None) };
        match first.rest.next() {
            Some(Ok(next)) => {
                let head = std::mem::replace(&mut first.head, next);
                if let Some(mut other) = self.others.peek_mut()
                    && *other > *first
                {
                    std::mem::swap(&mut *other, first);
                }
                return Ok(Some(head));
            }
            Some(Err(error)) => self.failure = Some(error),
            None => {}
        }
        let next = self.others.pop();
        Ok(std::mem::replace(&mut self.first, next).map(|ended| ended.head))
    }
}

impl Ord for Source {
    /// The greatest comes first: the next key in the walk's direction, then the highest sequence.
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, others) = (&self.head, &other.head);
        let by_key = match self.direction {
            Direction::Up => others.0.cmp(&own.0),
            Direction::Down => own.0.cmp(&others.0),
        };
        by_key.then(own.1.sequence.cmp(&others.1.sequence))
    }
}

impl PartialOrd for Source {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Source {}

/// The records of a segment within a range.
///
/// # Errors
/// `Corrupt` if what must be read to find the first one does not verify.
pub(crate) fn of_segment(
    segment: &Arc<Segment>,
    (low, high): KeyRange,
    direction: Direction,
) -> Result<Versions> {
    let segment = Arc::clone(segment);
    Ok(match direction {
        Direction::Up => {
            let walk = Forward::from(&segment, low.as_ref())?;
            Versions::Ascending(Box::new(Ascending { segment, walk, high }))
        }
        Direction::Down => {
            let mut walk = Backward::from(&segment, high.as_ref())?;
            let within = move |key: &Key| !is_below(key, low.as_ref());
            let next = move || read(&segment, || walk.read(&segment), &within);
            Versions::Other(Box::new(std::iter::from_fn(next)))
        }
    })
}

/// The next record on its way from a segment into a merge; the first one beyond the range ends it,
/// and one of an unknown type is passed over.
fn read(
    segment: &Segment,
    mut next: impl FnMut() -> Result<Option<Found>>,
    within: &impl Fn(&Key) -> bool,
) -> Option<Result<(Key, Version)>> {
    loop {
        let found = match next().transpose()? {
            Ok(found) if within(&found.key) => found,
            Ok(_) => return None,
            Err(error) => return Some(Err(error)),
        };
        if let Some(version) = segment.version(&found) {
            return Some(Ok((found.key, version)));
        }
    }
}

/// What a memtable holds within a range as of `sequence`, read a chunk at a time.
pub(crate) fn of_memtable(
    memtable: &Arc<Memtable>,
    sequence: u64,
    range: KeyRange,
    direction: Direction,
) -> Versions {
    let memtable = Arc::clone(memtable);
    let mut unread = Some(range);
    let mut chunk = Vec::new().into_iter();
    Versions::Other(Box::new(std::iter::from_fn(move || {
        if chunk.len() == 0
            && let Some(range) = unread.take()
        {
            let read = memtable.range(range, sequence, direction, CHUNK);
            if let Some((last, _)) = read.last().filter(|_| read.len() == CHUNK) {
                unread = Some(after(range, *last, direction));
            }
            chunk = read.into_iter();
        }
        chunk.next().map(Ok)
    })))
}
