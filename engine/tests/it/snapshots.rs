use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, Error, OpenMode, Options};

use crate::support::{EXISTING, SMALL, collect, doc, id, open, snapshot_contents, try_open};

#[test]
fn a_snapshot_is_unchanged_by_writes_checkpoints_and_close() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    let mut snapshots = Vec::new();
    for round in 0..12 {
        db.put(users, id(u64::from(round) % 3), doc(round)).unwrap();
        if round % 4 == 1 {
            db.delete(users, id(0)).unwrap();
        }
        if round % 5 == 2 {
            db.checkpoint().unwrap();
        }
        let snapshot = db.snapshot().unwrap();
        assert_eq!(snapshot.sequence(), db.sequence());
        let shown = snapshot_contents(&snapshot, users);
        assert_eq!(shown, collect(db.scan(users).unwrap()).unwrap());
        snapshots.push((snapshot, shown));
        for (snapshot, shown) in &snapshots {
            assert_eq!(&snapshot_contents(snapshot, users), shown);
        }
    }
    db.close().unwrap();
    for (snapshot, shown) in &snapshots {
        assert_eq!(&snapshot_contents(snapshot, users), shown);
        let ids = [id(0), id(1)];
        let one_by_one = ids.map(|id| snapshot.get(users, id).unwrap());
        assert_eq!(snapshot.get_many(users, &ids).unwrap(), one_by_one);
    }
}

#[test]
fn a_snapshot_outlives_the_files_it_reads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let db = Database::open(&path, SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    db.checkpoint().unwrap();
    let snapshot = db.snapshot().unwrap();
    db.close().unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(snapshot.get(users, id(1)).unwrap(), Some(doc(1)));
}

/// A scan reads the memtable in chunks, each as of the same sequence. Commits drop versions that
/// no reader retains; a scan once did not count as one, so that what was replaced or deleted
/// while it ran was missing from its later chunks.
#[test]
fn a_running_scan_shows_one_state_whatever_is_committed_meanwhile() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    for number in 0..1000 {
        txn.put(users, id(number), doc(1)).unwrap();
    }
    txn.commit().unwrap();
    let before = collect(db.scan(users).unwrap()).unwrap();
    assert_eq!(before.len(), 1000, "more than one chunk");
    let of_handle = db.scan(users).unwrap();
    let of_snapshot = db.snapshot().unwrap().scan(users).unwrap();
    for number in 0..1000 {
        if number % 2 == 0 {
            db.put(users, id(number), doc(2)).unwrap();
        } else {
            db.delete(users, id(number)).unwrap();
        }
    }
    db.checkpoint().unwrap();
    assert_eq!(collect(of_handle).unwrap(), before);
    assert_eq!(collect(of_snapshot).unwrap(), before);
    assert_eq!(collect(db.scan(users).unwrap()).unwrap().len(), 500);
}

/// Ends the readers even if the writer fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Replaces two entities over and over, both in each transaction, while other threads read.
fn read_while_replacing(checkpoints: bool, reads: &[fn(&Database, CollectionId)]) {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let put_both = |content| {
        let mut txn = db.begin().unwrap();
        txn.put(users, id(1), doc(content)).unwrap();
        txn.put(users, id(2), doc(content)).unwrap();
        txn.commit().unwrap();
    };
    put_both(0);
    let done = AtomicBool::new(false);
    let repeat = |read: fn(&Database, CollectionId)| {
        while !done.load(Ordering::Relaxed) {
            read(&db, users);
        }
        // At least once, however the threads were scheduled.
        read(&db, users);
    };
    thread::scope(|scope| {
        let readers: Vec<_> = reads.iter().map(|read| scope.spawn(move || repeat(*read))).collect();
        let writing = Done(&done);
        for round in 0..20_000_u32 {
            put_both(u8::try_from(round % 24).unwrap());
            if checkpoints && round % 2_000 == 1_999 {
                db.checkpoint().unwrap();
            }
        }
        drop(writing);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// A get once read as of a sequence whose versions a commit in between was free to drop: an
/// entity that was replaced all the time, but never deleted, was sometimes not there. No other
/// reader retains a sequence here and no segment holds an older version: either would hide this.
#[test]
fn a_get_always_finds_an_entity_that_is_only_ever_replaced() {
    let get: fn(&Database, CollectionId) =
        |db, users| assert!(db.get(users, id(1)).unwrap().is_some());
    read_while_replacing(false, &[get, get]);
}

#[test]
fn reads_of_several_entities_are_of_one_moment() {
    read_while_replacing(
        true,
        &[
            |db, users| {
                let both = db.get_many(users, &[id(1), id(2)]).unwrap();
                assert!(both[0].is_some());
                assert_eq!(both[0], both[1]);
            },
            |db, users| {
                let both = collect(db.scan(users).unwrap()).unwrap();
                assert_eq!(both.len(), 2);
                assert_eq!(both[0].1, both[1].1);
            },
        ],
    );
}

#[test]
fn a_snapshot_keeps_the_store_locked_until_the_store_is_closed() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let snapshot = db.snapshot().unwrap();
    drop(db);
    let locked = try_open(storage.clone(), SMALL).err();
    assert!(matches!(locked, Some(Error::Locked { .. })), "{locked:?}");
    drop(snapshot);
    let db = open(&storage);
    let _snapshot = db.snapshot().unwrap();
    db.close().unwrap();
    try_open(storage, EXISTING).unwrap();
}

#[test]
fn snapshots_of_a_read_only_handle_work_alike() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    db.close().unwrap();
    let options = Options { mode: OpenMode::ReadOnly, ..SMALL };
    let db = try_open(storage, options).unwrap();
    let snapshot = db.snapshot().unwrap();
    assert_eq!(snapshot.sequence(), 1);
    assert_eq!(snapshot_contents(&snapshot, users), [(id(1), doc(1))]);
}

/// Were a version dropped only by the next write to its key, or by a checkpoint, it would stay for
/// as long as neither comes.
#[test]
fn a_version_goes_with_the_last_reader_that_needs_it() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    // A commit's versions share memory, so who holds a lone one by itself can tell.
    let first = db.get(users, id(1)).unwrap().unwrap();
    let snapshots = [db.snapshot().unwrap(), db.snapshot().unwrap()];
    let scan = db.scan(users).unwrap();
    db.put(users, id(1), doc(2)).unwrap();
    let second = db.get(users, id(1)).unwrap().unwrap();
    let later = db.snapshot().unwrap();
    db.put(users, id(1), doc(3)).unwrap();
    assert_eq!(snapshots[1].get(users, id(1)).unwrap().as_ref(), Some(&first));
    drop(snapshots);
    assert!(!first.is_unique(), "the scan needs it");
    drop(scan);
    assert!(first.is_unique() && !second.is_unique());
    drop(later);
    assert!(second.is_unique());
    assert_eq!(db.get(users, id(1)).unwrap(), Some(doc(3)));
}
