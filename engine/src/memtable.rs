//! Committed versions that are not in a segment yet.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::Key;
use crate::range::{Direction, KeyRange};
use crate::sync::RwLock;

/// One version of an entity: its content, or `None` for a tombstone.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) sequence: u64,
    pub(crate) content: Option<Bytes>,
}

/// The versions of one key. Nearly always there is one, so only older ones take a heap block.
#[derive(Debug)]
struct Versions {
    newest: Version,
    /// Ascending by sequence, each still needed by some snapshot.
    older: Vec<Version>,
}

impl Versions {
    fn at(&self, sequence: u64) -> Option<&Version> {
        if self.newest.sequence <= sequence {
            return Some(&self.newest);
        }
        self.older.iter().rev().find(|version| version.sequence <= sequence)
    }
}

/// A sorted map of versions that one writer changes while any number of readers look.
#[derive(Debug, Default)]
pub(crate) struct Memtable {
    entries: RwLock<BTreeMap<Key, Versions>>,
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.read().is_empty()
    }

    /// Adds the writes of one commit. `snapshots` are the sequences of live snapshots, ascending:
    /// replaced versions that none of them needs are dropped.
    pub(crate) fn apply(
        &self,
        sequence: u64,
        writes: impl IntoIterator<Item = (Key, Option<Bytes>)>,
        snapshots: &[u64],
    ) {
        let mut entries = self.entries.write();
        for (key, content) in writes {
            let version = Version { sequence, content };
            match entries.get_mut(&key) {
                None => {
                    entries.insert(key, Versions { newest: version, older: Vec::new() });
                }
                Some(versions) => {
                    let replaced = std::mem::replace(&mut versions.newest, version);
                    versions.older.push(replaced);
                    drop_unneeded(&mut versions.older, sequence, snapshots);
                }
            }
        }
    }

    /// The newest version at or before `sequence`.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Option<Version> {
        self.entries.read().get(key)?.at(sequence).cloned()
    }

    /// Up to `limit` entries within the range, each at or before `sequence`, from the end at which
    /// a walk in this direction begins.
    pub(crate) fn range(
        &self,
        range: KeyRange,
        sequence: u64,
        direction: Direction,
        limit: usize,
    ) -> Vec<(Key, Version)> {
        let entries = self.entries.read();
        let visible = entries
            .range(range)
            .filter_map(|(key, versions)| Some((*key, versions.at(sequence)?.clone())));
        match direction {
            Direction::Up => visible.take(limit).collect(),
            Direction::Down => visible.rev().take(limit).collect(),
        }
    }

    /// Calls `each` with the newest version of every key, ascending.
    pub(crate) fn try_for_each_newest<E>(
        &self,
        mut each: impl FnMut(&Key, &Version) -> Result<(), E>,
    ) -> Result<(), E> {
        self.entries.read().iter().try_for_each(|(key, versions)| each(key, &versions.newest))
    }
}

/// A version is needed by the snapshots from its own sequence up to its successor's.
fn drop_unneeded(older: &mut Vec<Version>, newest: u64, snapshots: &[u64]) {
    let mut successor = newest;
    let mut kept = older.len();
    for at in (0..older.len()).rev() {
        let own = older[at].sequence;
        let first = snapshots.partition_point(|snapshot| *snapshot < own);
        if snapshots.get(first).is_some_and(|snapshot| *snapshot < successor) {
            kept -= 1;
            older.swap(at, kept);
        }
        successor = own;
    }
    // Kept versions were moved to the end, in order: `kept..` is ascending again.
    older.drain(..kept);
}

#[cfg(test)]
mod tests;
