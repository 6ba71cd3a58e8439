//! Which claim a divergence from the oracle belongs to.
//!
//! The oracle says only that an outcome differs. What the shrunk plan still needs says more: a
//! plan that no longer diverges without its second collection is about collections.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proofhouse_model::{Collection, Divergence, Got, Op, Outcome, Plan};

/// The claim that a divergence of this plan, shrunk, belongs to. First rule that fits:
///
/// 1. the plan names two collections, which shrinking would have made one if it could: isolation
///    of collections;
/// 2. a read through a snapshot differs: snapshots, through compaction if the plan compacts;
/// 3. the plan compacts, which is then what it is about: identity through compaction;
/// 4. only the commit sequence differs: order of commits;
/// 5. an insert differs: identity;
/// 6. the plan reopens: a clean close keeps all;
/// 7. the plan has a transaction: no partial state;
/// 8. otherwise an identity did not lead to its entity: identity.
pub(super) fn claim(plan: &Plan, divergence: &Divergence) -> &'static str {
    let has = |wanted: fn(&Op) -> bool| plan.ops.iter().any(wanted);
    let compacts = has(|op| matches!(op, Op::Compact | Op::CompactStep));
    match (&divergence.op, &divergence.due, &divergence.got) {
        _ if collections(plan).len() > 1 => "AC-09.differential",
        (Op::Snapshot { .. } | Op::SnapshotGet { .. } | Op::SnapshotScan { .. }, ..) => {
            if compacts { "AC-06.compaction" } else { "AC-06.differential" }
        }
        _ if compacts => "AC-08.compaction",
        (_, due, Got::Outcome(got)) if differ_in_sequence(due, got) => "AC-07.dense",
        (Op::Insert { .. }, ..) => "AC-08.differential",
        _ if has(|op| matches!(op, Op::Reopen)) => "AC-02.clean-close",
        _ if has(|op| matches!(op, Op::Begin)) => "AC-03.transactions",
        _ => "AC-08.differential",
    }
}

/// Whether two outcomes are the same but for their sequences.
fn differ_in_sequence(due: &Outcome, got: &Outcome) -> bool {
    match (due, got) {
        (Outcome::Committed { sequence: due }, Outcome::Committed { sequence: got }) => due != got,
        (
            Outcome::Inserted { id: due_id, sequence: due },
            Outcome::Inserted { id: got_id, sequence: got },
        ) => due_id == got_id && due != got,
        _ => false,
    }
}

/// The collections that a plan names.
fn collections(plan: &Plan) -> BTreeSet<Collection> {
    let named = |op: &Op| match op {
        Op::CreateCollection { collection }
        | Op::Put { collection, .. }
        | Op::Insert { collection, .. }
        | Op::Delete { collection, .. }
        | Op::Get { collection, .. }
        | Op::GetMany { collection, .. }
        | Op::Scan { collection }
        | Op::ScanRange { collection, .. }
        | Op::SnapshotGet { collection, .. }
        | Op::SnapshotScan { collection, .. } => Some(*collection),
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
    };
    plan.ops.iter().filter_map(named).collect()
}
