//! What a transaction has written so far.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::Key;
use crate::range::{KeyRange, is_below, is_within};
use crate::wal::Write;

/// The last write of every key, in key order.
///
/// Whoever loads in that order, as a copy of a store does, only appends. The first write out of order
/// moves all of them into a tree.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Ascending; empty once there is a tree.
    run: Vec<Write>,
    tree: BTreeMap<Key, Option<Bytes>>,
}

impl Writes {
    pub(super) fn get(&self, key: &Key) -> Option<&Option<Bytes>> {
        match self.in_run(key) {
            Some(at) => self.run.get(at).map(|(_, content)| content),
            None => self.tree.get(key),
        }
    }

    /// Sets what becomes of a key, and answers how many bytes of content that replaces.
    pub(super) fn set(&mut self, key: Key, content: Option<Bytes>) -> u64 {
        if self.tree.is_empty() {
            if self.run.last().is_none_or(|(last, _)| *last < key) {
                self.run.push((key, content));
                return 0;
            }
            if let Some(at) = self.in_run(&key) {
                let replaced = std::mem::replace(&mut self.run[at].1, content);
                return len(replaced.as_ref());
            }
            self.tree = std::mem::take(&mut self.run).into_iter().collect();
        }
        len(self.tree.insert(key, content).flatten().as_ref())
    }

    /// Bytes of the content that a key is to get.
    pub(super) fn content_len(&self, key: &Key) -> u64 {
        self.get(key).map_or(0, |content| len(content.as_ref()))
    }

    /// Leaves a key as it was.
    pub(super) fn remove(&mut self, key: &Key) {
        match self.in_run(key) {
            Some(at) => drop(self.run.remove(at)),
            None => drop(self.tree.remove(key)),
        }
    }

    /// The writes within a range whose ends are the right way round.
    pub(super) fn range(&self, range: KeyRange) -> impl Iterator<Item = (&Key, &Option<Bytes>)> {
        let (low, high) = (range.0.as_ref(), range.1.as_ref());
        let run = &self.run[self.run.partition_point(|(key, _)| is_below(key, low))..];
        let run = &run[..run.partition_point(|(key, _)| is_within(key, high))];
        run.iter().map(|(key, content)| (key, content)).chain(self.tree.range(range))
    }

    pub(super) fn into_ascending(self) -> Vec<Write> {
        if self.tree.is_empty() { self.run } else { self.tree.into_iter().collect() }
    }

    fn in_run(&self, key: &Key) -> Option<usize> {
        if self.run.last().is_none_or(|(last, _)| last < key) {
            return None;
        }
        self.run.binary_search_by(|(own, _)| own.cmp(key)).ok()
    }
}

/// Bytes of a content; a deletion has none.
pub(super) fn len(content: Option<&Bytes>) -> u64 {
    content.map_or(0, Bytes::len) as u64
}

#[cfg(test)]
mod tests;
