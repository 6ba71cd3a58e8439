//! Checkpoints beside commits: two WALs for as long as segments are written, nobody waits, and
//! nothing is lost wherever it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use entidb_engine::storage::MemStorage;
use entidb_engine::{AutoCheckpoint, Database, Error, Options};

use crate::support::faulty::Faulty;
use crate::support::{Contents, Files, SMALL, contents, doc, id, long_doc, open, try_open};

/// How long a commit may take before it is taken to wait for the checkpoint that waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files of a store at one moment, and what was acknowledged by then.
type Moment = (Files, Contents);

/// Runs a checkpoint of three commits; before each of its calls on segments another thread
/// commits, and before every call all files are copied.
fn moments_of_a_busy_checkpoint() -> (Database, Faulty, Vec<Moment>) {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    for number in 1..=3 {
        db.put(users, id(number), long_doc(300, 1)).unwrap();
    }
    let (ask, asked) = channel::<u64>();
    let (answer, answered) = channel();
    let other = db.clone();
    let committer = thread::spawn(move || {
        for number in asked {
            // The first replaces what is being sealed, the others are new.
            let committed = other.put(users, id(number), doc(7)).map(drop);
            answer.send(committed).unwrap();
        }
    });
    let moments = Arc::new(Mutex::new(vec![(storage.files(), contents(&db))]));
    let hooked = {
        let (storage, db, moments) = (storage.clone(), db.clone(), Arc::clone(&moments));
        let next = AtomicU64::new(3);
        let talk = Mutex::new((ask, answered));
        move |_: &str, file: &str| {
            // Calls of the committer come back here: while one talks, the others pass.
            let Ok(talk) = talk.try_lock() else { return Ok(()) };
            if file.starts_with("SEGMENTS") {
                talk.0.send(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                // Times out if commits wait for sealing.
                talk.1.recv_timeout(PATIENCE).unwrap().unwrap();
            }
            moments.lock().unwrap().push((storage.files(), contents(&db)));
            Ok(())
        }
    };
    storage.set_hook(Some(Arc::new(hooked)));
    db.checkpoint().unwrap();
    storage.set_hook(None);
    // The hook held the other end of the committer's channel.
    committer.join().unwrap();
    let moments = std::mem::take(&mut *moments.lock().unwrap());
    (db, storage, moments)
}

#[test]
fn commits_go_on_while_segments_are_written_and_no_moment_loses_one() {
    let (db, storage, moments) = moments_of_a_busy_checkpoint();
    let two_wals = |files: &Files| files.keys().filter(|name| name.starts_with("wal-0")).count();
    assert!(moments.iter().filter(|(files, _)| two_wals(files) == 2).count() > 10);
    assert!(moments.len() > 25, "{}", moments.len());
    for (at, (files, shown)) in moments.iter().enumerate() {
        let recovered = MemStorage::restore(files);
        assert_eq!(&contents(&open(&recovered)), shown, "killed before call {at}");
        let db = open(&recovered);
        assert_eq!(&contents(&db), shown, "{at}: shown is acknowledged");
        db.verify().unwrap();
    }
    let shown = contents(&db);
    assert!(shown["users"].len() > 5, "{shown:?}");
    let verified = db.verify().unwrap();
    assert_eq!(verified.records, 3, "the segments end at the cut");
    assert!(verified.wal_commits > 3, "{verified:?}");
    db.checkpoint().unwrap();
    assert_eq!(contents(&db), shown);
    db.close().unwrap();
    assert_eq!(contents(&open(&MemStorage::restore(&storage.files()))), shown);
}

/// The tail of the only WAL may be torn. That of one whose successor has taken commits may not:
/// it was synced before the cut.
#[test]
fn damage_to_a_wal_with_a_successor_is_corruption_to_its_last_byte() {
    let (_, _, moments) = moments_of_a_busy_checkpoint();
    let (files, _) =
        moments.iter().rfind(|(files, _)| files.contains_key("wal-000001.log")).unwrap();
    // Removed next, and no more named: take the moment before the last publication.
    let published = files["MANIFEST"].clone();
    let (files, _) = moments.iter().rfind(|(files, _)| files["MANIFEST"] != published).unwrap();
    let end = files["wal-000001.log"].iter().rposition(|byte| *byte != 0).unwrap();
    for at in 0..=end {
        let mut files = files.clone();
        files.get_mut("wal-000001.log").unwrap()[at] ^= 1;
        let opened = try_open(MemStorage::restore(&files), SMALL).map(drop);
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{at}: {opened:?}");
    }
}

#[test]
fn a_snapshot_of_any_phase_of_a_checkpoint_stays_as_it_was() {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    for number in 1..=3 {
        db.put(users, id(number), doc(1)).unwrap();
    }
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (hooked, other) = (Arc::clone(&taken), db.clone());
    storage.set_hook(Some(Arc::new(move |_, _| {
        hooked.lock().unwrap().push(other.snapshot().unwrap());
        Ok(())
    })));
    db.checkpoint().unwrap();
    storage.set_hook(None);
    let snapshots = std::mem::take(&mut *taken.lock().unwrap());
    assert!(snapshots.len() > 25);
    let before = contents(&db);
    for number in 1..=4 {
        db.put(users, id(number), doc(2)).unwrap();
        db.checkpoint().unwrap();
    }
    for snapshot in snapshots {
        let shown: BTreeMap<_, _> = snapshot.scan(users).unwrap().map(Result::unwrap).collect();
        assert_eq!(shown, before["users"]);
        assert!((1..=3).all(|number| snapshot.get(users, id(number)).unwrap() == Some(doc(1))));
    }
}

/// A store that checkpoints by itself after a kilobyte of WAL, and what 40 commits left of it.
fn automatic(storage: &Faulty) -> Database {
    let auto_checkpoint = AutoCheckpoint::AtCommit { wal_bytes: 1024 };
    let db = try_open(storage.clone(), Options { auto_checkpoint, ..SMALL }).unwrap();
    let users = db.create_collection("users").unwrap();
    for number in 0..40 {
        db.put(users, id(number % 9), doc(1)).unwrap();
    }
    db
}

#[test]
fn a_commit_that_fills_the_wal_checkpoints_by_bytes_alone() {
    let run = || {
        let storage = Faulty::new(MemStorage::new());
        drop(automatic(&storage));
        (storage.take_calls(), storage.files())
    };
    let (calls, files) = run();
    assert_eq!((&calls, &files), (&run().0, &run().1), "the same calls, the same bytes");
    // A commit of one small entity takes 166 bytes: after the 51 of the first record, six of them
    // reach 1024 bytes.
    let commits_before = |wal: &str| {
        let created = calls.iter().position(|call| *call == format!("create {wal}")).unwrap();
        calls[..created].iter().filter(|call| call.starts_with("sync_data wal-")).count()
    };
    assert_eq!(commits_before("wal-000002.log"), 6);
    assert_eq!(commits_before("wal-000007.log"), 36);
    let wals: Vec<_> = files.keys().filter(|name| name.starts_with("wal-0")).collect();
    assert_eq!(wals, ["wal-000007.log"]);
}

/// Tried again at every commit, a checkpoint that fails would cost each of them its whole work.
#[test]
fn an_automatic_checkpoint_that_fails_fails_no_commit_and_waits_for_as_much_again() {
    let storage = Faulty::new(MemStorage::new());
    let full = |verb: &str, file: &str| match (verb, file) {
        ("create", "SEGMENTS/seg-000001.dat" | "SEGMENTS/seg-000002.dat") => {
            Err(std::io::Error::from_raw_os_error(28))
        }
        _ => Ok(()),
    };
    storage.set_hook(Some(Arc::new(full)));
    let db = automatic(&storage);
    let calls = storage.take_calls();
    let tried = |file: &str| {
        let at = calls.iter().position(|call| *call == format!("create {file}")).unwrap();
        calls[..at].iter().filter(|call| call.starts_with("sync_data wal-")).count()
    };
    assert_eq!(tried("wal-000002.log"), 6);
    // The second attempt comes at 51 + 6 * 166 = 1047 bytes of the new WAL, so the third is due at
    // 1047 + 1024: 13 commits after the cut.
    assert_eq!(tried("SEGMENTS/seg-000002.dat"), 12);
    assert_eq!(tried("SEGMENTS/seg-000003.dat"), 19);
    assert_eq!(contents(&db)["users"].len(), 9);
    assert_eq!(db.sequence(), 40);
    db.verify().unwrap();
}

#[test]
fn a_background_checkpoint_runs_in_the_callers_thread_until_the_close() {
    let storage = Faulty::new(MemStorage::new());
    let auto_checkpoint = AutoCheckpoint::Background { wal_bytes: 1024 };
    let db = try_open(storage.clone(), Options { auto_checkpoint, ..SMALL }).unwrap();
    let users = db.create_collection("users").unwrap();
    let other = db.clone();
    let background = thread::spawn(move || {
        let mut ran = 0;
        while other.checkpoint_when_due().unwrap() {
            ran += 1;
        }
        ran
    });
    let sealed = |storage: &Faulty| {
        storage.files().keys().filter(|name| name.starts_with("SEGMENTS/")).count() > 0
    };
    let mut commits = 0;
    // However the threads are scheduled: goes on until the other one has had its turn.
    while !sealed(&storage) {
        db.put(users, id(commits % 9), doc(1)).unwrap();
        commits += 1;
    }
    db.close().unwrap();
    assert!(background.join().unwrap() >= 1);
    assert!(!db.checkpoint_when_due().unwrap(), "closed");
    let db = open(&MemStorage::restore(&storage.files()));
    assert_eq!(db.sequence(), commits);
}

/// Threads commit while another does nothing but checkpoint; every round is a commit of each.
#[test]
fn commits_and_checkpoints_at_once_lose_nothing() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 100;
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (db, done) = (&db, &done);
        let checkpoints = scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                db.checkpoint().unwrap();
            }
        });
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let own = id(round * THREADS + thread);
                        db.put(users, own, doc(1)).unwrap();
                        assert_eq!(db.get(users, own).unwrap(), Some(doc(1)));
                    }
                })
            })
            .collect();
        let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        checkpoints.join().unwrap();
        assert!(written.iter().all(Result::is_ok));
    });
    assert_eq!(db.sequence(), THREADS * ROUNDS);
    let shown = contents(&db);
    assert_eq!(shown["users"].len() as u64, THREADS * ROUNDS);
    db.verify().unwrap();
    drop(db);
    assert_eq!(contents(&open(&MemStorage::restore(&storage.files()))), shown);
}

/// It gives back a version that is in memory until the checkpoint is done, and for which the
/// segment writer looks, too.
#[test]
fn dropping_a_snapshot_while_segments_are_written_holds_up_no_commit() {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    let old = Mutex::new(Some(db.snapshot().unwrap()));
    db.put(users, id(1), doc(2)).unwrap();
    let other = db.clone();
    storage.set_hook(Some(Arc::new(move |_: &str, file: &str| {
        let Some(old) = old.lock().unwrap().take_if(|_| file.starts_with("SEGMENTS/seg")) else {
            return Ok(());
        };
        let (done, answered) = channel();
        let dropped = done.clone();
        thread::spawn(move || {
            drop(old);
            dropped.send(Ok(0)).unwrap();
        });
        let db = other.clone();
        thread::spawn(move || done.send(db.put(users, id(2), doc(3))).unwrap());
        for _ in 0..2 {
            // Times out if either waits for the segment.
            answered.recv_timeout(PATIENCE).unwrap().unwrap();
        }
        Ok(())
    })));
    db.checkpoint().unwrap();
    storage.set_hook(None);
    assert_eq!(contents(&db)["users"].len(), 2);
    db.verify().unwrap();
}
