//! Sidecars are derived: whatever happens to one changes time, never results.

use std::collections::BTreeMap;

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Options};

use crate::support::faulty::Faulty;
use crate::support::{
    Files, READ_ONLY, SMALL, contents, doc, id, is_sidecar, long_doc, open, try_open,
};

/// More than one block of slots, more than one of fences, over two checkpoints.
const ENTITIES: u64 = 1200;
const LARGE: Options = Options { max_segment: 1 << 20, ..SMALL };

/// Even numbers are there; every sixth was replaced after the first checkpoint.
fn filled() -> Files {
    let storage = MemStorage::new();
    let db = try_open(storage.clone(), LARGE).unwrap();
    let users = db.create_collection("users").unwrap();
    let fill = |step: usize, content: u8| {
        let mut txn = db.begin().unwrap();
        for number in (0..ENTITIES * 2).step_by(step) {
            txn.put(users, id(number), doc(content)).unwrap();
        }
        txn.commit().unwrap();
        db.checkpoint().unwrap();
    };
    fill(2, 1);
    fill(6, 2);
    db.close().unwrap();
    storage.dump()
}

/// Every answer of a store, by every access path, for what is there and what is not.
fn answers(db: &Database, users: CollectionId) -> (Vec<Option<Bytes>>, Vec<(EntityId, Bytes)>) {
    let gets = (0..ENTITIES * 2 + 3).map(|number| db.get(users, id(number)).unwrap()).collect();
    let up: Vec<_> = db.scan(users).unwrap().map(Result::unwrap).collect();
    let mut down: Vec<_> = db.scan(users).unwrap().rev().map(Result::unwrap).collect();
    down.reverse();
    assert_eq!(up, down);
    for first in [0, 1, 700, ENTITIES * 2 - 3, ENTITIES * 3] {
        let range = db.scan_range(users, id(first)..=id(first + 40)).unwrap();
        let within = up.iter().filter(|(at, _)| (id(first)..=id(first + 40)).contains(at));
        assert!(range.map(Result::unwrap).eq(within.cloned()), "from {first}");
    }
    (gets, up)
}

fn answers_of(files: &Files, options: Options) -> (Vec<Option<Bytes>>, Vec<(EntityId, Bytes)>) {
    let db = try_open(MemStorage::restore(files), options).unwrap();
    let answers = answers(&db, db.collection("users").unwrap());
    db.verify().unwrap();
    answers
}

type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 9] = [
    ("nothing", |_| {}),
    ("empty", Vec::clear),
    ("its header flipped", |bytes| bytes[50] ^= 1),
    ("a block of slots flipped", |bytes| bytes[256 + 100] ^= 1),
    ("a block of slots zeroed", |bytes| bytes[512..768].fill(0)),
    ("two blocks exchanged", |bytes| {
        let (left, right) = bytes.split_at_mut(512);
        left[256..].swap_with_slice(&mut right[..256]);
    }),
    ("a fence flipped", |bytes| *bytes.last_mut().unwrap() ^= 1),
    ("cut to its header", |bytes| bytes.truncate(256)),
    ("a byte longer", |bytes| bytes.push(0)),
];

#[test]
fn damage_to_a_sidecar_changes_no_answer() {
    let files = filled();
    let expected = answers_of(&files, READ_ONLY);
    assert_eq!(expected.0.iter().flatten().count() as u64, ENTITIES);
    let names: Vec<String> = files.keys().filter(|name| is_sidecar(name)).cloned().collect();
    assert_eq!(names, ["INDEX/seg-000001.idx", "INDEX/seg-000002.idx"]);
    for name in &names {
        for (what, damage) in DAMAGES {
            let mut damaged = files.clone();
            damage(damaged.get_mut(name).unwrap());
            for options in [READ_ONLY, LARGE] {
                assert_eq!(answers_of(&damaged, options), expected, "{name}: {what}");
            }
        }
        let mut missing = files.clone();
        missing.remove(name);
        assert_eq!(answers_of(&missing, READ_ONLY), expected, "{name} missing");
    }
    let mut exchanged = files.clone();
    exchanged.insert(names[0].clone(), files[&names[1]].clone());
    assert_eq!(answers_of(&exchanged, READ_ONLY), expected, "that of another segment");
}

/// Each byte of each sidecar, with a segment small enough to try them all.
#[test]
fn no_byte_of_a_sidecar_is_believed_unchecked() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    for number in 0..8 {
        db.put(users, id(number * 2), doc(1)).unwrap();
    }
    db.close().unwrap();
    let files = storage.dump();
    let name = "INDEX/seg-000001.idx";
    let expected = contents(&open(&MemStorage::restore(&files)));
    for at in 0..files[name].len() {
        let mut damaged = files.clone();
        damaged.get_mut(name).unwrap()[at] ^= 0x81;
        let db = try_open(MemStorage::restore(&damaged), READ_ONLY).unwrap();
        assert_eq!(contents(&db), expected, "byte {at}");
        for number in 0..8 {
            assert_eq!(db.get(users, id(number * 2 + 1)).unwrap(), None, "byte {at}");
        }
    }
}

#[test]
fn an_open_makes_missing_sidecars_anew() {
    let files = filled();
    let kept: Files = files.clone().into_iter().filter(|(name, _)| !is_sidecar(name)).collect();
    let storage = MemStorage::restore(&kept);
    drop(try_open(storage.clone(), READ_ONLY).unwrap());
    assert_eq!(storage.dump(), kept, "reading writes nothing");
    drop(try_open(storage.clone(), LARGE).unwrap());
    assert_eq!(storage.dump(), files, "the same bytes, from the segments alone");
}

#[test]
fn a_medium_that_refuses_sidecars_serves_without_them() {
    let mut files = filled();
    files.retain(|name, _| !is_sidecar(name));
    let expected = answers_of(&files, READ_ONLY);
    // A file where the directory should be: none can be created.
    files.insert("INDEX".into(), vec![]);
    let db = try_open(MemStorage::restore(&files), LARGE).unwrap();
    let users = db.collection("users").unwrap();
    assert_eq!(answers(&db, users), expected);
    db.put(users, id(0), doc(9)).unwrap();
    db.checkpoint().unwrap();
    assert_eq!(db.get(users, id(0)).unwrap(), Some(doc(9)));
    db.close().unwrap();
}

/// As many calls a segment, however long it is, and none of them reads records.
#[test]
fn an_open_reads_no_more_than_the_header_of_each_sidecar() {
    let calls_of = |files: &Files| {
        let storage = Faulty::new(MemStorage::restore(files));
        drop(try_open(storage.clone(), READ_ONLY).unwrap());
        let mut counts = BTreeMap::new();
        for call in storage.take_calls().iter().filter(|call| call.contains("/seg-")) {
            let (verb, name) = call.split_once(' ').unwrap();
            let place = name.split_once('/').unwrap().0;
            *counts.entry(format!("{verb} {place}")).or_insert(0) += 1;
        }
        counts
    };
    let short = {
        let storage = MemStorage::new();
        let db = open(&storage);
        let users = db.create_collection("users").unwrap();
        for number in 0..2 {
            db.put(users, id(number), long_doc(300, 1)).unwrap();
        }
        db.close().unwrap();
        storage.dump()
    };
    let (short, long) = (calls_of(&short), calls_of(&filled()));
    assert_eq!(short, long, "two segments each");
    let expected = ["len INDEX", "len SEGMENTS", "open INDEX", "open SEGMENTS", "read INDEX"]
        .into_iter()
        .chain(["view INDEX", "view SEGMENTS"]);
    assert!(long.into_iter().eq(expected.map(|call| (call.to_owned(), 2))));
}

#[test]
fn a_sidecar_takes_less_than_eleven_bytes_a_record() {
    let files = filled();
    let len = |name: &str| files[name].len() as u64;
    // 256 bytes for each 25 records, one block of fences for each 1008, and the header.
    let blocks = 1 + ENTITIES.div_ceil(25) + ENTITIES.div_ceil(1008);
    let spilled = len("INDEX/seg-000001.idx") / 256 - blocks;
    assert!(spilled <= 2, "{spilled} blocks spilled");
    assert!(len("INDEX/seg-000001.idx") < 11 * ENTITIES + 3 * 256);
}
