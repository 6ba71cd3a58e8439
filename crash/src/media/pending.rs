//! Operations that are not durable yet, and which of their effects need which.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chain, PendingOp, Profile};
use crate::trace::MicroOp;
use crate::tree::Tree;

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

    /// Whose rules order the effects.
    pub(crate) fn profile(&self) -> Profile {
        self.profile
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
        if let Some(op) = PendingOp::new(self.profile, number, op, before) {
            self.add(op);
        }
    }

    fn add(&mut self, mut op: PendingOp) {
        op.first = self.needs.len();
        for effect in op.effects() {
            let index = self.needs.len();
            self.needs.push(Vec::new());
            self.after.push(Vec::new());
            let place = self.profile.place(&effect);
            if let Some((last, _)) = place.behind.and_then(|chain| self.chains.get(&chain)) {
                self.order(*last, index);
            }
            for chain in place.on {
                let (last, count) = self.chains.get(&chain).copied().unwrap_or((index, 0));
                if count > 0 {
                    self.order(last, index);
                }
                self.chains.insert(chain, (index, count + 1));
            }
        }
        for (size, file, sectors) in op.data_before_sizes() {
            let chain = |sector| Chain::Sector(file, sector);
            let data = self.chains.range(chain(sectors.start)..chain(sectors.end));
            let data: Vec<usize> = data.map(|(_, (last, _))| *last).collect();
            for sector in data {
                self.order(sector, size);
            }
        }
        self.ops.push(op);
    }

    /// Takes note that effect `late` needs effect `early`.
    fn order(&mut self, early: usize, late: usize) {
        if !self.needs[late].contains(&early) {
            self.needs[late].push(early);
            self.after[early].push(late);
        }
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
        let ops = std::mem::take(&mut self.ops);
        *self = Self::new(self.profile);
        let mut left = Vec::new();
        let mut cut = BTreeSet::new();
        // From the last to the first: an operation learns of the durable length set after it.
        for op in ops.into_iter().rev() {
            let length = op.size_effects().next().filter(|size| kept.has(*size));
            if let (MicroOp::SetLen { ino, .. }, Some(_)) = (&op.op, length) {
                cut.insert(*ino);
            }
            left.extend(op.without(&kept, &cut));
        }
        left.into_iter().rev().for_each(|op| self.add(op));
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
