//! Proptest strategies for plans. They shrink operations: fewer first, then simpler ones.

use proptest::collection::{SizeRange, vec};
use proptest::option::of;
use proptest::prelude::*;

use crate::op::{Collection, Id, Op, Slot};
use crate::payload::Payload;
use crate::plan::{Plan, Settings};

/// A collection of a small universe; the last one is seldom created.
pub fn collection() -> impl Strategy<Value = Collection> {
    (0..4_u8).prop_map(Collection)
}

/// An identity of a small universe.
pub fn id() -> impl Strategy<Value = Id> {
    (0..12_u8).prop_map(Id::nth)
}

fn slot() -> impl Strategy<Value = Slot> {
    0..3_u8
}

/// A payload: mostly short, seldom longer than a sector or a page, sometimes not canonical.
pub fn payload() -> impl Strategy<Value = Payload> {
    let entity = |size| (any::<u32>(), size).prop_map(|(tag, size)| Payload::Entity { tag, size });
    let raw =
        |bytes: &'static [u8], canonical| Just(Payload::Raw { bytes: bytes.into(), canonical });
    prop_oneof![
        20 => entity(0..150_u32),
        4 => entity(500..1100_u32),
        1 => entity(4000..5000_u32),
        1 => raw(&[0xa0], true),
        1 => raw(&[0x18, 0x01], false),
        1 => raw(&[], false),
    ]
}

/// One operation of any kind.
pub fn op() -> impl Strategy<Value = Op> {
    let reads = prop_oneof![
        (collection(), id()).prop_map(|(collection, id)| Op::Get { collection, id }),
        (collection(), vec(id(), 0..5))
            .prop_map(|(collection, ids)| Op::GetMany { collection, ids }),
        collection().prop_map(|collection| Op::Scan { collection }),
        (collection(), of(id()), of(id()), any::<bool>()).prop_map(
            |(collection, from, to, descending)| Op::ScanRange { collection, from, to, descending }
        ),
    ];
    let snapshots = prop_oneof![
        slot().prop_map(|slot| Op::Snapshot { slot }),
        (slot(), collection(), id()).prop_map(|(slot, collection, id)| Op::SnapshotGet {
            slot,
            collection,
            id
        }),
        (slot(), collection()).prop_map(|(slot, collection)| Op::SnapshotScan { slot, collection }),
        slot().prop_map(|slot| Op::SnapshotRelease { slot }),
    ];
    prop_oneof![
        3 => collection().prop_map(|collection| Op::CreateCollection { collection }),
        3 => Just(Op::Begin),
        3 => Just(Op::Commit),
        1 => Just(Op::Abort),
        8 => (collection(), id(), payload())
            .prop_map(|(collection, id, payload)| Op::Put { collection, id, payload }),
        2 => (collection(), payload())
            .prop_map(|(collection, payload)| Op::Insert { collection, payload }),
        4 => (collection(), id()).prop_map(|(collection, id)| Op::Delete { collection, id }),
        6 => reads,
        4 => snapshots,
        1 => Just(Op::Checkpoint),
        1 => Just(Op::Compact),
        1 => Just(Op::CompactStep),
        1 => Just(Op::Scrub),
        1 => Just(Op::Reopen),
    ]
}

/// Settings small enough that a few operations reach every mechanism.
pub fn settings() -> impl Strategy<Value = Settings> {
    (0..3_u32, 0..4_u32, vec(id(), 0..6)).prop_map(|(reserve, segment, entropy)| Settings {
        wal_reserve: 4096 << reserve,
        max_segment: 1024 << segment,
        entropy,
        max_payload: 4800,
    })
}

/// A plan with so many operations.
pub fn plan(ops: impl Into<SizeRange>) -> impl Strategy<Value = Plan> {
    (any::<u64>(), settings(), vec(op(), ops)).prop_map(|(seed, settings, mut ops)| {
        number_payloads(&mut ops);
        Plan { seed, settings, ops }
    })
}

/// Makes tags unique, and small enough to read.
fn number_payloads(ops: &mut [Op]) {
    for (op, number) in ops.iter_mut().zip(1..) {
        if let Op::Put { payload: Payload::Entity { tag, .. }, .. }
        | Op::Insert { payload: Payload::Entity { tag, .. }, .. } = op
        {
            *tag = number;
        }
    }
}
