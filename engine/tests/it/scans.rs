//! Scans of any range, from either end and from both, against sorted maps.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Options, Scan};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{SMALL, doc, id, open, try_open};

#[derive(Debug, Clone)]
enum Step {
    Put(u64, u8),
    Delete(u64),
    Checkpoint,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..60_u64, 0..24_u8).prop_map(|(at, content)| Step::Put(at, content)),
        2 => (0..60_u64).prop_map(Step::Delete),
        1 => Just(Step::Checkpoint),
    ];
    vec(step, 0..120)
}

fn bound() -> impl Strategy<Value = Bound<EntityId>> {
    prop_oneof![
        Just(Bound::Unbounded),
        (0..64_u64).prop_map(|at| Bound::Included(id(at))),
        (0..64_u64).prop_map(|at| Bound::Excluded(id(at))),
    ]
}

type Expected = BTreeMap<EntityId, Bytes>;

fn apply(db: &Database, users: CollectionId, steps: &[Step]) -> Expected {
    let mut expected = Expected::new();
    for step in steps {
        match step {
            Step::Put(at, content) => {
                db.put(users, id(*at), doc(*content)).unwrap();
                expected.insert(id(*at), doc(*content));
            }
            Step::Delete(at) => {
                db.delete(users, id(*at)).unwrap();
                expected.remove(&id(*at));
            }
            Step::Checkpoint => db.checkpoint().unwrap(),
        }
    }
    expected
}

/// Takes one entity after another, from the end that the next turn names.
fn check(scan: &dyn Fn() -> Scan, expected: Vec<(EntityId, Bytes)>, turns: &[bool]) {
    let up: Vec<_> = scan().map(Result::unwrap).collect();
    assert_eq!(up, expected);
    let down: Vec<_> = scan().rev().map(Result::unwrap).collect();
    assert!(down.iter().eq(expected.iter().rev()));
    let (mut scan, mut expected) = (scan(), expected.into_iter());
    let mut turns = turns.iter().cycle();
    loop {
        let (found, due) = if *turns.next().unwrap() {
            (scan.next(), expected.next())
        } else {
            (scan.next_back(), expected.next_back())
        };
        let ended = due.is_none();
        assert_eq!(found.map(Result::unwrap), due);
        if ended {
            assert!(scan.next().is_none() && scan.next_back().is_none());
            return;
        }
    }
}

fn within(all: &Expected, range: (Bound<EntityId>, Bound<EntityId>)) -> Vec<(EntityId, Bytes)> {
    use std::ops::RangeBounds as _;
    let within = all.iter().filter(|(at, _)| range.contains(at));
    within.map(|(at, content)| (*at, content.clone())).collect()
}

proptest! {
    #[test]
    fn a_range_shows_what_a_sorted_map_does_from_either_end(
        steps in steps(),
        own in steps(),
        low in bound(),
        high in bound(),
        turns in vec(any::<bool>(), 1..8),
    ) {
        let db = open(&MemStorage::new());
        let others = db.create_collection("others").unwrap();
        let users = db.create_collection("users").unwrap();
        let more = db.create_collection("more").unwrap();
        for neighbour in [others, more] {
            db.put(neighbour, id(3), doc(3)).unwrap();
        }
        let mut expected = apply(&db, users, &steps);
        let range = (low, high);
        check(&|| db.scan_range(users, range).unwrap(), within(&expected, range), &turns);

        let mut txn = db.begin().unwrap();
        for step in own {
            match step {
                Step::Put(at, content) => {
                    txn.put(users, id(at), doc(content)).unwrap();
                    expected.insert(id(at), doc(content));
                }
                Step::Delete(at) => {
                    let existed = expected.remove(&id(at)).is_some();
                    prop_assert_eq!(txn.delete(users, id(at)).unwrap(), existed);
                }
                Step::Checkpoint => {}
            }
        }
        check(&|| txn.scan_range(users, range).unwrap(), within(&expected, range), &turns);
    }
}

/// Longer than a chunk of the memtable, and than a group of records in a segment.
#[test]
fn long_scans_go_on_from_chunk_to_chunk_in_both_directions() {
    let storage = MemStorage::new();
    let db = try_open(storage, Options { max_segment: 8192, ..SMALL }).unwrap();
    let users = db.create_collection("users").unwrap();
    for sealed in [true, false] {
        let mut txn = db.begin().unwrap();
        for number in 0..1000 {
            txn.put(users, id(number * 2 + u64::from(sealed)), doc(1)).unwrap();
        }
        txn.commit().unwrap();
        if sealed {
            db.checkpoint().unwrap();
        }
    }
    let expected = |range: std::ops::Range<u64>| range.map(|number| (id(number), doc(1))).collect();
    check(&|| db.scan(users).unwrap(), expected(0..2000), &[true, true, false]);
    let part = || db.scan_range(users, id(255)..id(1745)).unwrap();
    check(&part, expected(255..1745), &[false, true]);
}

#[test]
fn inverted_ranges_are_empty() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    let (one, two) = (id(1), id(2));
    let inverted = [
        (Bound::Included(two), Bound::Included(one)),
        (Bound::Excluded(one), Bound::Excluded(one)),
        (Bound::Included(one), Bound::Excluded(one)),
        (Bound::Excluded(one), Bound::Included(one)),
    ];
    for range in inverted {
        check(&|| db.scan_range(users, range).unwrap(), Vec::new(), &[true]);
        check(&|| db.begin().unwrap().scan_range(users, range).unwrap(), Vec::new(), &[false]);
    }
}
