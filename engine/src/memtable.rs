//! Committed versions that are not in a segment yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use bytes::Bytes;

use crate::ids::Key;
use crate::range::{Direction, KeyRange};
use crate::sync::{AtomicBool, Ordering, RwLock};

/// How many entities are copied while the memtable is locked for being sealed.
const SEALED_AT_ONCE: usize = 256;

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
    entries: RwLock<Entries>,
    /// Set before the first version goes in. Until then, a look needs no lock.
    is_used: AtomicBool,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: BTreeMap<Key, Versions>,
    /// The versions, by key and sequence, that are kept though this commit replaced them: what the
    /// end of a snapshot may have to drop is found without looking at anything else.
    replaced_at: BTreeMap<u64, Vec<(Key, u64)>>,
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.read().by_key.is_empty()
    }

    /// Adds the writes of one commit. `snapshots` are the sequences of live snapshots, ascending:
    /// replaced versions that none of them needs are dropped.
    pub(crate) fn apply(
        &self,
        sequence: u64,
        writes: impl IntoIterator<Item = (Key, Option<Bytes>)>,
        snapshots: &[u64],
    ) {
        let Entries { by_key, replaced_at } = &mut *self.entries.write();
        self.is_used.store(true, Ordering::Release);
        for (key, content) in writes {
            let version = Version { sequence, content };
            match by_key.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(Versions { newest: version, older: Vec::new() });
                }
                Entry::Occupied(mut entry) => {
                    let versions = entry.get_mut();
                    let replaced = std::mem::replace(&mut versions.newest, version);
                    let before = replaced.sequence;
                    versions.older.push(replaced);
                    drop_unneeded(&mut versions.older, sequence, snapshots);
                    if versions.older.last().is_some_and(|kept| kept.sequence == before) {
                        replaced_at.entry(sequence).or_default().push((key, before));
                    }
                }
            }
        }
    }

    /// Drops the versions that only snapshots as of `sequence` needed, now that the last of them
    /// is gone. `snapshots` are the sequences of the live ones, ascending. What it costs depends on
    /// what was replaced while they lived, up to the next live snapshot.
    pub(crate) fn release(&self, sequence: u64, snapshots: &[u64]) {
        let next = snapshots.get(snapshots.partition_point(|other| *other <= sequence));
        let replaced =
            (Bound::Excluded(sequence), Bound::Included(next.map_or(u64::MAX, |it| *it)));
        if self.entries.read().replaced_at.range(replaced).next().is_none() {
            return;
        }
        let Entries { by_key, replaced_at } = &mut *self.entries.write();
        let commits: Vec<u64> = replaced_at.range(replaced).map(|(commit, _)| *commit).collect();
        for commit in commits {
            let mut kept = replaced_at.remove(&commit).unwrap_or_default();
            kept.retain(|(key, version)| {
                let Some(versions) = by_key.get_mut(key) else { return false };
                drop_unneeded(&mut versions.older, versions.newest.sequence, snapshots);
                versions.older.iter().any(|older| older.sequence == *version)
            });
            if !kept.is_empty() {
                replaced_at.insert(commit, kept);
            }
        }
    }

    /// The newest version at or before `sequence`.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Option<Version> {
        if !self.is_used.load(Ordering::Acquire) {
            return None;
        }
        self.entries.read().by_key.get(key)?.at(sequence).cloned()
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
            .by_key
            .range(range)
            .filter_map(|(key, versions)| Some((*key, versions.at(sequence)?.clone())));
        match direction {
            Direction::Up => visible.take(limit).collect(),
            Direction::Down => visible.rev().take(limit).collect(),
        }
    }
}

/// What can be sealed into segments.
pub(crate) trait Newest {
    /// Calls `each` with the newest version of every key, ascending.
    ///
    /// # Errors
    /// The first one of `each`.
    fn try_for_each_newest<E>(
        &self,
        each: impl FnMut(&Key, &Version) -> Result<(), E>,
    ) -> Result<(), E>;
}

impl Newest for Memtable {
    /// Locked for moments only, though `each` may write and sync: a snapshot that is dropped
    /// meanwhile waits for the lock, and commits for it. What is sealed gets no new versions.
    fn try_for_each_newest<E>(
        &self,
        mut each: impl FnMut(&Key, &Version) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = Bound::Unbounded;
        loop {
            let newest: Vec<(Key, Version)> = {
                let entries = self.entries.read();
                let left = entries.by_key.range((from, Bound::Unbounded)).take(SEALED_AT_ONCE);
                left.map(|(key, versions)| (*key, versions.newest.clone())).collect()
            };
            let Some((last, _)) = newest.last() else { return Ok(()) };
            from = Bound::Excluded(*last);
            newest.iter().try_for_each(|(key, version)| each(key, version))?;
        }
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
