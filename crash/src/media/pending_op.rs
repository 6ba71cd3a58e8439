//! One operation that is not durable yet, and its effects.

use std::collections::BTreeSet;
use std::ops::Range;

use super::pending::Kept;
use super::{Effect, NewSize, Profile};
use crate::content::{Content, SECTOR};
use crate::trace::MicroOp;
use crate::tree::{Ino, Tree};

/// An operation that is not durable yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingOp {
    /// Its number in the trace.
    pub(crate) number: usize,
    pub(crate) op: MicroOp,
    /// The sectors it changes, ascending; their effects come first.
    pub(crate) sectors: Vec<u64>,
    /// The sizes it gives the file, in order; their effects come last.
    pub(crate) sizes: Vec<NewSize>,
    /// The index of its first effect.
    pub(super) first: usize,
    /// Whether some of its effects have become durable without the others.
    partial: bool,
}

impl PendingOp {
    /// What an operation does to the tree it meets; `None` if nothing can be lost of it.
    pub(super) fn new(
        profile: Profile,
        number: usize,
        op: &MicroOp,
        before: &Tree,
    ) -> Option<Self> {
        let old_size = |ino: &Ino| before.content(*ino).map_or(0, Content::len);
        let (sectors, sizes) = match op {
            MicroOp::Write { ino, offset, data } => {
                let end = offset + data.len() as u64;
                (
                    (offset / SECTOR..end.div_ceil(SECTOR)).collect(),
                    profile.growth(old_size(ino), &(*offset..end)),
                )
            }
            MicroOp::SetLen { ino, len } => {
                // A sector that already reads as zero has nothing to lose to the zeroing.
                let cut = before.content(*ino).map(|content| content.sectors_from(*len));
                let cut = cut.unwrap_or_default();
                let changed = *len != old_size(ino);
                let size = changed.then(|| profile.set_length(*len));
                (cut, size.into_iter().collect())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let op = Self { number, op: op.clone(), sectors, sizes, first: 0, partial: false };
        (!op.effects().is_empty()).then_some(op)
    }

    pub(super) fn effects(&self) -> Vec<Effect> {
        match &self.op {
            MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } => {
                let size = match self.op {
                    MicroOp::SetLen { .. } => Effect::Length(*ino),
                    _ => Effect::Growth(*ino),
                };
                let sectors = self.sectors.iter().map(|sector| Effect::Sector(*ino, *sector));
                sectors.chain(self.sizes.iter().map(|_| size.clone())).collect()
            }
            MicroOp::Link { dir, name, .. }
            | MicroOp::MakeDir { dir, name, .. }
            | MicroOp::Unlink { dir, name, .. } => vec![Effect::Entry(*dir, name.clone())],
            MicroOp::Rename { from_dir, from, to_dir, to, .. } => {
                vec![Effect::Move((*from_dir, from.clone()), (*to_dir, to.clone()))]
            }
            MicroOp::Sync { .. }
            | MicroOp::SyncDir { .. }
            | MicroOp::Issue { .. }
            | MicroOp::Ack { .. }
            | MicroOp::Shown { .. } => Vec::new(),
        }
    }

    /// The indices of its sectors' effects, in the order of `sectors`.
    pub(crate) fn sector_effects(&self) -> Range<usize> {
        self.first..self.first + self.sectors.len()
    }

    /// The indices of its sizes' effects, in the order of `sizes`.
    pub(crate) fn size_effects(&self) -> Range<usize> {
        let first = self.first + self.sectors.len();
        first..first + self.sizes.len()
    }

    /// The indices of all its effects.
    pub(crate) fn all_effects(&self) -> Range<usize> {
        let count = self.sectors.len() + self.sizes.len() + usize::from(self.is_entry());
        self.first..self.first + count
    }

    /// Whether it changes names and nothing else.
    pub(crate) fn is_entry(&self) -> bool {
        self.sectors.is_empty() && self.sizes.is_empty()
    }

    /// The effects of its sizes that need bytes, with the file and the sectors they need.
    pub(super) fn data_before_sizes(&self) -> Vec<(usize, Ino, Range<u64>)> {
        let (MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. }) = &self.op else {
            return Vec::new();
        };
        let sizes = self.sizes.iter().zip(self.size_effects());
        let needy = sizes.filter(|(new, _)| !new.data.is_empty());
        needy.map(|(new, effect)| (effect, *ino, new.data.clone())).collect()
    }

    /// What is still pending once `kept` is durable; `cut` are the files that were durably given
    /// a length later. Sizes from before that mean nothing any more, and no bytes past it are left.
    pub(super) fn without(mut self, kept: &Kept, cut: &BTreeSet<Ino>) -> Option<Self> {
        if self.is_entry() {
            return (!kept.has(self.first)).then_some(self);
        }
        let count = self.all_effects().len();
        let sectors = self.sectors.iter().zip(self.sector_effects());
        let sectors = sectors.filter(|(_, effect)| !kept.has(*effect)).map(|(at, _)| *at).collect();
        let sizes = self.sizes.iter().zip(self.size_effects());
        let sizes = sizes.filter(|(_, effect)| !kept.has(*effect)).map(|(new, _)| new.clone());
        self.sizes = sizes.collect();
        self.sectors = sectors;
        if matches!(&self.op, MicroOp::Write { ino, .. } if cut.contains(ino)) {
            self.sizes.clear();
        }
        self.partial |= self.sectors.len() + self.sizes.len() < count;
        (!self.is_entry()).then_some(self)
    }

    /// The operations that do what is still pending of it.
    pub(crate) fn carried(&self) -> Vec<MicroOp> {
        match &self.op {
            MicroOp::Write { ino, offset, data } if self.partial => {
                let end = offset + data.len() as u64;
                let runs = runs(self.sectors.iter().copied());
                let runs = runs.into_iter().map(|run| run.start.max(*offset)..run.end.min(end));
                runs.map(|run| MicroOp::Write {
                    ino: *ino,
                    offset: run.start,
                    data: data.slice_ref(slice(data, *offset, run)),
                })
                .collect()
            }
            op => vec![op.clone()],
        }
    }

    /// Applies to a tree what survives of the operation; bytes may come to lie past the end of a
    /// file until it is clipped.
    pub(super) fn apply_kept(&self, kept: &Kept, tree: &mut Tree) {
        match &self.op {
            MicroOp::Write { ino, offset, data } => {
                for run in self.kept_runs(kept) {
                    let start = run.start.max(*offset);
                    let end = run.end.min(offset + data.len() as u64);
                    tree.content_mut(*ino).put(start, slice(data, *offset, start..end));
                }
                self.apply_kept_size(*ino, kept, tree);
            }
            MicroOp::SetLen { ino, len } => {
                for run in self.kept_runs(kept) {
                    tree.content_mut(*ino).zero(run.start.max(*len)..run.end);
                }
                self.apply_kept_size(*ino, kept, tree);
            }
            _ if kept.has(self.first) => tree.apply(&self.op),
            _ => {}
        }
    }

    fn apply_kept_size(&self, ino: Ino, kept: &Kept, tree: &mut Tree) {
        let sizes = self.sizes.iter().zip(self.size_effects());
        if let Some((new, _)) = sizes.rev().find(|(_, effect)| kept.has(*effect)) {
            tree.content_mut(ino).set_size(new.size);
        }
    }

    /// Byte ranges of neighbouring sectors that survive, whole sectors each.
    fn kept_runs(&self, kept: &Kept) -> Vec<Range<u64>> {
        let sectors = self.sectors.iter().zip(self.sector_effects());
        runs(sectors.filter(|(_, effect)| kept.has(*effect)).map(|(sector, _)| *sector))
    }
}

/// The bytes of sectors, neighbours together.
fn runs(sectors: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for sector in sectors {
        let bytes = sector * SECTOR..(sector + 1) * SECTOR;
        match runs.last_mut() {
            Some(last) if last.end == bytes.start => last.end = bytes.end,
            _ => runs.push(bytes),
        }
    }
    runs
}

/// The part of `data`, which lies at `offset`, that covers `range`.
fn slice(data: &[u8], offset: u64, range: Range<u64>) -> &[u8] {
    let at = |position: u64| usize::try_from(position - offset).unwrap_or(usize::MAX);
    data.get(at(range.start)..at(range.end)).unwrap_or_default()
}
