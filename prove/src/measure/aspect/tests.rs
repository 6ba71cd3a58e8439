use proofhouse_model::{Id, Payload, Settings};

use super::*;

const ID: Id = Id([1; 16]);

fn create(collection: u8) -> Op {
    Op::CreateCollection { collection: Collection(collection) }
}

fn put(collection: u8) -> Op {
    let payload = Payload::Entity { tag: 1, size: 10 };
    Op::Put { collection: Collection(collection), id: ID, payload }
}

fn get(collection: u8) -> Op {
    Op::Get { collection: Collection(collection), id: ID }
}

/// Where the last operation of a plan answers wrongly.
fn check(ops: Vec<Op>, due: Outcome, got: Outcome, claim: &str) {
    let settings =
        Settings { wal_reserve: 4096, max_segment: 4096, entropy: Vec::new(), max_payload: 100 };
    let divergence = Divergence {
        index: ops.len() - 1,
        op: ops.last().unwrap().clone(),
        due,
        got: Got::Outcome(got),
    };
    let plan = Plan { seed: 0, settings, ops };
    assert_eq!(super::claim(&plan, &divergence), claim);
}

fn nothing() -> Outcome {
    Outcome::Value(None)
}

fn something() -> Outcome {
    Outcome::Value(Some(b"x".as_slice().into()))
}

#[test]
fn a_divergence_belongs_to_what_its_plan_still_needs() {
    let committed = |sequence| Outcome::Committed { sequence: Some(sequence) };
    let snapshot_get = Op::SnapshotGet { slot: 0, collection: Collection(0), id: ID };
    check(vec![create(0), create(1), put(1), get(0)], nothing(), something(), "AC-09.differential");
    check(vec![create(0), put(0)], committed(1), committed(2), "AC-07.dense");
    check(
        vec![create(0), Op::Snapshot { slot: 0 }, put(0), snapshot_get.clone()],
        nothing(),
        something(),
        "AC-06.differential",
    );
    check(
        vec![create(0), Op::Snapshot { slot: 0 }, put(0), Op::Compact, snapshot_get],
        nothing(),
        something(),
        "AC-06.compaction",
    );
    check(vec![create(0), put(0), Op::Compact, get(0)], something(), nothing(), "AC-08.compaction");
    check(vec![create(0), put(0), Op::Reopen, get(0)], something(), nothing(), "AC-02.clean-close");
    check(
        vec![create(0), Op::Begin, put(0), Op::Abort, get(0)],
        nothing(),
        something(),
        "AC-03.transactions",
    );
    check(vec![create(0), put(0), get(0)], something(), nothing(), "AC-08.differential");
}
