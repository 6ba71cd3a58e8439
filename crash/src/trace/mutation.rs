//! Traces of programs that sync less, or in another order: would the judge notice?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MicroOp, SyncKind, Trace};
use crate::tree::{Ino, Tree};

/// One change of a trace, such as a sync left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The number of the operation it changes, as listings print it.
    pub op: usize,
    /// What it does to it.
    pub change: Change,
    /// The operation as listings print it; for a swap, both.
    call: String,
}

/// What a mutation does to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It never happens.
    Remove,
    /// It does less: a sync of all metadata becomes one of the data; a rename becomes a new name,
    /// and then the removal of the old one.
    Weaken,
    /// It happens after the one that follows it.
    Swap,
}

impl fmt::Display for Mutation {
    /// `remove #12 sync_dir .`, `swap #7 sync wal and #8 ack 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.change {
            Change::Remove => "remove ",
            Change::Weaken => "weaken ",
            Change::Swap => "swap ",
        })?;
        f.write_str(&self.call)
    }
}

impl Mutation {
    /// The number of the sync, directory sync or rename that it is about: of two that change
    /// places, the first.
    pub fn about(&self, trace: &Trace) -> usize {
        let first = trace.numbered().nth(self.op);
        let later = self.change == Change::Swap && !first.is_some_and(|(_, op)| orders(op));
        self.op + usize::from(later)
    }

    /// The trace with this change made; as it is if the change is not one of this trace.
    pub fn apply(&self, trace: &Trace) -> Trace {
        let mut mutated = trace.clone();
        let Some(index) = self.op.checked_sub(trace.carried.len()) else { return mutated };
        if index >= trace.ops.len() {
            return mutated;
        }
        match self.change {
            Change::Remove => {
                mutated.ops.remove(index);
            }
            Change::Weaken => {
                let weaker = weaker(&trace.ops[index]);
                mutated.ops.splice(index..=index, weaker);
            }
            Change::Swap if index + 1 < trace.ops.len() => mutated.ops.swap(index, index + 1),
            Change::Swap => {}
        }
        mutated
    }
}

/// Every change of a trace that removes, weakens or moves by one place a sync, a directory sync or
/// a rename of this life, in the order of the operations.
///
/// Neighbours are swapped only if the process would see the same afterwards. Each mutation that
/// no judge objects to names a call that bears no load.
pub fn mutations(trace: &Trace) -> impl Iterator<Item = Mutation> {
    let described = trace.describe();
    let mut tree = trace.base.clone();
    trace.carried.iter().for_each(|op| tree.apply(op));
    let mut found = Vec::new();
    for (index, op) in trace.ops.iter().enumerate() {
        let number = trace.carried.len() + index;
        let call = format!("#{number} {}", described[number]);
        if orders(op) {
            found.push(Mutation { op: number, change: Change::Remove, call: call.clone() });
            if weaker(op) != [op.clone()] {
                found.push(Mutation { op: number, change: Change::Weaken, call: call.clone() });
            }
        }
        if let Some(next) = trace.ops.get(index + 1)
            && (orders(op) || orders(next))
            && commute(&tree, op, next)
        {
            let call = format!("{call} and #{} {}", number + 1, described[number + 1]);
            found.push(Mutation { op: number, change: Change::Swap, call });
        }
        tree.apply(op);
    }
    found.into_iter()
}

/// Whether an operation is there to make things durable in an order.
fn orders(op: &MicroOp) -> bool {
    matches!(op, MicroOp::Sync { .. } | MicroOp::SyncDir { .. } | MicroOp::Rename { .. })
}

/// What does less than an operation; itself if nothing does.
fn weaker(op: &MicroOp) -> Vec<MicroOp> {
    match op.clone() {
        MicroOp::Sync { ino, kind: SyncKind::Full } => {
            vec![MicroOp::Sync { ino, kind: SyncKind::Data }]
        }
        MicroOp::Rename { from_dir, from, to_dir, to, ino } => vec![
            MicroOp::Link { dir: to_dir, name: to, ino },
            MicroOp::Unlink { dir: from_dir, name: from, ino },
        ],
        same => vec![same],
    }
}

/// Whether two neighbours can change places without the process seeing it: the trees after them
/// are the same, and each finds what it works on. Two syncs next to each other order nothing.
fn commute(before: &Tree, first: &MicroOp, second: &MicroOp) -> bool {
    let is_sync = |op: &MicroOp| matches!(op, MicroOp::Sync { .. } | MicroOp::SyncDir { .. });
    let after = |ops: [&MicroOp; 2]| {
        let mut tree = before.clone();
        for op in ops {
            tree.apply(op);
        }
        tree.identity_digest()
    };
    !(is_sync(first) && is_sync(second))
        && subjects(second).into_iter().all(|ino| exists(before, ino))
        && after([first, second]) == after([second, first])
}

fn exists(tree: &Tree, ino: Ino) -> bool {
    tree.content(ino).is_some() || tree.is_dir(ino)
}

/// The inodes that must exist before an operation.
fn subjects(op: &MicroOp) -> Vec<Ino> {
    match op {
        MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } | MicroOp::Sync { ino, .. } => {
            vec![*ino]
        }
        MicroOp::Link { dir, .. } | MicroOp::MakeDir { dir, .. } | MicroOp::SyncDir { dir } => {
            vec![*dir]
        }
        MicroOp::Unlink { dir, ino, .. } => vec![*dir, *ino],
        MicroOp::Rename { from_dir, to_dir, ino, .. } => vec![*from_dir, *to_dir, *ino],
        MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. } => Vec::new(),
    }
}
