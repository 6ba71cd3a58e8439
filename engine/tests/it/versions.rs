//! Stores of other versions of the format: a major one is refused, a newer minor one only read.

use entidb_engine::format::manifest::{Manifest, NewerMinor};
use entidb_engine::format::segment::{self, HEADER_LEN, OVERHEAD};
use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, Error, ErrorClass, OpenMode, Options};
use sha2::{Digest as _, Sha256};

use crate::support::{
    EXISTING, Files, READ_ONLY, SMALL, closed_store, contents, crashed_store, doc, id, is_sidecar,
    long_doc, snapshot_contents, try_contents, try_open,
};

/// Where a record has its flags.
const FLAGS_AT: usize = 24;
/// The last commit of [`closed_store`] before its second checkpoint.
const FIRST_CUT: u64 = 5;

fn edit(files: &mut Files, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
    change(&mut manifest);
    files.insert("MANIFEST".into(), manifest.encode());
}

/// The files as a newer minor version would have left them, with fields of its own.
fn newer(mut files: Files) -> Files {
    let newer = NewerMinor { format_minor: 1, fields: b"later fields".to_vec() };
    edit(&mut files, |manifest| manifest.newer = Some(newer));
    files
}

/// Gives other flags to the records that `which` chooses by key and sequence, each under a CRC
/// and each segment under a digest of its own. Sidecars are of other segments then.
fn flag(files: &mut Files, flags: u8, which: impl Fn(&segment::Record<'_>) -> bool) -> usize {
    let mut changed = 0;
    let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
    for (number, info) in &mut manifest.trailer.segments {
        let bytes = files.get_mut(&format!("SEGMENTS/seg-{number:06}.dat")).unwrap();
        let (mut at, mut crcs) = (0, Vec::new());
        while at < bytes.len() {
            let (record, len) = segment::decode(&bytes[at..]).unwrap();
            let end = at + len - (OVERHEAD - HEADER_LEN);
            if which(&record) {
                changed += 1;
                bytes[at + FLAGS_AT] |= flags;
                let sum = crc32fast::hash(&bytes[at..end]);
                bytes[end..at + len].copy_from_slice(&sum.to_le_bytes());
            }
            crcs.extend_from_slice(&bytes[end..at + len]);
            at += len;
        }
        info.digest = Sha256::digest(&crcs).into();
    }
    files.insert("MANIFEST".into(), manifest.encode());
    changed
}

fn refused<T>(answer: Result<T, Error>) -> String {
    let error = answer.err().unwrap();
    assert_eq!(error.class(), ErrorClass::NewerVersion, "{error}");
    error.to_string()
}

fn check_refuses_writes(db: &Database) {
    let users = db.collection("users").unwrap();
    let message = "MANIFEST: format 1.1, where this engine's 1.0 only reads what was closed \
                   cleanly; open it with a newer version of this engine";
    assert_eq!(refused(db.put(users, id(1), doc(1))), message);
    refused(db.begin().map(drop));
    refused(db.delete(users, id(1)));
    refused(db.create_collection("more"));
    refused(db.checkpoint());
    refused(db.compact());
    assert!(db.is_read_only());
}

#[test]
fn another_major_version_is_refused_and_nothing_changes() {
    for (major, class) in [(0, ErrorClass::Corrupt), (2, ErrorClass::NewerVersion)] {
        for mut files in [closed_store(), crashed_store()] {
            let manifest = files.get_mut("MANIFEST").unwrap();
            manifest[6] = major;
            let covered = manifest.len() - 4;
            let sum = crc32fast::hash(&manifest[..covered]);
            manifest[covered..].copy_from_slice(&sum.to_le_bytes());
            for options in [SMALL, EXISTING, READ_ONLY] {
                let storage = MemStorage::restore(&files);
                let error = try_open(storage.clone(), options).err().unwrap();
                assert_eq!(error.class(), class, "{error}");
                assert_eq!(storage.dump(), files, "{options:?}");
            }
        }
    }
}

#[test]
fn a_newer_minor_version_is_read_whatever_the_options_permit_and_never_written_to() {
    let due = contents(&try_open(MemStorage::restore(&closed_store()), READ_ONLY).unwrap());
    let without = |prefix: &str| {
        let mut files = newer(closed_store());
        files.retain(|name, _| !name.starts_with(prefix));
        files
    };
    let stores = [newer(closed_store()), without("INDEX"), without("wal.log"), without("LOCK")];
    for files in stores {
        for mode in [OpenMode::Create, OpenMode::Existing, OpenMode::ReadOnly] {
            let storage = MemStorage::restore(&files);
            let db = try_open(storage.clone(), Options { mode, ..SMALL }).unwrap();
            assert_eq!(contents(&db), due);
            check_refuses_writes(&db);
            assert_eq!(db.verify().unwrap().records, 9);
            let mut scrub = db.scrub().unwrap();
            while scrub.step(100).unwrap() {}
            assert_eq!(contents(&db), due);
            db.close().unwrap();
            let mut left = storage.dump();
            if !files.contains_key("LOCK") {
                assert_eq!(left.remove("LOCK"), Some(vec![]), "as any open makes it");
            }
            assert_eq!(left, files, "{mode:?}");
        }
    }
}

#[test]
fn a_newer_minor_version_that_was_not_closed_is_left_to_a_newer_engine() {
    let files = newer(crashed_store());
    for options in [SMALL, EXISTING, READ_ONLY] {
        let storage = MemStorage::restore(&files);
        let message = refused(try_open(storage.clone(), options));
        let due = "wal-000002.log: the store was not closed, and has format 1.1, where this \
                   engine's 1.0 only reads what was closed cleanly; open it with a newer version \
                   of this engine";
        assert_eq!(message, due);
        assert_eq!(storage.dump(), files);
    }
}

#[test]
fn records_of_unknown_types_are_passed_over_under_a_newer_minor_version_and_corrupt_under_ours() {
    let all = contents(&try_open(MemStorage::restore(&closed_store()), READ_ONLY).unwrap());
    for (flags, keeps_sidecars) in [(2, true), (0x80, false)] {
        let mut files = closed_store();
        let later = |record: &segment::Record<'_>| record.sequence > FIRST_CUT;
        assert_eq!(flag(&mut files, flags, later), 4);
        if !keeps_sidecars {
            files.retain(|name, _| !is_sidecar(name));
        }
        let ours = try_open(MemStorage::restore(&files), READ_ONLY);
        let error = ours.and_then(|db| try_contents(&db)).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");

        let db = try_open(MemStorage::restore(&newer(files)), SMALL).unwrap();
        let (users, posts) = (db.collection("users").unwrap(), db.collection("posts").unwrap());
        let shown = contents(&db);
        assert_ne!(shown, all);
        let due: Vec<_> = (1..=4).map(|number| (id(number), long_doc(300, 1))).collect();
        assert!(shown["users"].iter().map(|(id, doc)| (*id, doc.clone())).eq(due.clone()));
        assert_eq!(shown["posts"].len(), 1);
        let backwards: Vec<_> = db.scan(users).unwrap().rev().map(Result::unwrap).collect();
        assert!(backwards.into_iter().rev().eq(due.clone()));
        assert_eq!(db.get(users, id(5)).unwrap(), None, "unknown, and nothing below it");
        assert_eq!(db.get(posts, id(2)).unwrap(), None);
        assert_eq!(snapshot_contents(&db.snapshot().unwrap(), users), due);
        assert_eq!(db.scan_range(users, id(5)..).unwrap().count(), 0);
        assert_eq!(db.verify().unwrap().records, 9, "they are checked and counted");
    }
}

#[test]
fn every_byte_of_a_record_of_an_unknown_type_is_checked() {
    let mut files = newer(closed_store());
    assert_eq!(flag(&mut files, 2, |record| record.sequence > FIRST_CUT), 4);
    let names = files.keys().filter(|name| name.starts_with("SEGMENTS/"));
    for name in names.cloned().collect::<Vec<_>>() {
        for at in 0..files[&name].len() {
            let mut damaged = files.clone();
            damaged.get_mut(&name).unwrap()[at] ^= 0x10;
            let db = try_open(MemStorage::restore(&damaged), SMALL);
            let verified = db.and_then(|db| db.verify());
            assert!(matches!(verified, Err(Error::Corrupt { .. })), "{name} at {at}: {verified:?}");
        }
    }
}

/// Known records after an unknown one in the same segment, met from both ends.
#[test]
fn a_record_of_an_unknown_type_ends_no_walk() {
    let mut files = newer(closed_store());
    let second = |record: &segment::Record<'_>| {
        record.sequence > FIRST_CUT && record.entity == id(2) && record.collection.get() == 1
    };
    assert_eq!(flag(&mut files, 4, second), 1);
    let db = try_open(MemStorage::restore(&files), SMALL).unwrap();
    let users = db.collection("users").unwrap();
    let due = [1, 2, 4].map(|number| (id(number), long_doc(300, 1)));
    let due: Vec<_> = due.into_iter().chain([(id(5), doc(5))]).collect();
    assert_eq!(snapshot_contents(&db.snapshot().unwrap(), users), due);
    let backwards: Vec<_> = db.scan(users).unwrap().rev().map(Result::unwrap).collect();
    assert!(backwards.into_iter().rev().eq(due));
}
