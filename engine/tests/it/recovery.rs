//! Directories that a crash leaves, made by hand.

use std::collections::BTreeMap;

use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::wal::{Body, Stamp, encode};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Error};

use crate::support::faulty::Faulty;
use crate::support::{Files, READ_ONLY, SMALL, contents, crashed_store, doc, id, open, try_open};

/// A store whose MANIFEST names two live WAL files, as while a checkpoint runs.
struct TwoWals {
    files: Files,
    manifest: Manifest,
    users: CollectionId,
}

/// A file with its name.
type Named = (&'static str, Vec<u8>);

const EARLIER: &str = "wal-000005.log";
const LATER: &str = "wal-000006.log";

impl TwoWals {
    fn new() -> Self {
        let storage = MemStorage::new();
        let db = open(&storage);
        let users = db.create_collection("users").unwrap();
        db.put(users, id(1), doc(1)).unwrap();
        db.close().unwrap();
        let files = storage.dump();
        let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
        manifest.trailer.wals = vec![5, 6];
        manifest.trailer.next_generation = 7;
        Self { files, manifest, users }
    }

    fn wal(&self, generation: u32, cut: u64, sequences: std::ops::Range<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut push = |body: &Body<'_>, synced_to| {
            let offset = bytes.len() as u64;
            encode(body, Some(&Stamp { generation, offset, synced_to }), &mut bytes);
        };
        push(&Body::Checkpoint { cut, reserved: Some(512) }, cut);
        for txid in sequences {
            let after = doc(u8::try_from(txid).unwrap());
            let (collection, entity) = (self.users, id(txid));
            push(&Body::Begin { txid }, txid - 1);
            push(&Body::Put { txid, collection, entity, before: None, after: &after }, txid - 1);
            push(&Body::Commit { txid, sequence: txid }, txid - 1);
        }
        bytes.resize(bytes.len().max(512), 0);
        bytes
    }

    fn open(&self, wals: &[Named]) -> Result<usize, String> {
        let mut files = self.files.clone();
        files.insert("MANIFEST".into(), self.manifest.encode());
        files.extend(wals.iter().map(|(name, bytes)| ((*name).into(), bytes.clone())));
        let storage = MemStorage::restore(&files);
        let db = match try_open(storage.clone(), SMALL) {
            Ok(db) => db,
            Err(error) => {
                assert!(matches!(error, Error::Corrupt { .. }), "{error}");
                assert_eq!(storage.dump(), files);
                return Err(error.to_string());
            }
        };
        let shown = contents(&db);
        drop(db);
        assert_eq!(contents(&open(&storage)), shown, "recovering again changes nothing");
        Ok(shown["users"].len())
    }
}

#[test]
fn two_live_wals_are_read_one_after_the_other() {
    let store = TwoWals::new();
    let earlier = store.wal(5, 1, 2..5);
    let rows: [(&str, Vec<Named>, Result<usize, &str>); 7] = [
        ("both", vec![(EARLIER, earlier.clone()), (LATER, store.wal(6, 4, 5..8))], Ok(7)),
        (
            "an empty later one",
            vec![(EARLIER, earlier.clone()), (LATER, store.wal(6, 4, 5..5))],
            Ok(4),
        ),
        (
            "an earlier one that ends below the cut",
            vec![(EARLIER, store.wal(5, 1, 2..4)), (LATER, store.wal(6, 4, 5..8))],
            Err("wal-000006.log: corrupt at offset 0: begins at cut 4 where sequence 3 was \
                 reached; restore the store from a backup"),
        ),
        (
            "an earlier one that ends above the cut",
            vec![(EARLIER, store.wal(5, 1, 2..6)), (LATER, store.wal(6, 4, 5..8))],
            Err("wal-000006.log: corrupt at offset 0: begins at cut 4 where sequence 5 was \
                 reached; restore the store from a backup"),
        ),
        (
            "no earlier one",
            vec![(LATER, store.wal(6, 4, 5..8))],
            Err("wal-000005.log: corrupt at offset 0: MANIFEST names this WAL: it is missing; \
                 restore the store from a backup"),
        ),
        (
            "no later one",
            vec![(EARLIER, earlier.clone())],
            Err("wal-000006.log: corrupt at offset 0: MANIFEST names this WAL: it is missing; \
                 restore the store from a backup"),
        ),
        (
            "the same one twice",
            vec![(EARLIER, earlier.clone()), (LATER, earlier)],
            Err("wal-000006.log: corrupt at offset 0: the first record is damaged; \
                 restore the store from a backup"),
        ),
    ];
    for (case, wals, expected) in rows {
        assert_eq!(store.open(&wals), expected.map_err(str::to_owned), "{case}");
    }
}

#[test]
fn a_torn_tail_is_discarded_silently_and_its_sequence_is_taken_again() {
    let whole = crashed_store();
    let wal = "wal-000002.log";
    let end = whole[wal].iter().rposition(|byte| *byte != 0).unwrap();
    let mut torn = whole.clone();
    torn.get_mut(wal).unwrap()[end] ^= 0xff;
    let storage = MemStorage::restore(&torn);
    let db = open(&storage);
    assert_eq!(db.sequence(), 7, "of 8 commits the last is torn");
    let users = db.collection("users").unwrap();
    assert_eq!(db.get(users, id(5)).unwrap(), None);
    assert_eq!(db.put(users, id(5), doc(9)).unwrap(), 8);
    drop(db);
    let db = open(&storage);
    assert_eq!(db.get(users, id(5)).unwrap(), Some(doc(9)));
    assert_eq!(db.sequence(), 8);
}

#[test]
fn recovery_relies_on_no_file_of_the_life_before() {
    let storage = Faulty::new(MemStorage::restore(&crashed_store()));
    drop(try_open(storage.clone(), SMALL).unwrap());
    let calls = storage.take_calls();
    let synced: Vec<_> = calls.iter().filter(|call| call.ends_with("wal-000002.log")).collect();
    let read_only = ["open ", "len ", "read ", "remove "];
    let only_read = |call: &&&String| read_only.iter().any(|verb| call.starts_with(verb));
    assert!(!synced.is_empty());
    assert!(synced.iter().all(|call| only_read(&call)), "{synced:?}");
}

#[test]
fn a_store_that_needs_recovery_is_not_opened_for_reading_only() {
    let storage = MemStorage::restore(&crashed_store());
    for _ in 0..2 {
        let error = try_open(storage.clone(), READ_ONLY).err();
        assert!(
            matches!(&error, Some(Error::NeedsRecovery { file }) if file == "wal-000002.log"),
            "{error:?}"
        );
    }
    assert_eq!(storage.dump(), crashed_store());
    drop(open(&storage));
    assert!(try_open(storage.clone(), READ_ONLY).is_err(), "recovered, but not closed");
    open(&storage).close().unwrap();
    assert!(try_open(storage, READ_ONLY).is_ok());
}

#[test]
fn creation_that_never_finished_is_begun_again() {
    let rows: [&[&str]; 5] = [
        &["LOCK"],
        &["LOCK", "wal.log"],
        &["LOCK", "wal.log", "MANIFEST.tmp"],
        &["LOCK", "notes.txt", "other.tmp"],
        &[],
    ];
    for names in rows {
        let files: Files = names.iter().map(|name| ((*name).into(), vec![])).collect();
        let storage = MemStorage::restore(&files);
        let db = open(&storage);
        assert_eq!(contents(&db), BTreeMap::new(), "{names:?}");
        db.create_collection("users").unwrap();
        drop(db);
        assert_eq!(open(&storage).collections().len(), 1, "{names:?}");
    }
}

/// Stray files may bear any number, and a damaged MANIFEST may hold any: the last one there is
/// ends in an error, not in an overflow.
#[test]
fn the_last_numbers_there_are_end_in_an_error() {
    let exhausted = |files: &Files| {
        let storage = MemStorage::restore(files);
        let db = try_open(storage, SMALL)?;
        db.put(db.collection("users").unwrap(), id(1), doc(1))?;
        db.checkpoint()
    };
    let edit = |change: &dyn Fn(&mut Manifest)| {
        let mut files = TwoWals::new().files;
        let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
        change(&mut manifest);
        files.insert("MANIFEST".into(), manifest.encode());
        files
    };
    let mut stray_wal = TwoWals::new().files;
    stray_wal.insert("wal-4294967295.log".into(), vec![]);
    let mut stray_segment = crashed_store();
    stray_segment.insert("SEGMENTS/seg-18446744073709551615.dat".into(), vec![]);
    let rows = [
        ("WAL numbers", stray_wal),
        ("WAL numbers", edit(&|manifest| manifest.trailer.next_generation = u32::MAX)),
        ("segment numbers", stray_segment),
        ("segment numbers", edit(&|manifest| manifest.trailer.next_segment_id = u64::MAX)),
        ("commit sequences", edit(&|manifest| manifest.last_checkpoint = Some(u64::MAX))),
    ];
    for (what, files) in rows {
        let error = exhausted(&files).unwrap_err().to_string();
        let expected = format!("all {what} are used up; copy the store into a new one");
        assert_eq!(error, expected);
    }
}

/// Found by fuzzing `directory_open`: an open took the last WAL number, and none after it could
/// recover what was committed to that WAL.
#[test]
fn what_the_last_wal_holds_is_recovered_without_another() {
    let mut files = TwoWals::new().files;
    let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
    manifest.trailer.next_generation = u32::MAX - 1;
    files.insert("MANIFEST".into(), manifest.encode());
    let storage = MemStorage::restore(&files);

    let db = open(&storage);
    let users = db.collection("users").unwrap();
    db.put(users, id(99), doc(9)).unwrap();
    let committed = contents(&db);
    drop(db);

    for attempt in 1..=2 {
        let db = open(&storage);
        assert_eq!(contents(&db), committed, "attempt {attempt}");
        let refused = db.put(users, id(1), doc(1)).unwrap_err();
        assert!(refused.to_string().starts_with("all WAL numbers are used up"), "{refused}");
        assert_eq!(contents(&db), committed, "attempt {attempt}");
    }
    open(&storage).close().unwrap();
    let db = try_open(storage, READ_ONLY).unwrap();
    assert_eq!(contents(&db), committed);
}
