//! What is very large, very many, or without end.

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use entidb_engine::{CompactionState, Database, Error, ErrorClass, Options};

use crate::support::faulty::Faulty;
use crate::support::{
    READ_ONLY, SMALL, collect, contents, doc, id, long_doc, open, snapshot_contents, try_open,
};

const ENOSPC: i32 = 28;

/// A canonical byte string of `len` bytes in all, above 65,540.
fn huge_doc(len: usize, fill: u8) -> Bytes {
    let mut bytes = vec![0x5a];
    bytes.extend(u32::try_from(len - 5).unwrap().to_be_bytes());
    bytes.resize(len, fill);
    bytes.into()
}

#[test]
fn the_largest_entity_passes_through_wal_checkpoint_and_compaction() {
    const LARGEST: usize = 64 << 20;
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path(), Options::default()).unwrap();
    let users = db.create_collection("users").unwrap();
    let error = db.put(users, id(1), huge_doc(LARGEST + 1, 7)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 0x0400_0000, .. }), "{error}");
    let empty = db.put(users, id(1), Bytes::new()).unwrap_err();
    assert!(matches!(empty, Error::Payload(_)), "no bytes are no value: {empty}");
    let (largest, smallest) = (huge_doc(LARGEST, 7), doc(1).slice(3..));
    db.put(users, id(1), largest.clone()).unwrap();
    db.put(users, id(2), smallest.clone()).unwrap();
    drop(db);
    let db = Database::open(dir.path(), Options::default()).unwrap();
    let check = |db: &Database| {
        assert!(db.get(users, id(1)).unwrap() == Some(largest.clone()));
        assert_eq!(db.get(users, id(2)).unwrap(), Some(smallest.clone()));
    };
    check(&db);
    db.put(users, id(2), smallest.clone()).unwrap();
    db.checkpoint().unwrap();
    db.compact().unwrap();
    assert_eq!(db.verify().unwrap().records, 2);
    check(&db);
    db.close().unwrap();
    check(&Database::open(dir.path(), READ_ONLY).unwrap());
}

#[test]
fn ten_thousand_collections_take_one_publication_of_manifest() {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let names: Vec<String> = (0..10_000).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    storage.take_calls();
    let ids = db.create_collections(&names).unwrap();
    let calls = storage.take_calls();
    let switches = calls.iter().filter(|call| *call == "rename MANIFEST.tmp").count();
    assert_eq!(switches, 1, "{calls:?}");
    assert_eq!(ids.len(), names.len());
    db.put(ids[9_999], id(1), doc(1)).unwrap();
    // One name that exists: none of the others is created.
    let error = db.create_collections(&["more", "c77"]).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Conflict);
    drop(db);
    let db = open(&MemStorage::restore(&storage.files()));
    assert_eq!(db.collections().len(), 10_000);
    assert_eq!(db.get(db.collection("c9999").unwrap(), id(1)).unwrap(), Some(doc(1)));
}

/// Were writers or a compaction to wait for it, this would not end.
#[test]
fn a_reader_that_never_ends_holds_nobody_up_and_one_version_of_each_key() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    for number in 0..20 {
        db.put(users, id(number), doc(1)).unwrap();
    }
    let snapshot = db.snapshot().unwrap();
    let due = snapshot_contents(&snapshot, users);
    let mut scan = db.scan(users).unwrap();
    assert_eq!(scan.next().unwrap().unwrap().0, id(0));
    for round in 0..30 {
        for number in 0..20 {
            db.put(users, id(number), doc(round % 20)).unwrap();
        }
        db.delete(users, id(u64::from(round % 20))).unwrap();
        db.checkpoint().unwrap();
        db.compact().unwrap();
        assert_eq!(snapshot_contents(&snapshot, users), due);
        assert_eq!(db.verify().unwrap().records, 19, "nothing is kept for it in files");
    }
    db.close().unwrap();
    assert_eq!(snapshot_contents(&snapshot, users), due, "the close waits for no reader");
    assert!(scan.map(|item| item.unwrap().0).eq((1..20).map(id)));
    drop(snapshot);
    assert_eq!(contents(&open(&storage))["users"].len(), 19);
}

/// Overlapping segments on a medium that can be full.
fn layered() -> (Faulty, Database) {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    for round in 0..3 {
        for number in 0..8 {
            db.put(users, id(number), doc(round)).unwrap();
        }
        db.checkpoint().unwrap();
    }
    (storage, db)
}

fn segments(storage: &Faulty) -> Vec<String> {
    storage.files().into_keys().filter(|name| name.starts_with("SEGMENTS/")).collect()
}

#[test]
fn a_compaction_on_a_full_disk_gives_its_space_back_and_goes_on_once_there_is_more() {
    let (storage, db) = layered();
    let (shown, before) = (contents(&db), segments(&storage));
    // Space runs out in the first segment that it writes; what it then does is tidy up.
    storage.set_hook(Some(std::sync::Arc::new(|verb, file| {
        let full = verb == "write" && file.starts_with("SEGMENTS/");
        if full { Err(std::io::Error::from_raw_os_error(ENOSPC)) } else { Ok(()) }
    })));
    let error = db.compact().unwrap_err();
    assert_eq!(error.class(), ErrorClass::Io);
    let message = error.to_string();
    assert!(
        message.ends_with("No space left on device (os error 28); free some space"),
        "{message}"
    );
    assert_eq!(segments(&storage), before, "what it wrote is gone");
    assert_eq!(contents(&db), shown);
    let users = db.collection("users").unwrap();
    db.put(users, id(1), doc(9)).unwrap();
    storage.set_hook(None);
    db.checkpoint().unwrap();
    db.compact().unwrap();
    assert_eq!(db.verify().unwrap().records, 8);
    drop(db);
    let db = open(&MemStorage::restore(&storage.files()));
    assert_eq!(db.get(users, id(1)).unwrap(), Some(doc(9)));
}

#[test]
fn a_background_compaction_that_fails_is_reported_to_its_thread_and_the_store_goes_on() {
    let (storage, db) = layered();
    let before = segments(&storage);
    storage.set_hook(Some(std::sync::Arc::new(|verb, file| {
        let fails = verb == "sync_full" && file.starts_with("SEGMENTS/")
            || verb == "sync_data" && file.starts_with("SEGMENTS/");
        if fails { Err(std::io::Error::from_raw_os_error(5)) } else { Ok(()) }
    })));
    let compaction = db.compaction().unwrap();
    let background = std::thread::spawn(move || compaction.run());
    let users = db.collection("users").unwrap();
    for number in 0..50 {
        db.put(users, id(number), doc(7)).unwrap();
    }
    let error = background.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Io { file, .. } if file.starts_with("SEGMENTS/")), "{error}");
    assert_eq!(segments(&storage), before, "abandoned");
    storage.set_hook(None);
    let again = db.compaction().unwrap();
    assert_eq!(again.run().unwrap(), CompactionState::Done);
    db.close().unwrap();
    assert_eq!(contents(&open(&MemStorage::restore(&storage.files())))["users"].len(), 50);
}

/// What every way of reading hands out of a sealed segment is the mapped file itself.
#[test]
fn sealed_contents_are_parts_of_the_mapped_file_and_no_copies() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path(), Options::default()).unwrap();
    let users = db.create_collection("users").unwrap();
    let ids = [1, 2].map(id);
    for one in ids {
        db.put(users, one, long_doc(5_000, 7)).unwrap();
    }
    db.checkpoint().unwrap();
    let places: Vec<_> = collect(db.scan(users).unwrap())
        .unwrap()
        .iter()
        .map(|(_, content)| content.as_ptr())
        .collect();
    let gets = ids.map(|one| db.get(users, one).unwrap().unwrap().as_ptr());
    assert_eq!(gets.to_vec(), places);
    let many = db.get_many(users, &ids).unwrap();
    assert_eq!(many.iter().flatten().map(|content| content.as_ptr()).collect::<Vec<_>>(), places);
    let snapshot = db.snapshot().unwrap();
    assert_eq!(snapshot.get(users, ids[0]).unwrap().unwrap().as_ptr(), places[0]);
    let from_elsewhere =
        std::thread::scope(|scope| scope.spawn(|| db.get(users, ids[0]).unwrap()).join().unwrap());
    assert_eq!(from_elsewhere.unwrap().as_ptr(), places[0]);
}
