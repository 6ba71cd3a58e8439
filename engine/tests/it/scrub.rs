//! Scrub finds what is damaged while the store is in use, and mends what is derived.

use entidb_engine::storage::{MemStorage, Storage as _};
use entidb_engine::{Database, Error, ScrubFinding, ScrubReport};

use crate::support::{
    READ_ONLY, SMALL, closed_store, contents, doc, id, is_sidecar, open, try_open,
};

fn scrubbed(db: &Database) -> ScrubReport {
    let mut scrub = db.scrub().unwrap();
    while scrub.step(100).unwrap() {}
    scrub.report().clone()
}

#[test]
fn a_sound_store_is_read_whole_and_nothing_is_found() {
    let storage = MemStorage::restore(&closed_store());
    let db = open(&storage);
    let verified = db.verify().unwrap();
    let report = scrubbed(&db);
    assert_eq!((report.segments, report.records), (verified.segments, verified.records));
    let sealed = closed_store().into_iter().filter(|(name, _)| name.starts_with("SEGMENTS/"));
    assert_eq!(report.bytes, sealed.map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(storage.dump(), closed_store(), "and nothing is written");
}

#[test]
fn every_damaged_byte_of_a_segment_is_found_and_the_rest_is_read() {
    let files = closed_store();
    let sound = scrubbed(&open(&MemStorage::restore(&files)));
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("SEGMENTS/")) {
        for at in 0..bytes.len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1;
            let report = scrubbed(&try_open(MemStorage::restore(&damaged), READ_ONLY).unwrap());
            assert_eq!(report.segments, sound.segments);
            match &report.findings[..] {
                [ScrubFinding::Damaged(Error::Corrupt { file, .. })] => assert_eq!(file, name),
                other => panic!("{name}: byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_damaged_byte_of_a_sidecar_is_found_and_mended() {
    let files = closed_store();
    for (name, bytes) in files.iter().filter(|(name, _)| is_sidecar(name)) {
        for at in 0..bytes.len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1;
            for (options, writable) in [(READ_ONLY, false), (SMALL, true)] {
                let storage = MemStorage::restore(&files);
                let db = try_open(storage.clone(), options).unwrap();
                // Damaged after the open, which would have mended a header by itself.
                storage.open(name).unwrap().write_at(0, &damaged[name]).unwrap();
                match &scrubbed(&db).findings[..] {
                    [ScrubFinding::Sidecar { file, mended }] => {
                        assert_eq!((file, *mended), (name, writable), "byte {at}");
                    }
                    other => panic!("{name}: byte {at}: {other:?}"),
                }
                assert_eq!(storage.dump()[name] == files[name], writable, "byte {at}");
                if writable {
                    assert!(scrubbed(&db).findings.is_empty());
                }
            }
        }
    }
}

#[test]
fn a_manifest_that_changed_behind_the_handle_is_found() {
    let storage = MemStorage::restore(&closed_store());
    let db = open(&storage);
    storage.open("MANIFEST").unwrap().write_at(20, &[0xff]).unwrap();
    match &scrubbed(&db).findings[..] {
        [ScrubFinding::Damaged(Error::Corrupt { file, .. })] => assert_eq!(file, "MANIFEST"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_scrub_goes_on_through_commits_checkpoints_and_compactions() {
    let storage = MemStorage::restore(&closed_store());
    let db = open(&storage);
    let users = db.collection("users").unwrap();
    let due = scrubbed(&db);
    let mut scrub = db.scrub().unwrap();
    let mut round = 0;
    while scrub.step(1).unwrap() {
        db.put(users, id(50 + round), doc(1)).unwrap();
        db.checkpoint().unwrap();
        db.compact().unwrap();
        round += 1;
    }
    assert!(round > 5, "{round} steps");
    assert_eq!(scrub.report().records, due.records, "what there was when it was begun");
    assert!(scrub.report().findings.is_empty(), "{:?}", scrub.report().findings);
    let shown = contents(&db);
    db.close().unwrap();
    assert!(matches!(db.scrub().err(), Some(Error::Closed)));
    assert!(matches!(scrub.step(1), Err(Error::Closed)));
    assert_eq!(contents(&open(&storage)), shown);
}

#[test]
fn the_first_step_of_a_scrub_needs_no_open_transaction_of_its_thread() {
    let db = open(&MemStorage::restore(&closed_store()));
    let mut scrub = db.scrub().unwrap();
    let txn = db.begin().unwrap();
    assert!(matches!(scrub.step(1), Err(Error::NestedTransaction)));
    drop(txn);
    while scrub.step(u64::MAX).unwrap() {}
    assert!(scrub.report().findings.is_empty());
}
