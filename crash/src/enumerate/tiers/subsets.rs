//! Choices that speak of several operations: pairs of omissions, and random subsets.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Random;
use crate::enumerate::choice::{Exception, Part, Rest};
use crate::media::PendingOp;
use crate::trace::MicroOp;
use crate::tree::Ino;

/// What an omission is an omission of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Content(Ino),
    Entry(Ino),
}

fn subject(op: &MicroOp) -> Option<Subject> {
    match op {
        MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } => Some(Subject::Content(*ino)),
        MicroOp::Link { ino, .. }
        | MicroOp::MakeDir { ino, .. }
        | MicroOp::Unlink { ino, .. }
        | MicroOp::Rename { ino, .. } => Some(Subject::Entry(*ino)),
        _ => None,
    }
}

/// Two operations lost, in the order of their numbers: of different files, or one of a file's
/// content and one of its entry.
pub(super) fn pairs(pending: &[PendingOp]) -> impl Iterator<Item = Vec<Exception>> {
    pending.iter().enumerate().flat_map(move |(index, first)| {
        let others = pending[index + 1..].iter();
        let others = others.filter(move |second| subject(&second.op) != subject(&first.op));
        others.map(move |second| vec![whole(first), whole(second)])
    })
}

fn whole(op: &PendingOp) -> Exception {
    Exception { op: op.number, part: Part::Whole }
}

/// Random subsets at one crash point, none twice. Each speaks of at least three operations: fewer
/// are what the other tiers are for.
pub(super) fn random(
    random: Random,
    at: usize,
    pending: &[PendingOp],
) -> Vec<(Rest, Vec<Exception>)> {
    let mut seen = BTreeSet::new();
    let mut subsets = Vec::new();
    for draw in 0..u64::from(random.count) {
        let mut dice = Dice::new(random.seed, at as u64, draw);
        let rest = if dice.below(2) == 0 { Rest::Kept } else { Rest::Lost };
        // How many in four are exceptions differs from subset to subset.
        let share = 1 + dice.below(3);
        let mut except = Vec::new();
        let mut ops = 0;
        for op in pending {
            if dice.below(4) < share {
                ops += 1;
                except.push(part(op, &mut dice));
            }
        }
        if ops >= 3 && seen.insert(format!("{rest:?}{except:?}")) {
            subsets.push((rest, except));
        }
    }
    subsets
}

/// All of an operation, or a run of its sectors.
fn part(op: &PendingOp, dice: &mut Dice) -> Exception {
    let count = op.sectors.len();
    if count < 2 || dice.below(2) == 0 {
        return whole(op);
    }
    let first = dice.index(count);
    let count = 1 + dice.index(count - first);
    Exception { op: op.number, part: Part::Sectors { first, count } }
}

/// Numbers that follow from a seed, a crash point and the number of a subset.
struct Dice {
    seed: u64,
    rolled: u64,
}

impl Dice {
    fn new(seed: u64, at: u64, draw: u64) -> Self {
        let seed = xxh3_64_with_seed(&at.to_le_bytes(), seed);
        Self { seed: xxh3_64_with_seed(&draw.to_le_bytes(), seed), rolled: 0 }
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.rolled += 1;
        xxh3_64_with_seed(&self.rolled.to_le_bytes(), self.seed) % end
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or(0)
    }
}
