//! Living beside `EntiDB` itself: its directories are left alone, ours are readable to it.

use std::collections::BTreeMap;

use entidb_engine::Error;
use entidb_engine::format::segment;
use entidb_engine::storage::MemStorage;

use crate::support::{EXISTING, Files, READ_ONLY, SMALL, closed_store, is_sidecar, try_open};

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

/// What `EntiDB` 2.0.0-alpha.3 leaves after: create "users", put one entity, delete it.
fn golden() -> Files {
    let wal = "4557414c0100010800000001000000000000006971fd21 \
               4557414c0100022d0000000100000000000000010000000000000000000000000000000000000100\
               0c000000a2617601646e616d65626e310adeb7f6 \
               4557414c01000410000000010000000000000001000000000000003949a089 \
               4557414c0100010800000002000000000000008a7672af \
               4557414c0100031d0000000200000000000000010000000000000000000000000000000000000100\
               ee0b7e0b \
               4557414c010004100000000200000000000000020000000000000028fae72e";
    let segment = "310000000100000000000000000000000000000000000001000100000000000000\
                   a2617601646e616d65626e3168bf899c \
                   250000000100000000000000000000000000000000000001010200000000000000b3493826";
    let manifest = "454d464e020001000000020000000100000005007573657273010000000100000000000000\
                    0000000000";
    BTreeMap::from([
        ("LOCK".into(), vec![]),
        ("MANIFEST".into(), unhex(manifest)),
        ("SEGMENTS/seg-000001.dat".into(), unhex(segment)),
        ("wal.log".into(), unhex(wal)),
    ])
}

#[track_caller]
fn check_foreign(files: &Files, shown_by: &str) {
    for options in [SMALL, EXISTING, READ_ONLY] {
        let storage = MemStorage::restore(files);
        for _ in 0..2 {
            match try_open(storage.clone(), options).err() {
                Some(Error::Foreign { file, .. }) => assert_eq!(file, shown_by),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(storage.dump(), *files, "not touched");
    }
}

#[test]
fn a_directory_of_its_making_is_foreign_and_left_alone() {
    check_foreign(&golden(), "MANIFEST");
    let mut checkpointed = golden();
    let manifest = "454d464e02000100000002000000010000000500757365727301000000020000000000000001\
                    0000000100000000000000010000000100\
                    04006e616d6500000200000000000000010200000000000000";
    checkpointed.insert("MANIFEST".into(), unhex(manifest));
    checkpointed.insert("wal.log".into(), vec![]);
    check_foreign(&checkpointed, "MANIFEST");
}

#[test]
fn its_log_without_a_manifest_is_foreign_and_left_alone() {
    let mut files = golden();
    files.remove("MANIFEST");
    check_foreign(&files, "wal.log");
    files.remove("SEGMENTS/seg-000001.dat");
    check_foreign(&files, "wal.log");
}

/// It opens what we closed, commits to `wal.log` and does not touch MANIFEST before its own
/// checkpoint: opened here again, those commits would silently not be there.
#[test]
fn commits_it_took_after_our_close_are_not_passed_over() {
    let mut files = closed_store();
    files.insert("wal.log".into(), golden()["wal.log"].clone());
    check_foreign(&files, "wal.log");
}

/// Reads a body of MANIFEST as `EntiDB` does, sharing no code with the engine: collections by
/// name, the last checkpoint, and the bytes it does not look at.
fn read_body(bytes: &[u8]) -> (Vec<(String, u32)>, u64, &[u8]) {
    let mut rest = bytes;
    let mut take = |len: usize| {
        let (taken, after) = rest.split_at(len);
        rest = after;
        taken
    };
    assert_eq!(take(10), b"EMFN\x02\x00\x01\x00\x00\x00");
    let next_collection = u32::from_le_bytes(take(4).try_into().unwrap());
    let count = u32::from_le_bytes(take(4).try_into().unwrap());
    let mut collections = Vec::new();
    for _ in 0..count {
        let len = u16::from_le_bytes(take(2).try_into().unwrap());
        let name = String::from_utf8(take(len.into()).to_vec()).unwrap();
        collections.push((name, u32::from_le_bytes(take(4).try_into().unwrap())));
    }
    assert!(collections.iter().all(|(_, id)| *id < next_collection));
    assert_eq!(take(12), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "no index");
    assert_eq!(take(1), [1], "there is a checkpoint");
    let last_checkpoint = u64::from_le_bytes(take(8).try_into().unwrap());
    (collections, last_checkpoint, rest)
}

#[test]
fn what_we_closed_is_what_it_opens() {
    let files = closed_store();
    // It has no use for sidecars, and does not look for them.
    let names = files.keys().map(String::as_str).filter(|name| !is_sidecar(name));
    let names: Vec<&str> = names.collect();
    let segments: Vec<String> =
        (1..=names.len() - 3).map(|at| format!("SEGMENTS/seg-{at:06}.dat")).collect();
    let expected: Vec<&str> = ["LOCK", "MANIFEST"]
        .into_iter()
        .chain(segments.iter().map(String::as_str))
        .chain(["wal.log"])
        .collect();
    assert_eq!(names, expected);
    assert_eq!(files["wal.log"], []);

    let (collections, last_checkpoint, ignored) = read_body(&files["MANIFEST"]);
    assert_eq!(collections, [("posts".into(), 2), ("users".into(), 1)]);
    assert_eq!(last_checkpoint, 8);
    assert_eq!(&ignored[..4], b"EMFT");
    let mut sequences = Vec::new();
    for segment in &segments {
        let mut bytes = &files[segment][..];
        while !bytes.is_empty() {
            let (record, len) = segment::decode(bytes).unwrap();
            sequences.push(record.sequence);
            bytes = &bytes[len..];
        }
    }
    sequences.sort_unstable();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7, 8, 8]);
}
