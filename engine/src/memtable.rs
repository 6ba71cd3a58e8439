//! Committed versions that are not in a segment yet.

use std::collections::BTreeMap;
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

/// A sorted map of versions that one writer changes while any number of readers look.
#[derive(Debug, Default)]
pub(crate) struct Memtable {
    entries: RwLock<Entries>,
    /// Set before the first version goes in. Until then, a look needs no lock.
    is_used: AtomicBool,
}

#[derive(Debug, Default)]
struct Entries {
    newest: BTreeMap<Key, Version>,
    /// Of the few keys that have some: older versions, ascending by sequence, each still needed by
    /// some snapshot.
    older: BTreeMap<Key, Vec<Version>>,
    /// The versions, by key and sequence, that are kept though this commit replaced them: what the
    /// end of a snapshot may have to drop is found without looking at anything else.
    replaced_at: BTreeMap<u64, Vec<(Key, u64)>>,
}

impl Entries {
    /// The version of a key at or before `sequence`, given the newest one.
    fn at<'a>(&'a self, key: &Key, newest: &'a Version, sequence: u64) -> Option<&'a Version> {
        if newest.sequence <= sequence {
            return Some(newest);
        }
        self.older.get(key)?.iter().rev().find(|version| version.sequence <= sequence)
    }
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.read().newest.is_empty()
    }

    /// Adds the writes of one commit. `snapshots` are the sequences of live snapshots, ascending:
    /// replaced versions that none of them needs are dropped.
    pub(crate) fn apply(
        &self,
        sequence: u64,
        writes: impl IntoIterator<Item = (Key, Option<Bytes>)>,
        snapshots: &[u64],
    ) {
        let Entries { newest, older, replaced_at } = &mut *self.entries.write();
        self.is_used.store(true, Ordering::Release);
        for (key, content) in writes {
            let Some(replaced) = newest.insert(key, Version { sequence, content }) else {
                continue;
            };
            if snapshots.is_empty() && older.is_empty() {
                continue;
            }
            let before = replaced.sequence;
            let versions = older.entry(key).or_default();
            versions.push(replaced);
            drop_unneeded(versions, sequence, snapshots);
            match versions.last() {
                Some(kept) if kept.sequence == before => {
                    replaced_at.entry(sequence).or_default().push((key, before));
                }
                Some(_) => {}
                None => drop(older.remove(&key)),
            }
        }
    }

    /// Drops versions that only snapshots as of `sequence` needed, now that the last of them is
    /// gone. `snapshots` are the sequences of the live ones, ascending. What there is to do depends
    /// on what was replaced while they lived, up to the next live snapshot: it ends after the
    /// commit with which so many versions were looked at, and answers that commit, to go on from
    /// in place of `sequence`; `None` once all is done.
    pub(crate) fn release(&self, sequence: u64, snapshots: &[u64], budget: usize) -> Option<u64> {
        let next = snapshots.get(snapshots.partition_point(|other| *other <= sequence));
        let replaced =
            (Bound::Excluded(sequence), Bound::Included(next.map_or(u64::MAX, |it| *it)));
        self.entries.read().replaced_at.range(replaced).next()?;
        let Entries { newest, older, replaced_at } = &mut *self.entries.write();
        let mut looked_at = 0;
        let chosen = replaced_at.range(replaced).map_while(|(commit, versions)| {
            let goes_on = looked_at < budget;
            looked_at += versions.len();
            goes_on.then_some(*commit)
        });
        let commits: Vec<u64> = chosen.collect();
        let last = commits.last().copied();
        for commit in commits {
            let mut kept = replaced_at.remove(&commit).unwrap_or_default();
            kept.retain(|(key, version)| {
                let Some(versions) = older.get_mut(key) else { return false };
                let successor = newest.get(key).map_or(u64::MAX, |newest| newest.sequence);
                drop_unneeded(versions, successor, snapshots);
                let is_kept = versions.iter().any(|older| older.sequence == *version);
                if versions.is_empty() {
                    older.remove(key);
                }
                is_kept
            });
            if !kept.is_empty() {
                replaced_at.insert(commit, kept);
            }
        }
        last
    }

    /// The newest version at or before `sequence`.
    pub(crate) fn get(&self, key: &Key, sequence: u64) -> Option<Version> {
        if !self.is_used.load(Ordering::Acquire) {
            return None;
        }
        let entries = self.entries.read();
        entries.at(key, entries.newest.get(key)?, sequence).cloned()
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
            .newest
            .range(range)
            .filter_map(|(key, newest)| Some((*key, entries.at(key, newest, sequence)?.clone())));
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
                let left = entries.newest.range((from, Bound::Unbounded)).take(SEALED_AT_ONCE);
                left.map(|(key, newest)| (*key, newest.clone())).collect()
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
