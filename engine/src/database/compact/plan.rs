//! Which segments a compaction merges.

use std::sync::Arc;

use crate::error::Result;
use crate::format::sidecar::Header;
use crate::segment::{Segment, fit_together};

/// Segments that are merged with each other, ascending by first key.
pub(super) type Group = Vec<Arc<Segment>>;

/// Groups the segments that are worth rewriting: those that overlap, those with tombstones, and
/// neighbours that fit into one. The rest is compact already and is left alone.
///
/// Whatever a group leaves out has no key within the group's span: so a group holds *all* sealed
/// versions of its keys.
///
/// # Errors
/// `Corrupt` if a segment without a sidecar does not verify.
pub(super) fn plan(segments: &[Arc<Segment>], max_segment: u64) -> Result<Vec<Group>> {
    let mut known: Vec<(Header, Arc<Segment>)> = Vec::with_capacity(segments.len());
    for segment in segments {
        known.push((segment.facts()?, Arc::clone(segment)));
    }
    known.sort_by_key(|(facts, _)| facts.first);
    let mut groups: Vec<Group> = Vec::new();
    let mut rest = known.into_iter().peekable();
    while let Some((facts, segment)) = rest.next() {
        let (mut last, mut worthwhile) = (facts.last, facts.tombstones > 0);
        let mut group = vec![segment];
        while let Some((facts, segment)) = rest.next_if(|(facts, next)| {
            let neighbour = group
                .last()
                .is_some_and(|previous| fit_together(previous.info(), next.info(), max_segment));
            facts.first <= last || neighbour
        }) {
            last = last.max(facts.last);
            worthwhile = true;
            group.push(segment);
        }
        if worthwhile {
            groups.push(group);
        }
    }
    Ok(groups)
}
