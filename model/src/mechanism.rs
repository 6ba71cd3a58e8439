//! Mechanisms: what a plan makes an engine do, so that a claim that was never put to the test is
//! *not measured* instead of passed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::op::{Op, Slot};
use crate::oracle::Oracle;
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::Plan;
use crate::subject::Capabilities;

/// Bytes that a disk writes as one (`docs/media.md`).
pub const SECTOR: u64 = 512;

/// Bytes that the page cache writes as one.
pub const PAGE: u64 = 4096;

/// Something that a plan can make an engine do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// A commit of several writes.
    MultiOperationTransaction,
    /// A commit whose contents alone are longer than [`SECTOR`].
    MultiSectorCommit,
    /// A commit whose contents alone are longer than [`PAGE`].
    PageCrossingCommit,
    /// A transaction with writes, abandoned.
    Abort,
    /// A transaction cut off by closing the store.
    AbandonedTransaction,
    /// A commit that changed nothing.
    EmptyCommit,
    /// A delete of what was not there.
    AbsentDelete,
    /// A read inside a transaction that differs from what is committed.
    OwnWriteRead,
    /// A read as of a snapshot that differs from what is committed now.
    SnapshotAcrossWrite,
    /// A read as of a snapshot older than a checkpoint.
    SnapshotAcrossCheckpoint,
    /// A read as of a snapshot older than a compaction.
    SnapshotAcrossCompaction,
    /// A checkpoint with something to do.
    Checkpoint,
    /// A compaction after at least two checkpoints with something to do: something to merge.
    Compaction,
    /// More contents since the last checkpoint than a segment holds.
    SegmentRotation,
    /// More contents since the last checkpoint than the log's reserve holds.
    LogBeyondReserve,
    /// A clean close and open of a store that is not empty.
    Reopen,
    /// One identity live in several collections.
    SharedIdentity,
    /// An insert that chose an identity.
    Insert,
    /// An insert that had to pass over a live identity.
    InsertPassedLive,
    /// An insert that found no free identity.
    EntropyExhausted,
    /// A payload that was refused.
    RefusedPayload,
    /// An operation on a collection that does not exist.
    UnknownCollection,
    /// An operation in a state that it does not fit.
    Misuse,
}

/// A set of mechanisms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mechanisms(BTreeSet<Mechanism>);

impl Mechanisms {
    /// What a plan makes a subject with these capabilities do, by the oracle. Contents are
    /// counted without any framing, so what is reached here is reached in every engine.
    pub fn reached_by(plan: &Plan, capabilities: Capabilities) -> Self {
        let mut watch = Watch {
            plan,
            oracle: Oracle::new(&plan.settings, capabilities),
            reached: Self::default(),
            commit: Commit::default(),
            logged: 0,
            checkpoints: 0,
            compactions: 0,
            unmerged: 0,
            taken: BTreeMap::new(),
        };
        plan.ops.iter().filter(|op| capabilities.offer(op)).for_each(|op| watch.step(op));
        watch.reached
    }

    /// Whether it was reached.
    pub fn contains(&self, mechanism: Mechanism) -> bool {
        self.0.contains(&mechanism)
    }

    /// Those reached, in order.
    pub fn iter(&self) -> impl Iterator<Item = Mechanism> {
        self.0.iter().copied()
    }

    /// Adds what another plan reached.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }
}

/// Contents and writes of the transaction at hand.
#[derive(Default)]
struct Commit {
    bytes: u64,
    writes: u64,
}

struct Watch<'a> {
    plan: &'a Plan,
    oracle: Oracle,
    reached: Mechanisms,
    commit: Commit,
    /// Bytes of contents committed since the last checkpoint.
    logged: u64,
    checkpoints: u64,
    compactions: u64,
    /// Checkpoints with something to do that no compaction has merged; merged ones are one.
    unmerged: u64,
    /// The numbers of checkpoints and compactions when a slot's snapshot was taken.
    taken: BTreeMap<Slot, (u64, u64)>,
}

impl Watch<'_> {
    fn reach(&mut self, mechanism: Mechanism, reached: bool) {
        if reached {
            self.reached.0.insert(mechanism);
        }
    }

    fn step(&mut self, op: &Op) {
        self.before(op);
        let (sequence, draws) = (self.oracle.sequence(), self.oracle.draws());
        let was_open = self.oracle.in_transaction();
        let due = self.oracle.step(op);
        let changed = self.oracle.sequence() > sequence;
        self.outcome(op, &due, changed);
        self.reach(Mechanism::InsertPassedLive, self.oracle.draws() > draws + 1);
        if let (Op::Put { payload, .. } | Op::Insert { payload, .. }, false) =
            (op, matches!(due, Outcome::Failed(_)))
        {
            self.wrote(payload);
        }
        if changed {
            self.committed();
        }
        if was_open != self.oracle.in_transaction() || changed {
            self.commit = Commit::default();
        }
    }

    /// What shows in the state before the operation.
    fn before(&mut self, op: &Op) {
        let open = self.oracle.in_transaction();
        match op {
            Op::Abort => self.reach(Mechanism::Abort, open && self.commit.writes > 0),
            Op::Get { .. } | Op::GetMany { .. } | Op::Scan { .. } | Op::ScanRange { .. } => {
                let differs = open && self.oracle.view() != self.oracle.state();
                self.reach(Mechanism::OwnWriteRead, differs);
            }
            Op::Snapshot { slot } => {
                self.taken.insert(*slot, (self.checkpoints, self.compactions));
            }
            Op::SnapshotGet { slot, collection, .. } | Op::SnapshotScan { slot, collection } => {
                let Some(snapshot) = self.oracle.slot(*slot) else { return };
                let current = self.oracle.state().collection(*collection);
                let differs = snapshot.collection(*collection) != current;
                let (checkpoints, compactions) = self.taken.get(slot).copied().unwrap_or_default();
                let checkpointed = checkpoints < self.checkpoints;
                let compacted = compactions < self.compactions;
                self.reach(Mechanism::SnapshotAcrossWrite, differs);
                self.reach(Mechanism::SnapshotAcrossCheckpoint, differs && checkpointed);
                self.reach(Mechanism::SnapshotAcrossCompaction, differs && compacted);
            }
            Op::Checkpoint if !open => {
                self.reach(Mechanism::Checkpoint, self.logged > 0);
                let rotates = self.logged > self.plan.settings.max_segment;
                self.reach(Mechanism::SegmentRotation, rotates);
                self.unmerged += u64::from(self.logged > 0);
                self.logged = 0;
                self.checkpoints += 1;
            }
            Op::Compact if !open && self.unmerged > 1 => {
                self.reach(Mechanism::Compaction, true);
                self.unmerged = 1;
                self.compactions += 1;
            }
            Op::Reopen => {
                self.reach(Mechanism::AbandonedTransaction, open && self.commit.writes > 0);
                self.reach(Mechanism::Reopen, !self.oracle.state().is_empty());
            }
            _ => {}
        }
    }

    /// What shows in the outcome.
    fn outcome(&mut self, op: &Op, due: &Outcome, changed: bool) {
        match due {
            Outcome::Committed { .. } if !changed => {
                let empty = matches!(op, Op::Commit);
                self.reach(Mechanism::EmptyCommit, empty);
                self.reach(Mechanism::AbsentDelete, !empty);
            }
            Outcome::Existed(false) => self.reach(Mechanism::AbsentDelete, true),
            Outcome::Existed(true) => self.commit.writes += 1,
            Outcome::Inserted { .. } => self.reach(Mechanism::Insert, true),
            Outcome::Failed(class) => {
                let inserts = matches!(op, Op::Insert { .. });
                self.reach(Mechanism::EntropyExhausted, inserts && *class == ErrorClass::Conflict);
                self.reach(Mechanism::RefusedPayload, *class == ErrorClass::Invalid);
                self.reach(Mechanism::UnknownCollection, *class == ErrorClass::NotFound);
                self.reach(Mechanism::Misuse, *class == ErrorClass::Misuse);
            }
            _ => {}
        }
    }

    fn wrote(&mut self, payload: &Payload) {
        self.commit.writes += 1;
        self.commit.bytes += payload.bytes().len() as u64;
    }

    fn committed(&mut self) {
        self.reach(Mechanism::MultiOperationTransaction, self.commit.writes > 1);
        self.reach(Mechanism::MultiSectorCommit, self.commit.bytes > SECTOR);
        self.reach(Mechanism::PageCrossingCommit, self.commit.bytes > PAGE);
        self.logged += self.commit.bytes;
        self.reach(Mechanism::LogBeyondReserve, self.logged > self.plan.settings.wal_reserve);
        let state = self.oracle.state();
        let mut seen = BTreeSet::new();
        let shared = state
            .collections()
            .filter_map(|collection| state.collection(collection))
            .flat_map(BTreeMap::keys)
            .any(|id| !seen.insert(*id));
        self.reach(Mechanism::SharedIdentity, shared);
    }
}

#[cfg(test)]
mod tests;
