//! Shrinking: a smaller plan that still fails, so that a person can read it.

use crate::op::{Collection, Op};
use crate::payload::Payload;
use crate::plan::Plan;

/// Makes a failing plan small: fewer operations first (delta debugging, Zeller and Hildebrandt,
/// IEEE TSE 28(2), 2002), then fewer collections, shorter payloads and less entropy.
///
/// `fails` is asked about at most `trials` candidates. Deterministic as far as `fails` is. The
/// answer is `plan` itself or a candidate that failed.
pub fn shrink(plan: &Plan, trials: usize, fails: &mut dyn FnMut(&Plan) -> bool) -> Plan {
    let mut shrinker = Shrinker { best: plan.clone(), trials, fails };
    while shrinker.remove_ops()
        | shrinker.merge_collections()
        | shrinker.shorten_payloads()
        | shrinker.reduce_settings()
    {}
    shrinker.best
}

struct Shrinker<'a> {
    best: Plan,
    trials: usize,
    fails: &'a mut dyn FnMut(&Plan) -> bool,
}

impl Shrinker<'_> {
    /// Keeps the candidate if it still fails, and says so.
    fn try_plan(&mut self, candidate: Plan) -> bool {
        if self.trials == 0 || candidate == self.best {
            return false;
        }
        self.trials -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    fn try_ops(&mut self, ops: Vec<Op>) -> bool {
        self.try_plan(Plan { seed: self.best.seed, settings: self.best.settings.clone(), ops })
    }

    /// Removes runs of operations, long ones first, from the end to the start: what comes after
    /// the failure goes at once.
    fn remove_ops(&mut self) -> bool {
        let before = self.best.ops.len();
        let mut run = before.next_power_of_two();
        while run > 0 {
            let mut end = self.best.ops.len();
            while end > 0 {
                let start = end.saturating_sub(run);
                let mut ops = self.best.ops.clone();
                ops.drain(start..end);
                self.try_ops(ops);
                end = start;
            }
            run /= 2;
        }
        self.best.ops.len() < before
    }

    /// Lets one collection take the place of another: a plan that still needs two is about two.
    fn merge_collections(&mut self) -> bool {
        let mut named: Vec<Collection> =
            self.best.ops.iter_mut().filter_map(|op| collection_of(op).copied()).collect();
        named.sort_unstable();
        named.dedup();
        let mut merged = false;
        for pair in named.windows(2) {
            let mut ops = self.best.ops.clone();
            for collection in ops.iter_mut().filter_map(collection_of) {
                if *collection == pair[1] {
                    *collection = pair[0];
                }
            }
            merged |= self.try_ops(ops);
        }
        merged
    }

    fn shorten_payloads(&mut self) -> bool {
        let mut shortened = false;
        for index in 0..self.best.ops.len() {
            for shorter in [0, 40, 600] {
                let mut ops = self.best.ops.clone();
                let Some(Payload::Entity { size, .. }) = ops.get_mut(index).and_then(payload_of)
                else {
                    break;
                };
                if *size <= shorter {
                    break;
                }
                *size = shorter;
                if self.try_ops(ops) {
                    shortened = true;
                    break;
                }
            }
        }
        shortened
    }

    fn reduce_settings(&mut self) -> bool {
        let mut reduced = false;
        for len in 0..self.best.settings.entropy.len() {
            let mut candidate = self.best.clone();
            candidate.settings.entropy.truncate(len);
            if self.try_plan(candidate) {
                reduced = true;
                break;
            }
        }
        reduced
    }
}

fn collection_of(op: &mut Op) -> Option<&mut Collection> {
    match op {
        Op::CreateCollection { collection }
        | Op::Put { collection, .. }
        | Op::Insert { collection, .. }
        | Op::Delete { collection, .. }
        | Op::Get { collection, .. }
        | Op::GetMany { collection, .. }
        | Op::Scan { collection }
        | Op::ScanRange { collection, .. }
        | Op::SnapshotGet { collection, .. }
        | Op::SnapshotScan { collection, .. } => Some(collection),
        Op::Begin
        | Op::Commit
        | Op::Abort
        | Op::Snapshot { .. }
        | Op::SnapshotRelease { .. }
        | Op::Checkpoint
        | Op::Compact
        | Op::CompactStep
        | Op::Scrub
        | Op::Reopen => None,
    }
}

fn payload_of(op: &mut Op) -> Option<&mut Payload> {
    match op {
        Op::Put { payload, .. } | Op::Insert { payload, .. } => Some(payload),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
