//! Operations that are not durable yet, their effects, and which of these need which.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Chain, Effect, Profile};
use crate::content::SECTOR;
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
    /// The size it gives the file, if it changes it; its effect comes last.
    pub(crate) size: Option<u64>,
    /// The index of its first effect.
    first: usize,
}

impl PendingOp {
    /// What an operation does to the tree it meets; `None` if nothing can be lost of it.
    fn new(number: usize, op: &MicroOp, before: &Tree) -> Option<Self> {
        let old_size = |ino: &Ino| before.content(*ino).map_or(0, crate::content::Content::len);
        let (sectors, size) = match op {
            MicroOp::Write { ino, offset, data } => {
                let end = offset + data.len() as u64;
                (
                    (offset / SECTOR..end.div_ceil(SECTOR)).collect(),
                    (end > old_size(ino)).then_some(end),
                )
            }
            MicroOp::SetLen { ino, len } => {
                // A sector that already reads as zero has nothing to lose to the zeroing.
                let cut = before.content(*ino).map(|content| content.sectors_from(*len));
                (cut.unwrap_or_default(), (*len != old_size(ino)).then_some(*len))
            }
            _ => (Vec::new(), None),
        };
        let op = Self { number, op: op.clone(), sectors, size, first: 0 };
        (!op.effects().is_empty()).then_some(op)
    }

    fn effects(&self) -> Vec<Effect> {
        match &self.op {
            MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } => {
                let sectors = self.sectors.iter().map(|sector| Effect::Sector(*ino, *sector));
                sectors.chain(self.size.map(|_| Effect::Size(*ino))).collect()
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

    /// The index of its size's effect.
    pub(crate) fn size_effect(&self) -> Option<usize> {
        self.size.map(|_| self.first + self.sectors.len())
    }

    /// The indices of all its effects.
    pub(crate) fn all_effects(&self) -> Range<usize> {
        let is_entry = self.sectors.is_empty() && self.size.is_none();
        let count = self.sectors.len() + usize::from(self.size.is_some() || is_entry);
        self.first..self.first + count
    }

    /// Applies to a tree what survives of the operation; bytes may come to lie past the end of a
    /// file until it is clipped.
    fn apply_kept(&self, kept: &Kept, tree: &mut Tree) {
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
        let effect = self.size_effect().filter(|effect| kept.has(*effect));
        if let (Some(_), Some(size)) = (effect, self.size) {
            tree.content_mut(ino).set_size(size);
        }
    }

    /// Byte ranges of neighbouring sectors that survive, whole sectors each.
    fn kept_runs(&self, kept: &Kept) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for (sector, effect) in self.sectors.iter().zip(self.sector_effects()) {
            if !kept.has(effect) {
                continue;
            }
            let bytes = sector * SECTOR..(sector + 1) * SECTOR;
            match runs.last_mut() {
                Some(last) if last.end == bytes.start => last.end = bytes.end,
                _ => runs.push(bytes),
            }
        }
        runs
    }
}

/// The part of `data`, which lies at `offset`, that covers `range`.
fn slice(data: &[u8], offset: u64, range: Range<u64>) -> &[u8] {
    let at = |position: u64| usize::try_from(position - offset).unwrap_or(usize::MAX);
    data.get(at(range.start)..at(range.end)).unwrap_or_default()
}

/// A set of effects that survive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept(Vec<bool>);

impl Kept {
    pub(crate) fn has(&self, effect: usize) -> bool {
        self.0.get(effect).copied().unwrap_or(false)
    }
}

/// All operations that are not durable yet, in order.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    profile: Profile,
    ops: Vec<PendingOp>,
    /// By effect: the last one before it on each of its chains.
    needs: Vec<Vec<usize>>,
    /// By effect: the next one after it on each of its chains.
    after: Vec<Vec<usize>>,
    /// By chain: its last effect and how many it has.
    chains: BTreeMap<Chain, (usize, u32)>,
}

impl Pending {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            ops: Vec::new(),
            needs: Vec::new(),
            after: Vec::new(),
            chains: BTreeMap::new(),
        }
    }

    /// The operations, in order.
    pub(crate) fn ops(&self) -> &[PendingOp] {
        &self.ops
    }

    /// By chain, how many pending effects it has.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (&Chain, u32)> {
        self.chains.iter().map(|(chain, (_, count))| (chain, *count))
    }

    /// The effects an effect needs directly.
    pub(crate) fn needs(&self, effect: usize) -> &[usize] {
        self.needs.get(effect).map_or(&[], Vec::as_slice)
    }

    /// Adds an operation that meets the tree `before`.
    pub(crate) fn push(&mut self, number: usize, op: &MicroOp, before: &Tree) {
        if let Some(op) = PendingOp::new(number, op, before) {
            self.add(op);
        }
    }

    fn add(&mut self, mut op: PendingOp) {
        op.first = self.needs.len();
        for effect in op.effects() {
            let index = self.needs.len();
            let mut needs = Vec::new();
            for chain in self.profile.chains(&effect) {
                let entry = self.chains.entry(chain).or_insert((index, 0));
                if entry.1 > 0 && !needs.contains(&entry.0) {
                    needs.push(entry.0);
                    self.after[entry.0].push(index);
                }
                *entry = (index, entry.1 + 1);
            }
            self.needs.push(needs);
            self.after.push(Vec::new());
        }
        self.ops.push(op);
    }

    /// Takes a sync: what it covers moves to `base`, with what that needs.
    pub(crate) fn settle(&mut self, sync: &MicroOp, base: &mut Tree) {
        let covered = self.ops.iter().filter(|op| self.profile.covers(sync, &op.op));
        let seeds: Vec<usize> = covered.flat_map(PendingOp::all_effects).collect();
        if seeds.is_empty() {
            return;
        }
        let kept = self.kept_with(seeds);
        *base = self.materialise(base, &kept);
        // Effects of one operation are never split by a sync: those on a file are covered
        // together, and an entry is a single one.
        let ops = std::mem::take(&mut self.ops);
        *self = Self::new(self.profile);
        for op in ops.into_iter().filter(|op| !kept.has(op.first)) {
            self.add(op);
        }
    }

    /// Only `seeds` survive, and what they need.
    pub(crate) fn kept_with(&self, seeds: Vec<usize>) -> Kept {
        Kept(reach(&self.needs, seeds))
    }

    /// All survives but `seeds`, and what comes after them.
    pub(crate) fn kept_without(&self, seeds: Vec<usize>) -> Kept {
        Kept(reach(&self.after, seeds).into_iter().map(|lost| !lost).collect())
    }

    /// What the disk shows if exactly `kept` survives. No inode disappears, named or not.
    pub(crate) fn materialise(&self, base: &Tree, kept: &Kept) -> Tree {
        let mut tree = base.clone();
        for op in &self.ops {
            op.apply_kept(kept, &mut tree);
        }
        for op in &self.ops {
            let (MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. }) = op.op else {
                continue;
            };
            if op.all_effects().any(|effect| kept.has(effect)) {
                tree.content_mut(ino).clip();
            }
        }
        tree
    }
}

/// Everything reachable from `seeds` along `edges`, as a set.
fn reach(edges: &[Vec<usize>], seeds: Vec<usize>) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut todo = seeds;
    while let Some(effect) = todo.pop() {
        if !std::mem::replace(&mut reached[effect], true) {
            todo.extend(&edges[effect]);
        }
    }
    reached
}
