use super::{Mechanism, Mechanisms};
use crate::op::{Collection, Id, Op};
use crate::payload::Payload;
use crate::plan::{Plan, Settings};
use crate::subject::Capabilities;

const C: Collection = Collection(0);
const D: Collection = Collection(1);

fn put(n: u8, size: u32) -> Op {
    put_in(C, n, size)
}

fn put_in(collection: Collection, n: u8, size: u32) -> Op {
    Op::Put { collection, id: Id::nth(n), payload: Payload::Entity { tag: n.into(), size } }
}

fn delete(n: u8) -> Op {
    Op::Delete { collection: C, id: Id::nth(n) }
}

fn insert() -> Op {
    Op::Insert { collection: C, payload: Payload::Entity { tag: 99, size: 20 } }
}

fn snapshot_get(n: u8) -> Op {
    Op::SnapshotGet { slot: 0, collection: C, id: Id::nth(n) }
}

/// The mechanisms of these operations after the creation of both collections, without the plain
/// ones in `but`.
#[track_caller]
fn check(ops: &[Op], due: &[Mechanism]) {
    let entropy = vec![Id::nth(1), Id::nth(2)];
    let settings = Settings { wal_reserve: 3000, max_segment: 1500, entropy, max_payload: 5000 };
    let mut all = [C, D].map(|collection| Op::CreateCollection { collection }).to_vec();
    all.extend_from_slice(ops);
    let plan = Plan { seed: 0, settings, ops: all };
    let reached = Mechanisms::reached_by(&plan, Capabilities::ALL);
    assert_eq!(reached.iter().collect::<Vec<_>>(), due);
}

#[test]
fn plain_writes_reach_nothing_special() {
    check(&[put(1, 40), put(1, 512), Op::Get { collection: C, id: Id::nth(1) }], &[]);
}

#[test]
fn long_commits_are_told_by_their_contents() {
    check(&[put(1, 513)], &[Mechanism::MultiSectorCommit]);
    let long = [Mechanism::MultiSectorCommit, Mechanism::PageCrossingCommit];
    check(&[put(1, 4097)], &[&long[..], &[Mechanism::LogBeyondReserve]].concat());
    check(
        &[Op::Begin, put(1, 300), put(2, 300), Op::Commit],
        &[Mechanism::MultiOperationTransaction, Mechanism::MultiSectorCommit],
    );
}

#[test]
fn what_a_transaction_ends_in_is_told_apart() {
    check(&[Op::Begin, put(1, 20), Op::Abort], &[Mechanism::Abort]);
    check(&[Op::Begin, Op::Abort], &[]);
    check(&[Op::Begin, put(1, 20), Op::Reopen], &[Mechanism::AbandonedTransaction]);
    check(&[Op::Begin, Op::Commit], &[Mechanism::EmptyCommit]);
    check(&[Op::Begin, delete(1), Op::Commit], &[Mechanism::EmptyCommit, Mechanism::AbsentDelete]);
    check(&[delete(1)], &[Mechanism::AbsentDelete]);
    check(&[put(1, 20), delete(1), Op::Reopen, put(1, 20), Op::Reopen], &[Mechanism::Reopen]);
}

#[test]
fn aborted_contents_are_not_counted_for_the_next_commit() {
    check(&[Op::Begin, put(1, 600), Op::Abort, put(2, 20)], &[Mechanism::Abort]);
}

#[test]
fn reads_count_if_their_source_makes_a_difference() {
    let scan = Op::Scan { collection: C };
    check(
        &[Op::Begin, scan.clone(), put(1, 20), scan, Op::Abort],
        &[Mechanism::Abort, Mechanism::OwnWriteRead],
    );
    check(&[Op::Snapshot { slot: 0 }, snapshot_get(1), put(1, 20)], &[]);
    check(
        &[Op::Snapshot { slot: 0 }, put(1, 20), snapshot_get(2)],
        &[Mechanism::SnapshotAcrossWrite],
    );
    let across = [
        Mechanism::SnapshotAcrossWrite,
        Mechanism::SnapshotAcrossCheckpoint,
        Mechanism::Checkpoint,
    ];
    check(&[Op::Snapshot { slot: 0 }, put(1, 20), Op::Checkpoint, snapshot_get(2)], &across);
}

#[test]
fn checkpoints_count_if_there_is_something_to_do() {
    check(&[Op::Checkpoint], &[]);
    check(&[put(1, 20), Op::Checkpoint], &[Mechanism::Checkpoint]);
    let twice = [put(1, 500), put(2, 500), put(3, 501), Op::Checkpoint];
    check(&twice, &[Mechanism::Checkpoint, Mechanism::SegmentRotation]);
}

#[test]
fn compactions_count_if_there_is_something_to_merge() {
    check(&[put(1, 20), Op::Checkpoint, Op::Compact], &[Mechanism::Checkpoint]);
    let twice = [put(1, 20), Op::Checkpoint, put(1, 20), Op::Checkpoint, Op::Compact];
    check(&twice, &[Mechanism::Checkpoint, Mechanism::Compaction]);
    let mut across = vec![Op::Snapshot { slot: 0 }];
    across.extend(twice);
    across.push(snapshot_get(1));
    check(
        &across,
        &[
            Mechanism::SnapshotAcrossWrite,
            Mechanism::SnapshotAcrossCheckpoint,
            Mechanism::SnapshotAcrossCompaction,
            Mechanism::Checkpoint,
            Mechanism::Compaction,
        ],
    );
}

#[test]
fn inserts_are_told_by_what_they_drew() {
    check(&[insert()], &[Mechanism::Insert]);
    check(&[put(1, 20), insert()], &[Mechanism::Insert, Mechanism::InsertPassedLive]);
    check(
        &[put(1, 20), put(2, 20), insert()],
        &[Mechanism::InsertPassedLive, Mechanism::EntropyExhausted],
    );
}

#[test]
fn refusals_are_told_by_their_class() {
    check(&[put(1, 5001)], &[Mechanism::RefusedPayload]);
    check(&[put_in(Collection(9), 1, 20)], &[Mechanism::UnknownCollection]);
    check(&[Op::Commit], &[Mechanism::Misuse]);
}

#[test]
fn one_identity_in_two_collections_is_shared() {
    check(&[put(1, 20), put_in(D, 2, 20)], &[]);
    check(&[put(1, 20), put_in(D, 1, 20)], &[Mechanism::SharedIdentity]);
}

#[test]
fn sets_merge() {
    let reached = |op| {
        let ops = vec![Op::CreateCollection { collection: C }, op];
        let settings =
            Settings { wal_reserve: 0, max_segment: 0, entropy: Vec::new(), max_payload: 100 };
        Mechanisms::reached_by(&Plan { seed: 0, settings, ops }, Capabilities::ALL)
    };
    let mut both = reached(Op::Commit);
    both.merge(&reached(delete(1)));
    assert_eq!(serde_json::to_string(&both).unwrap(), r#"["absent_delete","misuse"]"#);
    assert!(both.contains(Mechanism::Misuse) && !both.contains(Mechanism::Insert));
}
