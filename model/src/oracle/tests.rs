use bytes::Bytes;

use super::Oracle;
use crate::op::{Collection, Id, Op};
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::Settings;
use crate::state::State;
use crate::subject::Capabilities;

const C: Collection = Collection(0);
const D: Collection = Collection(1);
const UNKNOWN: Collection = Collection(9);

fn id(n: u8) -> Id {
    Id::nth(n)
}

fn payload(tag: u32) -> Payload {
    Payload::Entity { tag, size: 40 }
}

fn content(tag: u32) -> Bytes {
    payload(tag).bytes()
}

fn put(n: u8, tag: u32) -> Op {
    Op::Put { collection: C, id: id(n), payload: payload(tag) }
}

fn insert(tag: u32) -> Op {
    Op::Insert { collection: C, payload: payload(tag) }
}

fn delete(n: u8) -> Op {
    Op::Delete { collection: C, id: id(n) }
}

fn get(n: u8) -> Op {
    Op::Get { collection: C, id: id(n) }
}

fn committed(sequence: u64) -> Outcome {
    Outcome::Committed { sequence: Some(sequence) }
}

fn inserted(n: u8, sequence: u64) -> Outcome {
    Outcome::Inserted { id: id(n), sequence: Some(sequence) }
}

fn value(tag: u32) -> Outcome {
    Outcome::Value(Some(content(tag)))
}

const ABSENT: Outcome = Outcome::Value(None);
const DONE: Outcome = Outcome::Done;
const CREATE: Op = Op::CreateCollection { collection: C };

const fn failed(class: ErrorClass) -> Outcome {
    Outcome::Failed(class)
}

fn settings(entropy: &[u8]) -> Settings {
    let entropy = entropy.iter().copied().map(Id::nth).collect();
    Settings { wal_reserve: 0, max_segment: 0, entropy, max_payload: 50 }
}

/// Steps through the operations; each must have the outcome beside it.
#[track_caller]
fn check_with(settings: &Settings, steps: &[(Op, Outcome)]) -> Oracle {
    let mut oracle = Oracle::new(settings, Capabilities::ALL);
    for (index, (op, due)) in steps.iter().enumerate() {
        assert_eq!(oracle.step(op), *due, "step {index}: {op}");
    }
    oracle
}

#[track_caller]
fn check(steps: &[(Op, Outcome)]) -> Oracle {
    check_with(&settings(&[]), steps)
}

#[test]
fn a_collection_is_created_once() {
    let oracle = check(&[
        (CREATE, DONE),
        (CREATE, failed(ErrorClass::Conflict)),
        (Op::Begin, DONE),
        (CREATE, failed(ErrorClass::Misuse)),
        (Op::CreateCollection { collection: D }, failed(ErrorClass::Misuse)),
        (Op::Abort, DONE),
        (Op::CreateCollection { collection: D }, DONE),
    ]);
    assert_eq!((oracle.events(), oracle.sequence()), (2, 0), "creations take no sequence");
}

#[test]
fn an_unknown_collection_is_not_found_whatever_is_asked_of_it() {
    let invalid = Payload::Raw { bytes: Bytes::new(), canonical: false };
    let ops = [
        Op::Put { collection: UNKNOWN, id: id(1), payload: invalid.clone() },
        Op::Insert { collection: UNKNOWN, payload: invalid },
        Op::Delete { collection: UNKNOWN, id: id(1) },
        Op::Get { collection: UNKNOWN, id: id(1) },
        Op::GetMany { collection: UNKNOWN, ids: vec![] },
        Op::Scan { collection: UNKNOWN },
        Op::SnapshotGet { slot: 0, collection: UNKNOWN, id: id(1) },
        Op::SnapshotScan { slot: 0, collection: UNKNOWN },
    ];
    let begun = [vec![], vec![(Op::Begin, DONE)]];
    for begun in begun {
        let mut steps = vec![(CREATE, DONE), (Op::Snapshot { slot: 0 }, DONE)];
        steps.extend(begun);
        steps.extend(ops.iter().map(|op| (op.clone(), failed(ErrorClass::NotFound))));
        check(&steps);
    }
}

#[test]
fn writes_outside_a_transaction_commit_alone() {
    let oracle = check(&[
        (CREATE, DONE),
        (delete(1), committed(0)),
        (put(1, 1), committed(1)),
        (put(1, 1), committed(2)),
        (get(1), value(1)),
        (delete(1), committed(3)),
        (delete(1), committed(3)),
        (get(1), ABSENT),
    ]);
    assert_eq!(oracle.events(), 4, "the creation, two puts and the delete of what was there");
}

#[test]
fn a_transaction_sees_its_own_writes_and_commits_them_together() {
    let scan = Op::Scan { collection: C };
    let many = Op::GetMany { collection: C, ids: vec![id(2), id(1), id(2)] };
    check(&[
        (CREATE, DONE),
        (put(1, 1), committed(1)),
        (Op::Begin, DONE),
        (delete(1), Outcome::Existed(true)),
        (delete(1), Outcome::Existed(false)),
        (put(2, 2), DONE),
        (get(1), ABSENT),
        (many, Outcome::Values(vec![Some(content(2)), None, Some(content(2))])),
        (scan.clone(), Outcome::Entities(vec![(id(2), content(2))])),
        (Op::Commit, committed(2)),
        (scan, Outcome::Entities(vec![(id(2), content(2))])),
    ]);
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let oracle = check(&[
        (CREATE, DONE),
        (Op::Begin, DONE),
        (put(1, 1), DONE),
        (Op::Abort, DONE),
        (get(1), ABSENT),
        (put(2, 2), committed(1)),
    ]);
    assert_eq!(oracle.events(), 2);
}

#[test]
fn transactions_do_not_nest_and_need_a_begin() {
    check(&[
        (Op::Commit, failed(ErrorClass::Misuse)),
        (Op::Abort, failed(ErrorClass::Misuse)),
        (Op::Begin, DONE),
        (Op::Begin, failed(ErrorClass::Misuse)),
        (Op::Checkpoint, failed(ErrorClass::Misuse)),
        (Op::Compact, failed(ErrorClass::Misuse)),
        (Op::Commit, committed(0)),
        (Op::Checkpoint, DONE),
        (Op::Compact, DONE),
    ]);
}

#[test]
fn a_commit_whose_net_effect_is_nothing_takes_no_sequence() {
    let oracle = check(&[
        (CREATE, DONE),
        (Op::Begin, DONE),
        (put(1, 1), DONE),
        (delete(1), Outcome::Existed(true)),
        (delete(2), Outcome::Existed(false)),
        (Op::Commit, committed(0)),
    ]);
    assert_eq!(oracle.events(), 1);
}

#[test]
fn a_put_that_restores_what_a_transaction_deleted_is_a_change() {
    let oracle = check(&[
        (CREATE, DONE),
        (put(1, 1), committed(1)),
        (Op::Begin, DONE),
        (delete(1), Outcome::Existed(true)),
        (put(1, 1), DONE),
        (Op::Commit, committed(2)),
    ]);
    assert_eq!(oracle.events(), 3);
}

#[test]
fn a_refused_payload_changes_nothing_and_keeps_the_transaction_open() {
    let raw = |bytes: &'static [u8], canonical| Op::Put {
        collection: C,
        id: id(1),
        payload: Payload::Raw { bytes: bytes.into(), canonical },
    };
    let long = Op::Insert { collection: C, payload: Payload::Entity { tag: 1, size: 51 } };
    let exact = Op::Put { collection: C, id: id(3), payload: Payload::Entity { tag: 1, size: 50 } };
    let oracle = check_with(
        &settings(&[4]),
        &[
            (CREATE, DONE),
            (Op::Begin, DONE),
            (raw(&[0x18, 0x01], false), failed(ErrorClass::Invalid)),
            (long, failed(ErrorClass::Invalid)),
            (raw(&[0x01], true), DONE),
            (exact, DONE),
            (Op::Commit, committed(1)),
        ],
    );
    assert_eq!(oracle.draws(), 0, "a refused insert draws nothing");
}

#[test]
fn payloads_need_not_be_canonical_where_that_is_not_asked() {
    let capabilities = Capabilities { canonical_payloads: false, ..Capabilities::ALL };
    let mut oracle = Oracle::new(&settings(&[]), capabilities);
    oracle.step(&CREATE);
    let payload = Payload::Raw { bytes: Bytes::new(), canonical: false };
    let op = Op::Put { collection: C, id: id(1), payload };
    assert_eq!(oracle.step(&op), committed(1));
}

#[test]
fn inserts_draw_in_turn_and_pass_over_what_is_live() {
    let oracle = check_with(
        &settings(&[1, 1, 2]),
        &[
            (CREATE, DONE),
            (insert(1), inserted(1, 1)),
            (insert(2), inserted(2, 2)),
            (insert(3), failed(ErrorClass::Conflict)),
            (delete(1), committed(3)),
            (Op::Begin, DONE),
            (insert(4), Outcome::Inserted { id: id(1), sequence: None }),
            (insert(5), failed(ErrorClass::Conflict)),
            (Op::Commit, committed(4)),
        ],
    );
    assert_eq!(oracle.draws(), 1 + 2 + 3 + 1 + 3, "skipped draws count");
}

#[test]
fn without_entropy_no_insert_succeeds() {
    let oracle = check(&[(CREATE, DONE), (insert(1), failed(ErrorClass::Conflict))]);
    assert_eq!(oracle.draws(), 0);
}

#[test]
fn the_same_identity_lives_apart_in_two_collections() {
    let put_d = Op::Put { collection: D, id: id(1), payload: payload(2) };
    check(&[
        (CREATE, DONE),
        (Op::CreateCollection { collection: D }, DONE),
        (put(1, 1), committed(1)),
        (put_d, committed(2)),
        (delete(1), committed(3)),
        (Op::Get { collection: D, id: id(1) }, value(2)),
        (get(1), ABSENT),
    ]);
}

#[test]
fn a_snapshot_keeps_what_was_committed_when_it_was_taken() {
    let get_then = Op::SnapshotGet { slot: 0, collection: C, id: id(1) };
    let scan_then = Op::SnapshotScan { slot: 0, collection: C };
    let young = Op::SnapshotScan { slot: 0, collection: D };
    check(&[
        (get_then.clone(), failed(ErrorClass::Misuse)),
        (CREATE, DONE),
        (put(1, 1), committed(1)),
        (Op::Begin, DONE),
        (put(1, 2), DONE),
        (Op::Snapshot { slot: 0 }, DONE),
        (get_then.clone(), value(1)),
        (Op::Commit, committed(2)),
        (Op::Checkpoint, DONE),
        (Op::CreateCollection { collection: D }, DONE),
        (get_then.clone(), value(1)),
        (scan_then, Outcome::Entities(vec![(id(1), content(1))])),
        (young, Outcome::Entities(vec![])),
        (Op::Snapshot { slot: 0 }, DONE),
        (get_then.clone(), value(2)),
        (Op::SnapshotRelease { slot: 0 }, DONE),
        (Op::SnapshotRelease { slot: 0 }, DONE),
        (get_then, failed(ErrorClass::Misuse)),
    ]);
}

#[test]
fn reopening_abandons_the_transaction_and_all_snapshots_but_not_the_draws() {
    check_with(
        &settings(&[1, 2, 3]),
        &[
            (CREATE, DONE),
            (insert(1), inserted(1, 1)),
            (Op::Snapshot { slot: 0 }, DONE),
            (Op::Begin, DONE),
            (put(5, 2), DONE),
            (Op::Reopen, DONE),
            (Op::Commit, failed(ErrorClass::Misuse)),
            (get(5), ABSENT),
            (Op::SnapshotScan { slot: 0, collection: C }, failed(ErrorClass::Misuse)),
            (insert(3), inserted(2, 2)),
        ],
    );
}

#[test]
fn what_a_subject_does_not_offer_is_unsupported() {
    let capabilities = Capabilities {
        transactions: false,
        snapshots: false,
        clients: false,
        checkpoint: false,
        compaction: false,
        ranges: true,
        scrub: false,
        insert: false,
        sequences: false,
        canonical_payloads: false,
    };
    let mut oracle = Oracle::new(&settings(&[1]), capabilities);
    for op in [Op::Begin, Op::Snapshot { slot: 0 }, insert(1), Op::Checkpoint, Op::Compact] {
        assert_eq!(oracle.step(&op), failed(ErrorClass::Unsupported), "{op}");
    }
    oracle.step(&CREATE);
    assert_eq!(oracle.step(&put(1, 1)), Outcome::Committed { sequence: None });
}

#[test]
fn an_oracle_goes_on_from_a_state() {
    let mut state = State::default();
    state.put(C, id(1), content(1));
    let mut oracle = Oracle::from_state(&settings(&[]), Capabilities::ALL, state, 6);
    assert_eq!(oracle.events(), 0);
    assert_eq!(oracle.step(&get(1)), value(1));
    assert_eq!(oracle.step(&put(2, 2)), committed(7));
    assert_eq!(oracle.events(), 1);
}
