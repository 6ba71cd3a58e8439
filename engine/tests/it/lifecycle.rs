use std::collections::BTreeMap;

use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, Error, OpenMode, Options, Verified};

use crate::support::faulty::Faulty;
use crate::support::{
    EXISTING, READ_ONLY, SMALL, closed_store, contents, crashed_store, doc, id, long_doc, open,
    try_open,
};

#[test]
fn a_clean_close_keeps_everything_and_needs_no_recovery() {
    let storage = MemStorage::restore(&closed_store());
    let db = try_open(storage.clone(), READ_ONLY).unwrap();
    let shown = contents(&db);
    assert_eq!(shown["users"].len(), 4);
    assert_eq!(shown["posts"].len(), 2);
    assert_eq!(db.sequence(), 8);
    db.close().unwrap();
    assert_eq!(storage.dump(), closed_store(), "reading changes nothing");
    let db = open(&storage);
    assert_eq!(contents(&db), shown);
    db.close().unwrap();
    assert_eq!(storage.dump(), closed_store(), "nor does a life without a write");
}

#[test]
fn a_store_dropped_without_a_close_is_recovered() {
    let closed = contents(&open(&MemStorage::restore(&closed_store())));
    let storage = MemStorage::restore(&crashed_store());
    for mode in [OpenMode::Create, OpenMode::Existing, OpenMode::Create] {
        let db = try_open(storage.clone(), Options { mode, ..SMALL }).unwrap();
        assert_eq!(contents(&db), closed);
        assert_eq!(db.sequence(), 8);
    }
    let db = open(&storage);
    let users = db.collection("users").unwrap();
    assert_eq!(db.put(users, id(6), doc(6)).unwrap(), 9);
}

#[test]
fn what_was_recovered_is_moved_to_a_segment_and_a_fresh_wal() {
    let storage = MemStorage::restore(&crashed_store());
    drop(open(&storage));
    let before: Vec<String> = crashed_store().into_keys().collect();
    let after: Vec<String> = storage.dump().into_keys().collect();
    assert!(before.contains(&"wal-000002.log".into()), "{before:?}");
    assert!(!after.contains(&"wal-000002.log".into()), "{after:?}");
    assert!(after.contains(&"wal-000003.log".into()), "{after:?}");
    assert!(after.len() > before.len(), "a new segment: {after:?}");
}

#[test]
fn a_commit_is_one_write_and_one_sync_and_nothing_else() {
    let storage = Faulty::new(MemStorage::new());
    let options = Options { wal_reserve: 4096, ..SMALL };
    let db = try_open(storage.clone(), options).unwrap();
    let users = db.create_collection("users").unwrap();
    storage.take_calls();
    for number in 1..=5 {
        db.put(users, id(number), doc(1)).unwrap();
        let calls = storage.take_calls();
        assert_eq!(calls, ["write wal-000001.log", "sync_data wal-000001.log"]);
    }
    let mut txn = db.begin().unwrap();
    for number in 0..8 {
        txn.put(users, id(number), doc(2)).unwrap();
    }
    txn.commit().unwrap();
    assert_eq!(storage.take_calls(), ["write wal-000001.log", "sync_data wal-000001.log"]);
    db.put(users, id(1), long_doc(4096, 1)).unwrap();
    let grown = ["set_len wal-000001.log", "write wal-000001.log", "sync_data wal-000001.log"];
    assert_eq!(storage.take_calls(), grown, "outgrowing the reserve");
}

#[test]
fn reading_what_is_in_memory_or_mapped_calls_nothing() {
    let storage = Faulty::new(MemStorage::restore(&closed_store()));
    let db = try_open(storage.clone(), SMALL).unwrap();
    storage.take_calls();
    contents(&db);
    db.snapshot().unwrap();
    assert_eq!(storage.take_calls(), [""; 0]);
}

#[test]
fn the_first_write_of_a_life_names_its_wal_before_it_enters_it() {
    let storage = Faulty::new(MemStorage::restore(&closed_store()));
    let db = try_open(storage.clone(), SMALL).unwrap();
    storage.take_calls();
    db.put(db.collection("users").unwrap(), id(1), doc(1)).unwrap();
    let calls = storage.take_calls();
    let expected = [
        "create wal-000003.log",
        "set_len wal-000003.log",
        "write wal-000003.log",
        "sync_full wal-000003.log",
        "sync_dir .",
        "remove MANIFEST.tmp",
        "create MANIFEST.tmp",
        "write MANIFEST.tmp",
        "sync_full MANIFEST.tmp",
        "rename MANIFEST.tmp",
        "sync_dir .",
        "list .",
        "list SEGMENTS",
        "list INDEX",
        "write wal-000003.log",
        "sync_data wal-000003.log",
    ];
    assert_eq!(calls, expected);
}

/// A kill between the rename of the first MANIFEST and the directory sync after it leaves a store
/// that opens. Were its first WAL to survive a power loss and that rename not, the store would be
/// `Corrupt`: a WAL without MANIFEST.
#[test]
fn the_first_manifest_of_all_is_certain_before_a_wal_is_created_beside_it() {
    let medium = MemStorage::new();
    drop(open(&medium));
    let storage = Faulty::new(medium);
    let db = try_open(storage.clone(), SMALL).unwrap();
    storage.take_calls();
    db.create_collection("users").unwrap();
    assert_eq!(storage.take_calls()[..2], ["sync_dir .", "create wal-000001.log"]);
}

#[test]
fn a_checkpoint_syncs_its_segments_before_a_manifest_names_them() {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    storage.take_calls();
    db.checkpoint().unwrap();
    let expected = [
        // The cut: commits go on in the new WAL.
        "create wal-000002.log",
        "set_len wal-000002.log",
        "write wal-000002.log",
        "sync_full wal-000002.log",
        "sync_dir .",
        "remove MANIFEST.tmp",
        "create MANIFEST.tmp",
        "write MANIFEST.tmp",
        "sync_full MANIFEST.tmp",
        "rename MANIFEST.tmp",
        "sync_dir .",
        // What they do not wait for.
        "create SEGMENTS/seg-000001.dat",
        "write SEGMENTS/seg-000001.dat",
        "sync_full SEGMENTS/seg-000001.dat",
        "sync_dir SEGMENTS",
        // What was written is read back and checked before anything relies on it.
        "open SEGMENTS/seg-000001.dat",
        "len SEGMENTS/seg-000001.dat",
        "view SEGMENTS/seg-000001.dat",
        // Derived: should any of this fail, the sidecar stays in memory.
        "create INDEX/seg-000001.idx",
        "create_dir INDEX",
        "create INDEX/seg-000001.idx",
        "write INDEX/seg-000001.idx",
        "sync_data INDEX/seg-000001.idx",
        "view INDEX/seg-000001.idx",
        "sync_dir INDEX",
        "remove MANIFEST.tmp",
        "create MANIFEST.tmp",
        "write MANIFEST.tmp",
        "sync_full MANIFEST.tmp",
        "rename MANIFEST.tmp",
        "sync_dir .",
        "remove wal-000001.log",
    ];
    assert_eq!(storage.take_calls(), expected);
}

#[test]
fn a_close_leaves_nothing_to_be_synced() {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    db.create_collection("users").unwrap();
    storage.take_calls();
    db.close().unwrap();
    let expected = [
        "remove MANIFEST.tmp",
        "create MANIFEST.tmp",
        "write MANIFEST.tmp",
        "sync_full MANIFEST.tmp",
        "rename MANIFEST.tmp",
        "sync_dir .",
        "remove wal-000001.log",
        "list .",
        "list SEGMENTS",
        "sync_dir SEGMENTS",
        "sync_dir .",
    ];
    assert_eq!(storage.take_calls(), expected);
}

#[test]
fn creation_makes_the_directory_durable_before_there_is_a_manifest() {
    let storage = Faulty::new(MemStorage::new());
    drop(try_open(storage.clone(), SMALL).unwrap());
    let calls = storage.take_calls();
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    assert!(at("create_dir .") < at("sync_dir .."));
    assert!(at("sync_dir ..") < at("rename MANIFEST.tmp"));
    // Were MANIFEST to survive without SEGMENTS, no checkpoint and no recovery could work.
    assert!(at("create_dir SEGMENTS") < at("sync_dir ."));
    assert!(at("create wal.log") < at("sync_dir ."));
    assert!(at("sync_dir .") < at("rename MANIFEST.tmp"));
    assert_eq!(calls[at("rename MANIFEST.tmp") + 1], "sync_dir .");
}

#[test]
fn an_empty_directory_that_a_copy_left_out_is_made_again() {
    let storage = MemStorage::new();
    open(&storage).close().unwrap();
    // Files are copied, and SEGMENTS has none.
    let copy = MemStorage::restore(&storage.dump());
    assert!(try_open(copy.clone(), READ_ONLY).is_ok());
    let db = open(&copy);
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    db.close().unwrap();
    assert_eq!(contents(&open(&copy))["users"].len(), 1);
}

#[test]
fn a_checkpoint_rotates_segments_by_size() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    for number in 1..=6 {
        db.put(users, id(number), long_doc(260, 1)).unwrap();
    }
    // Larger than a segment may be: one record always fits.
    db.put(users, id(7), long_doc(1000, 1)).unwrap();
    db.checkpoint().unwrap();
    let lengths: BTreeMap<String, usize> = storage
        .dump()
        .into_iter()
        .filter(|(name, _)| name.starts_with("SEGMENTS/"))
        .map(|(name, bytes)| (name, bytes.len()))
        .collect();
    let record = 37 + 260;
    let mut expected: BTreeMap<String, usize> =
        (1..=6).map(|at| (format!("SEGMENTS/seg-{at:06}.dat"), record)).collect();
    expected.insert("SEGMENTS/seg-000007.dat".into(), 37 + 1000);
    assert_eq!(lengths, expected, "two records of {record} bytes do not fit into 512");
    let files = storage.dump();
    db.checkpoint().unwrap();
    assert_eq!(storage.dump(), files, "with nothing to move, a checkpoint does nothing");
}

#[test]
fn small_entities_share_a_segment_up_to_its_limit() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    for number in 0..13 {
        db.put(users, id(number), doc(1)).unwrap();
    }
    db.checkpoint().unwrap();
    let files = storage.dump();
    // A record takes 41 bytes; 12 of them 492, and 13 would be above 512.
    assert_eq!(files["SEGMENTS/seg-000001.dat"].len(), 492);
    assert_eq!(files["SEGMENTS/seg-000002.dat"].len(), 41);
}

#[test]
fn a_segment_may_be_exactly_as_long_as_its_limit() {
    let storage = MemStorage::new();
    let limit = 2 * (37 + 260);
    let db = try_open(storage.clone(), Options { max_segment: limit, ..SMALL }).unwrap();
    let users = db.create_collection("users").unwrap();
    for number in 1..=4 {
        db.put(users, id(number), long_doc(260, 1)).unwrap();
    }
    db.checkpoint().unwrap();
    let files = storage.dump();
    for name in ["SEGMENTS/seg-000001.dat", "SEGMENTS/seg-000002.dat"] {
        assert_eq!(files[name].len() as u64, limit);
    }
}

#[test]
fn a_closed_store_has_no_wal_and_no_unlisted_file() {
    let mut files = crashed_store();
    files.insert("wal-000001.log".into(), vec![1]);
    files.insert("SEGMENTS/seg-000099.dat".into(), vec![2]);
    files.insert("INDEX/seg-000099.idx".into(), vec![3]);
    files.insert("MANIFEST.tmp".into(), vec![4]);
    let storage = MemStorage::restore(&files);
    let db = open(&storage);
    for unlisted in ["SEGMENTS/seg-000099.dat", "INDEX/seg-000099.idx"] {
        assert!(!storage.dump().contains_key(unlisted), "recovery published");
    }
    db.close().unwrap();
    let closed = storage.dump();
    assert!(closed.keys().all(|name| !name.starts_with("wal-")), "{:?}", closed.keys());
    assert!(!closed.contains_key("MANIFEST.tmp"));
    assert_eq!(closed["wal.log"], []);
    let verified = try_open(storage, READ_ONLY).unwrap().verify().unwrap();
    let segments = closed.keys().filter(|name| name.starts_with("SEGMENTS/")).count();
    assert_eq!(verified.segments, segments);
}

#[test]
fn unlisted_files_stay_until_this_life_has_published() {
    let mut files = closed_store();
    files.insert("wal-000050.log".into(), vec![1]);
    files.insert("MANIFEST.tmp".into(), vec![2]);
    let storage = MemStorage::restore(&files);
    let db = open(&storage);
    assert_eq!(storage.dump(), files);
    db.create_collection("more").unwrap();
    let names: Vec<String> = storage.dump().into_keys().collect();
    assert!(!names.contains(&"wal-000050.log".into()), "{names:?}");
    assert!(names.contains(&"wal-000051.log".into()), "above what was there: {names:?}");
}

#[test]
fn files_of_others_are_never_touched() {
    let others = [
        "README",
        "wal-1.log",
        "wal-000001.log.bak",
        "WAL-000001.LOG",
        "MANIFEST.bak",
        "notes.tmp",
        "SEGMENTS/seg-1.dat",
        "SEGMENTS/seg-000001.dat~",
        "SEGMENTS/wal-000001.log",
        "OTHER/file",
    ];
    let mut files = crashed_store();
    for name in others {
        files.insert(name.into(), name.into());
    }
    let storage = MemStorage::restore(&files);
    let db = open(&storage);
    db.create_collection("more").unwrap();
    db.checkpoint().unwrap();
    db.close().unwrap();
    let after = storage.dump();
    for name in others {
        assert_eq!(after.get(name).map(Vec::as_slice), Some(name.as_bytes()), "{name}");
    }
}

#[test]
fn numbers_of_files_are_never_used_again() {
    let storage = MemStorage::new();
    let mut seen = BTreeMap::new();
    for life in 0..6 {
        let db = open(&storage);
        let users = match db.collection("users") {
            Some(users) => users,
            None => db.create_collection("users").unwrap(),
        };
        for number in 0..3 {
            db.put(users, id(number), doc(life)).unwrap();
            db.checkpoint().unwrap();
            for (name, bytes) in storage.dump() {
                let is_wal = name.starts_with("wal-");
                if is_wal || name.starts_with("SEGMENTS/") {
                    // A WAL begins with a record of its own generation; a segment never changes.
                    let identity = if is_wal { bytes[..51].to_vec() } else { bytes };
                    let first = seen.entry(name.clone()).or_insert_with(|| identity.clone());
                    assert_eq!(*first, identity, "{name} is another file now");
                }
            }
        }
        if life % 2 == 0 {
            db.close().unwrap();
        }
    }
}

#[test]
fn a_read_only_handle_reads_verifies_and_refuses_writes() {
    let storage = MemStorage::restore(&closed_store());
    let db = try_open(storage.clone(), READ_ONLY).unwrap();
    let users = db.collection("users").unwrap();
    assert_eq!(db.get(users, id(2)).unwrap(), Some(doc(2)));
    assert_eq!(db.verify().unwrap().records, 9);
    let refused = [
        db.begin().err(),
        db.put(users, id(1), doc(1)).err(),
        db.create_collection("more").err(),
        db.checkpoint().err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(Error::ReadOnly)), "{error:?}");
    }
    db.close().unwrap();
    assert_eq!(storage.dump(), closed_store());
}

#[test]
fn verify_counts_what_manifest_vouches_for() {
    let storage = MemStorage::restore(&closed_store());
    let db = open(&storage);
    let sealed = db.verify().unwrap();
    assert_eq!(sealed, Verified { segments: sealed.segments, records: 9, wal_commits: 0 });
    let users = db.collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    db.put(users, id(1), doc(2)).unwrap();
    assert_eq!(db.verify().unwrap(), Verified { wal_commits: 2, ..sealed });
    db.checkpoint().unwrap();
    let after = db.verify().unwrap();
    assert_eq!(after.wal_commits, 0);
    assert_eq!(after.records, 10);
}

/// The WAL rule alone cannot tell damage to the last commits from a torn tail. A handle that
/// acknowledged them can, and a verification that did not ask it passed over lost commits.
#[test]
fn verify_misses_no_commit_that_this_handle_acknowledged() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    let before = storage.dump();
    db.put(users, id(2), doc(2)).unwrap();
    db.verify().unwrap();
    restore_file(&storage, "wal-000001.log", &before["wal-000001.log"]);
    let error = db.verify().unwrap_err().to_string();
    assert!(error.contains("holds commits up to 1 where 2 was acknowledged"), "{error}");
}

#[test]
fn verify_takes_no_other_manifest_than_its_own() {
    let storage = MemStorage::new();
    let db = open(&storage);
    db.create_collection("users").unwrap();
    let before = storage.dump();
    db.create_collection("posts").unwrap();
    restore_file(&storage, "MANIFEST", &before["MANIFEST"]);
    let error = db.verify().unwrap_err().to_string();
    assert!(error.contains("not the one this handle works with"), "{error}");
}

fn restore_file(storage: &MemStorage, name: &str, bytes: &[u8]) {
    use entidb_engine::storage::Storage as _;
    let file = storage.open(name).unwrap();
    file.set_len(0).unwrap();
    file.write_at(0, bytes).unwrap();
}

#[test]
fn a_closed_handle_and_its_clones_refuse_everything() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let clone = db.clone();
    db.close().unwrap();
    let refused = [
        db.begin().err(),
        clone.begin().err(),
        clone.put(users, id(1), doc(1)).err(),
        clone.get(users, id(1)).err(),
        clone.get_many(users, &[]).err(),
        clone.scan(users).err(),
        clone.snapshot().err(),
        clone.checkpoint().err(),
        clone.verify().err(),
        clone.create_collection("more").err(),
        db.close().err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(Error::Closed)), "{error:?}");
    }
}

#[test]
fn real_files_are_kept_from_one_life_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let db = Database::open(&path, SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    db.checkpoint().unwrap();
    let inserted = {
        let mut txn = db.begin().unwrap();
        let inserted = txn.insert(users, doc(2)).unwrap();
        txn.commit().unwrap();
        inserted
    };
    let shown = contents(&db);
    assert_eq!(shown["users"].len(), 2);
    drop(db);
    let db = Database::open(&path, EXISTING).unwrap();
    assert_eq!(contents(&db), shown);
    assert_eq!(db.get(users, inserted).unwrap(), Some(doc(2)));
    db.close().unwrap();
    let db = Database::open(&path, READ_ONLY).unwrap();
    assert_eq!(contents(&db), shown);
}
