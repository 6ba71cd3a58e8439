use std::collections::BTreeSet;

use super::{GenerateProfile, generate};
use crate::mechanism::{Mechanism, Mechanisms};
use crate::op::Op;
use crate::payload::Payload;
use crate::plan::Plan;
use crate::subject::Capabilities;

const ALL: [Mechanism; 23] = [
    Mechanism::MultiOperationTransaction,
    Mechanism::MultiSectorCommit,
    Mechanism::PageCrossingCommit,
    Mechanism::Abort,
    Mechanism::AbandonedTransaction,
    Mechanism::EmptyCommit,
    Mechanism::AbsentDelete,
    Mechanism::OwnWriteRead,
    Mechanism::SnapshotAcrossWrite,
    Mechanism::SnapshotAcrossCheckpoint,
    Mechanism::SnapshotAcrossCompaction,
    Mechanism::Checkpoint,
    Mechanism::Compaction,
    Mechanism::SegmentRotation,
    Mechanism::LogBeyondReserve,
    Mechanism::Reopen,
    Mechanism::SharedIdentity,
    Mechanism::Insert,
    Mechanism::InsertPassedLive,
    Mechanism::EntropyExhausted,
    Mechanism::RefusedPayload,
    Mechanism::UnknownCollection,
    Mechanism::Misuse,
];

fn plans(profile: &GenerateProfile, count: u64) -> impl Iterator<Item = Plan> {
    (0..count).map(|seed| generate(seed, profile))
}

/// In how many of 100 plans a mechanism is reached.
fn frequency(profile: &GenerateProfile, mechanism: Mechanism) -> usize {
    let reached = plans(profile, 100)
        .map(|plan| Mechanisms::reached_by(&plan, Capabilities::ALL))
        .filter(|reached| reached.contains(mechanism));
    reached.count()
}

#[test]
fn a_seed_stands_for_the_same_plan_for_ever() {
    // A change here invalidates every seed that anyone noted down: it must be wanted.
    insta::assert_snapshot!(generate(1, &GenerateProfile::crash()), @r#"
    {"format":"proofhouse-plan","version":1,"seed":1,"settings":{"wal_reserve":8192,"max_segment":4096,"entropy":["03000000000000000000000000000000","01000000000000000000000000000000","00000000000000000000000000000001","01000000000000000000000000000001","00000000000000000000000000000001","02000000000000000000000000000001","00000000000000000000000000000000"],"max_payload":5200}}
    {"op":"create_collection","collection":"c0"}
    {"op":"create_collection","collection":"c1"}
    {"op":"put","collection":"c0","id":"00000000000000000000000000000000","payload":{"entity":{"tag":1,"size":88}}}
    {"op":"put","collection":"c1","id":"00000000000000000000000000000001","payload":{"entity":{"tag":2,"size":52}}}
    {"op":"insert","collection":"c0","payload":{"entity":{"tag":3,"size":69}}}
    {"op":"begin"}
    {"op":"put","collection":"c1","id":"00000000000000000000000000000001","payload":{"entity":{"tag":4,"size":894}}}
    {"op":"abort"}
    {"op":"put","collection":"c0","id":"02000000000000000000000000000001","payload":{"entity":{"tag":5,"size":42}}}
    {"op":"put","collection":"c0","id":"02000000000000000000000000000001","payload":{"entity":{"tag":6,"size":17}}}
    {"op":"begin"}
    {"op":"put","collection":"c1","id":"02000000000000000000000000000001","payload":{"entity":{"tag":7,"size":15}}}
    {"op":"commit"}
    {"op":"begin"}
    {"op":"commit"}
    {"op":"put","collection":"c0","id":"01000000000000000000000000000000","payload":{"entity":{"tag":8,"size":4300}}}
    {"op":"checkpoint"}
    {"op":"reopen"}
    {"op":"put","collection":"c0","id":"00000000000000000000000000000000","payload":{"entity":{"tag":9,"size":80}}}
    "#);
}

#[test]
fn different_seeds_stand_for_different_plans() {
    let plans: BTreeSet<String> = plans(&GenerateProfile::crash(), 200)
        .map(|plan| format!("{:?}{:?}", plan.settings, plan.ops))
        .collect();
    assert_eq!(plans.len(), 200);
}

#[test]
fn differential_plans_reach_every_mechanism() {
    let profile = GenerateProfile::differential();
    for mechanism in ALL {
        let plans = frequency(&profile, mechanism);
        assert!(plans >= 10, "{mechanism:?} is reached in {plans} of 100 plans");
    }
}

#[test]
fn every_crash_plan_checkpoints_and_crosses_a_page() {
    let profile = GenerateProfile::crash();
    assert_eq!(frequency(&profile, Mechanism::Checkpoint), 100);
    assert_eq!(frequency(&profile, Mechanism::PageCrossingCommit), 100);
    let often = [
        Mechanism::MultiOperationTransaction,
        Mechanism::Reopen,
        Mechanism::Abort,
        Mechanism::SegmentRotation,
        Mechanism::LogBeyondReserve,
        Mechanism::Insert,
        Mechanism::Compaction,
    ];
    for mechanism in often {
        let plans = frequency(&profile, mechanism);
        assert!(plans >= 10, "{mechanism:?} is reached in {plans} of 100 plans");
    }
}

#[test]
fn plans_have_the_length_of_their_profile() {
    for plan in plans(&GenerateProfile::crash(), 100) {
        assert!((12..=33).contains(&plan.ops.len()), "{} operations", plan.ops.len());
        assert!(matches!(plan.ops[0], Op::CreateCollection { .. }));
    }
    for plan in plans(&GenerateProfile::differential(), 20) {
        assert!((200..=403).contains(&plan.ops.len()), "{} operations", plan.ops.len());
    }
}

#[test]
fn tags_are_unique_within_a_plan() {
    let plan = generate(5, &GenerateProfile::differential());
    let tags: Vec<u32> = plan.ops.iter().filter_map(tag).collect();
    assert!(tags.len() > 50);
    assert!(tags.is_sorted_by(|a, b| a < b), "{tags:?}");
}

fn tag(op: &Op) -> Option<u32> {
    match op {
        Op::Put { payload: Payload::Entity { tag, .. }, .. }
        | Op::Insert { payload: Payload::Entity { tag, .. }, .. } => Some(*tag),
        _ => None,
    }
}
