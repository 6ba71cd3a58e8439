//! Ranges of keys, and the direction in which they are walked.

use std::ops::Bound;

use crate::ids::Key;

/// The keys a walk covers.
pub(crate) type KeyRange = (Bound<Key>, Bound<Key>);

/// From which end a range is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the lowest key.
    Up,
    /// From the highest key.
    Down,
}

impl Direction {
    /// The other one.
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// All keys of all collections.
pub(crate) const EVERYTHING: KeyRange = (Bound::Unbounded, Bound::Unbounded);

/// Whether a key is not above an upper bound.
pub(crate) fn is_within(key: &Key, high: Bound<&Key>) -> bool {
    match high {
        Bound::Included(high) => key <= high,
        Bound::Excluded(high) => key < high,
        Bound::Unbounded => true,
    }
}

/// Whether a key is below a lower bound.
pub(crate) fn is_below(key: &Key, low: Bound<&Key>) -> bool {
    match low {
        Bound::Included(low) => key < low,
        Bound::Excluded(low) => key <= low,
        Bound::Unbounded => false,
    }
}

/// What is left of a range once a walk has passed `key`.
pub(crate) fn after((low, high): KeyRange, key: Key, direction: Direction) -> KeyRange {
    match direction {
        Direction::Up => (Bound::Excluded(key), high),
        Direction::Down => (low, Bound::Excluded(key)),
    }
}

/// Whether no key can be in a range: such a range must not be put to a sorted map.
pub(crate) fn is_empty((low, high): &KeyRange) -> bool {
    match (low, high) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (
            Bound::Included(low) | Bound::Excluded(low),
            Bound::Included(high) | Bound::Excluded(high),
        ) => low >= high,
    }
}
