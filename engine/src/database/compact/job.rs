//! The merging of segments into new ones, step by step.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::segment::OVERHEAD;
use crate::memtable::Version;
use crate::merge::{Merge, of_segment};
use crate::range::{Direction, EVERYTHING};
use crate::segment::{RECORDS_MAX, Sealer, Segment, numbers_used_up};
use crate::storage::Storage;

use super::plan::Group;

/// A compaction under way. Nothing it wrote is named by MANIFEST yet.
pub(in crate::database) struct Job {
    /// All that is merged.
    sources: Vec<Arc<Segment>>,
    /// What is not begun yet.
    groups: std::vec::IntoIter<Group>,
    merge: Option<Merge>,
    sealer: Sealer,
    results: Vec<Arc<Segment>>,
    /// Reserved numbers; none before the first step.
    numbers: Option<Range<u64>>,
    /// The numbers of the files there are.
    created: Vec<u64>,
    /// No record of a source is of a later commit.
    last_checkpoint: u64,
    max_segment: u64,
    /// Bytes of records merged, and written.
    pub(super) merged: u64,
    pub(super) written: u64,
}

impl Job {
    pub(super) fn new(groups: Vec<Group>, last_checkpoint: u64, max_segment: u64) -> Self {
        Self {
            sources: groups.iter().flatten().cloned().collect(),
            groups: groups.into_iter(),
            merge: None,
            sealer: Sealer::new(max_segment),
            results: Vec::new(),
            numbers: None,
            created: Vec::new(),
            last_checkpoint,
            max_segment,
            merged: 0,
            written: 0,
        }
    }

    pub(super) fn sources(&self) -> &[Arc<Segment>] {
        &self.sources
    }

    pub(super) fn results(&self) -> &[Arc<Segment>] {
        &self.results
    }

    /// Bytes of all sources.
    pub(super) fn source_bytes(&self) -> u64 {
        self.sources.iter().map(|segment| segment.info().len).sum()
    }

    pub(super) fn has_numbers(&self) -> bool {
        self.numbers.is_some()
    }

    /// Takes as many numbers from `next_id` as the results can need: two neighbours are together
    /// longer than one may be, unless one of them is full by its records or ends a group.
    ///
    /// # Errors
    /// `Invalid` when segment numbers are used up.
    pub(super) fn reserve_numbers(&mut self, next_id: &mut u64) -> Result<()> {
        let records: u64 = self.sources.iter().map(|segment| segment.info().records).sum();
        let by_len = 2 * (self.source_bytes() / self.max_segment + 1);
        let most = by_len + records / RECORDS_MAX + self.sources.len() as u64;
        let first = *next_id;
        *next_id = first.checked_add(most).ok_or_else(numbers_used_up)?;
        self.numbers = Some(first..*next_id);
        Ok(())
    }

    /// Merges about `budget` bytes of records and answers whether all are merged. A step that
    /// fills a segment also syncs it, reads it back and makes its sidecar.
    ///
    /// # Errors
    /// `Corrupt` if a source does not verify; the medium's. The job must be abandoned then.
    pub(super) fn merge(&mut self, storage: &dyn Storage, budget: u64) -> Result<bool> {
        let until = self.merged.saturating_add(budget.max(1));
        while self.merged < until {
            let Some(merge) = &mut self.merge else {
                let Some(group) = self.groups.next() else { return Ok(true) };
                let walks = group.iter().map(|each| of_segment(each, EVERYTHING, Direction::Up));
                self.merge = Some(Merge::new(Direction::Up, walks)?);
                continue;
            };
            let Some((key, version)) = merge.next()? else {
                // What lies between two groups stays where it is: no result spans it.
                self.merge = None;
                self.sealer.seal()?;
                self.open_results(storage)?;
                continue;
            };
            let len = (OVERHEAD + version.content.as_ref().map_or(0, bytes::Bytes::len)) as u64;
            self.merged += len;
            if is_needed(&version) {
                let (numbers, created) = (&mut self.numbers, &mut self.created);
                self.sealer.push(storage, &key, &version, || {
                    let number = numbers.as_mut().and_then(Iterator::next);
                    let number = number.ok_or_else(numbers_used_up)?;
                    created.push(number);
                    Ok(number)
                })?;
                self.written += len;
                self.open_results(storage)?;
            }
        }
        Ok(false)
    }

    fn open_results(&mut self, storage: &dyn Storage) -> Result<()> {
        for sealed in self.sealer.take_sealed() {
            let segment = Segment::open_sealed(storage, &sealed, self.last_checkpoint)?;
            self.results.push(Arc::new(segment));
        }
        Ok(())
    }

    /// The results as MANIFEST lists them.
    pub(super) fn listed(&self) -> impl Iterator<Item = (u64, SegmentInfo)> {
        self.results.iter().map(|segment| (segment.id(), *segment.info()))
    }

    /// Removes what was written. No MANIFEST names it, and its numbers are not used again.
    pub(in crate::database) fn abandon(self, storage: &dyn Storage) {
        remove(storage, &self.created);
    }

    /// Removes the sources. Those who still read them hold them open.
    pub(super) fn remove_sources(&self, storage: &dyn Storage) {
        let numbers: Vec<u64> = self.sources.iter().map(|segment| segment.id()).collect();
        remove(storage, &numbers);
    }
}

/// Removes segments with their sidecars. What stays behind is harmless, and swept in the next life.
fn remove(storage: &dyn Storage, numbers: &[u64]) {
    for number in numbers {
        let _ = storage.remove(&names::segment_path(*number));
        let _ = storage.remove(&names::sidecar_path(*number));
    }
}

/// Whether the newest sealed version of a key must stay: the one place that decides what a
/// compaction drops.
///
/// Older versions were dropped by the merge: snapshots that need them hold the files they are in.
/// A tombstone has done its work once nothing sealed is left for it to hide, and a group holds all
/// sealed versions of its keys. What is in memory or in a WAL is newer than all that is sealed.
fn is_needed(newest: &Version) -> bool {
    newest.content.is_some()
}
