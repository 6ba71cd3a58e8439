//! Compaction changes how much there is to read, never what is read.

use std::collections::BTreeMap;

use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, CompactionState, Database, Error, Options, Snapshot, Verified};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::faulty::{Fault, Faulty};
use crate::support::{
    Contents, Files, READ_ONLY, SMALL, contents, doc, id, is_sidecar, long_doc, open,
    snapshot_contents, try_open,
};

const EIO: i32 = 5;

/// Overlapping segments with several versions of some keys, tombstones over others, and writes
/// that are not sealed yet.
fn layered(storage: &MemStorage) -> (Database, CollectionId) {
    let db = open(storage);
    let users = db.create_collection("users").unwrap();
    for round in 0..4_u8 {
        for number in 0..6 {
            db.put(users, id(number * u64::from(round + 1)), doc(round)).unwrap();
        }
        db.put(users, id(40), long_doc(300, round)).unwrap();
        db.delete(users, id(u64::from(round))).unwrap();
        db.checkpoint().unwrap();
    }
    db.put(users, id(5), doc(9)).unwrap();
    db.delete(users, id(6)).unwrap();
    (db, users)
}

fn sealed(db: &Database) -> Verified {
    db.verify().unwrap()
}

/// Segments and sidecars without the state of anything else.
fn segments(storage: &MemStorage) -> Files {
    let of_segments = |name: &String| name.starts_with("SEGMENTS/") || is_sidecar(name);
    storage.dump().into_iter().filter(|(name, _)| of_segments(name)).collect()
}

#[test]
fn one_version_of_a_key_is_left_and_no_tombstone() {
    let storage = MemStorage::new();
    let (db, _) = layered(&storage);
    db.checkpoint().unwrap();
    let shown = contents(&db);
    assert!(sealed(&db).records > shown["users"].len() as u64);
    db.compact().unwrap();
    assert_eq!(contents(&db), shown);
    assert_eq!(sealed(&db).records, shown["users"].len() as u64);
    let unlisted = segments(&storage).len() - 2 * sealed(&db).segments;
    assert_eq!(unlisted, 0, "the sources are gone, with their sidecars");
    db.close().unwrap();
    assert_eq!(contents(&open(&storage)), shown);
}

#[test]
fn what_is_compact_already_is_left_alone() {
    let storage = MemStorage::new();
    let (db, users) = layered(&storage);
    db.checkpoint().unwrap();
    db.compact().unwrap();
    let files = storage.dump();
    let again = db.compaction().unwrap();
    assert_eq!(again.segments(), 0);
    assert_eq!(again.run().unwrap(), CompactionState::Done);
    assert_eq!(storage.dump(), files);
    // One more segment, far from the others: they stay as they are.
    for number in 100..110 {
        db.put(users, id(number), long_doc(300, 1)).unwrap();
    }
    db.checkpoint().unwrap();
    let before = segments(&storage);
    db.compact().unwrap();
    let after = segments(&storage);
    assert!(before.iter().any(|(name, bytes)| after.get(name) == Some(bytes)));
}

#[test]
fn a_store_of_deletions_only_becomes_empty() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    for number in 0..20 {
        db.put(users, id(number), long_doc(300, 1)).unwrap();
    }
    db.checkpoint().unwrap();
    for number in 0..20 {
        db.delete(users, id(number)).unwrap();
    }
    db.checkpoint().unwrap();
    db.compact().unwrap();
    assert_eq!(sealed(&db), Verified { segments: 0, records: 0, wal_commits: 0 });
    db.close().unwrap();
    let db = open(&storage);
    assert!(contents(&db)["users"].is_empty());
    assert_eq!(db.put(users, id(1), doc(1)).unwrap(), 41);
}

#[test]
fn small_neighbours_are_joined() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    for number in 0..10 {
        db.put(users, id(number), doc(1)).unwrap();
        db.checkpoint().unwrap();
    }
    assert_eq!(sealed(&db).segments, 10);
    db.compact().unwrap();
    assert_eq!(sealed(&db), Verified { segments: 1, records: 10, wal_commits: 0 });
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, u8),
    Delete(u64),
    Checkpoint,
    Compact(u64),
    Snapshot,
    Release,
    Reopen,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..30_u64, 0..24_u8).prop_map(|(at, content)| Step::Put(at, content)),
        5 => (0..30_u64).prop_map(Step::Delete),
        4 => Just(Step::Checkpoint),
        5 => prop_oneof![1..200_u64, Just(u64::MAX)].prop_map(Step::Compact),
        2 => Just(Step::Snapshot),
        1 => Just(Step::Release),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ];
    vec(step, 0..100)
}

proptest! {
    /// Steps of compactions stand among everything else that a store does.
    #[test]
    fn compaction_changes_no_answer_whatever_happens_meanwhile(steps in steps()) {
        let storage = MemStorage::new();
        let mut db = open(&storage);
        let users = db.create_collection("users").unwrap();
        let mut expected = BTreeMap::new();
        let mut snapshots: Vec<(Snapshot, Vec<_>)> = Vec::new();
        let mut compaction = None;
        for step in steps {
            match step {
                Step::Put(at, content) => {
                    db.put(users, id(at), doc(content)).unwrap();
                    expected.insert(id(at), doc(content));
                }
                Step::Delete(at) => {
                    db.delete(users, id(at)).unwrap();
                    expected.remove(&id(at));
                }
                Step::Checkpoint => db.checkpoint().unwrap(),
                Step::Compact(budget) => {
                    let running = match &mut compaction {
                        Some(running) => running,
                        None => compaction.insert(db.compaction().unwrap()),
                    };
                    if running.step(budget).unwrap() == CompactionState::Done {
                        compaction = None;
                    }
                }
                Step::Snapshot => {
                    let snapshot = db.snapshot().unwrap();
                    let shown = snapshot_contents(&snapshot, users);
                    prop_assert!(shown.iter().cloned().eq(expected.clone()));
                    snapshots.push((snapshot, shown));
                }
                Step::Release => drop(snapshots.pop()),
                Step::Reopen | Step::Crash => {
                    if matches!(step, Step::Reopen) {
                        db.close().unwrap();
                    }
                    // What a crash leaves behind is the files as they are.
                    let files = storage.dump();
                    compaction = None;
                    snapshots.clear();
                    drop(db);
                    restore(&storage, &files);
                    db = open(&storage);
                }
            }
            let shown = contents(&db);
            prop_assert!(shown["users"].iter().eq(&expected), "{shown:?}");
            for (snapshot, shown) in &snapshots {
                prop_assert_eq!(&snapshot_contents(snapshot, users), shown);
            }
        }
        drop(compaction);
        db.verify().unwrap();
    }
}

/// Makes the medium hold exactly these files again.
fn restore(storage: &MemStorage, files: &Files) {
    use entidb_engine::storage::Storage as _;
    for name in storage.dump().into_keys() {
        storage.remove(&name).unwrap();
    }
    for (name, bytes) in files {
        storage.create(name).unwrap().write_at(0, bytes).unwrap();
    }
}

fn calls_of_a_compaction() -> Vec<String> {
    let medium = MemStorage::new();
    drop(layered(&medium));
    let storage = Faulty::new(medium);
    let db = try_open(storage.clone(), SMALL).unwrap();
    storage.take_calls();
    db.compact().unwrap();
    storage.take_calls()
}

/// Opens a copy of the layered store on a medium that fails from some call of the compaction on.
fn compact_failing(at: usize, forever: bool, carried_out: bool) -> Failing {
    let medium = MemStorage::new();
    drop(layered(&medium));
    let storage = Faulty::new(medium.clone());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let shown = contents(&db);
    storage.take_calls();
    storage.fail(Fault { at, errno: EIO, forever, carried_out });
    let answer = db.compact();
    Failing { medium, storage, db, shown, answer }
}

struct Failing {
    medium: MemStorage,
    storage: Faulty,
    db: Database,
    shown: Contents,
    answer: Result<(), Error>,
}

/// A call that fails for ever, having done its work or not, is a crash at that call.
#[test]
fn a_crash_at_any_call_of_a_compaction_loses_and_resurrects_nothing() {
    let calls = calls_of_a_compaction();
    assert!(calls.len() > 30, "{calls:?}");
    for (at, call) in calls.iter().enumerate() {
        for carried_out in [false, true] {
            let Failing { medium, db, shown, .. } = compact_failing(at, true, carried_out);
            drop(db);
            let db = open(&medium);
            assert_eq!(contents(&db), shown, "{call}");
            db.compact().unwrap();
            assert_eq!(contents(&db), shown, "{call}");
            db.close().unwrap();
            let db = try_open(medium, READ_ONLY).unwrap();
            assert_eq!(contents(&db), shown, "{call}");
            db.verify().unwrap();
        }
    }
}

#[test]
fn a_compaction_that_fails_before_its_publication_leaves_the_store_usable() {
    let calls = calls_of_a_compaction();
    let switch = calls.iter().rposition(|call| call == "rename MANIFEST.tmp").unwrap();
    let begun = calls.iter().position(|call| call.starts_with("create SEGMENTS/")).unwrap();
    let mut failed = 0;
    for (at, call) in calls.iter().enumerate().take(switch).skip(begun) {
        let Failing { medium, storage, db, shown, answer } = compact_failing(at, false, false);
        storage.mend();
        let derived = call.contains("INDEX") || call == "remove MANIFEST.tmp";
        match answer {
            Ok(()) => assert!(derived, "{call}"),
            Err(Error::Io { .. }) => {
                failed += 1;
                let listed = 2 * sealed(&db).segments;
                assert_eq!(segments(&medium).len(), listed, "{call}: abandoned");
            }
            Err(other) => panic!("{call}: {other}"),
        }
        assert_eq!(contents(&db), shown, "{call}");
        let users = db.collection("users").unwrap();
        db.put(users, id(77), doc(7)).unwrap();
        db.compact().unwrap();
        assert_eq!(contents(&db)["users"].len(), shown["users"].len() + 1);
        db.close().unwrap();
    }
    assert!(failed > 8, "{failed} failures");
}

#[test]
fn a_damaged_source_is_reported_and_nothing_is_published() {
    let storage = MemStorage::new();
    let (db, _) = layered(&storage);
    db.close().unwrap();
    let mut files = storage.dump();
    let name = files.keys().find(|name| name.starts_with("SEGMENTS/")).unwrap().clone();
    let at = files[&name].len() - 3;
    files.get_mut(&name).unwrap()[at] ^= 1;
    let storage = MemStorage::restore(&files);
    let db = open(&storage);
    let manifest = storage.dump()["MANIFEST"].clone();
    let error = db.compact().unwrap_err();
    assert!(matches!(&error, Error::Corrupt { file, .. } if *file == name), "{error}");
    let listed = |bytes: &[u8]| {
        let manifest = entidb_engine::format::manifest::Manifest::decode(bytes).unwrap();
        manifest.trailer.segments
    };
    assert_eq!(listed(&storage.dump()["MANIFEST"]), listed(&manifest));
    let users = db.collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
}

#[test]
fn a_running_scan_and_a_snapshot_outlive_the_files_they_read() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    for round in 0..3 {
        for number in 0..40 {
            db.put(users, id(number), doc(round)).unwrap();
        }
        db.checkpoint().unwrap();
    }
    let snapshot = db.snapshot().unwrap();
    let shown = snapshot_contents(&snapshot, users);
    let mut scan = db.scan(users).unwrap();
    let first: Vec<_> = scan.by_ref().take(7).map(Result::unwrap).collect();
    for number in 0..40 {
        db.delete(users, id(number)).unwrap();
    }
    db.checkpoint().unwrap();
    db.compact().unwrap();
    assert_eq!(sealed(&db).segments, 0);
    let rest = scan.map(Result::unwrap);
    assert!(first.into_iter().chain(rest).eq(shown.iter().cloned()));
    assert_eq!(snapshot_contents(&snapshot, users), shown);
}

#[test]
fn a_compaction_that_is_cancelled_dropped_or_closed_over_leaves_nothing() {
    let ends: [fn(&Database, entidb_engine::Compaction); 3] = [
        |_, compaction| drop(compaction),
        |_, mut compaction| {
            compaction.control().cancel();
            assert_eq!(compaction.step(1).unwrap(), CompactionState::Cancelled);
        },
        |db, mut compaction| {
            db.close().unwrap();
            assert!(matches!(compaction.step(1), Err(Error::Closed)));
        },
    ];
    for end in ends {
        let storage = MemStorage::new();
        let (db, _) = layered(&storage);
        let shown = contents(&db);
        let listed = segments(&storage);
        let mut compaction = db.compaction().unwrap();
        while compaction.progress().written == 0 || segments(&storage).len() == listed.len() {
            assert_eq!(compaction.step(1).unwrap(), CompactionState::Running);
        }
        end(&db, compaction);
        let closed = db.close().is_err();
        if !closed {
            assert_eq!(segments(&storage).len(), listed.len() + 2, "what the close sealed");
        }
        let db = try_open(storage, READ_ONLY).unwrap();
        assert_eq!(contents(&db), shown);
        db.verify().unwrap();
    }
}

#[test]
fn planning_alone_tells_what_there_is_to_do_and_writes_nothing() {
    let storage = MemStorage::new();
    let (db, _) = layered(&storage);
    let before = storage.dump();
    let planned = db.compaction().unwrap();
    assert!(planned.segments() > 1 && planned.progress().total > 0);
    assert_eq!(planned.progress().written, 0);
    drop(planned);
    assert_eq!(storage.dump(), before);
    db.compact().unwrap();
}

#[test]
fn progress_ends_at_what_was_planned() {
    let (db, _) = layered(&MemStorage::new());
    let mut compaction = db.compaction().unwrap();
    let control = compaction.control();
    let planned = control.progress();
    assert_eq!((planned.merged, planned.written), (0, 0));
    assert!(compaction.segments() > 1 && planned.total > 0);
    let mut steps = 0;
    while compaction.step(60).unwrap() == CompactionState::Running {
        let now = control.progress();
        assert!(now.written <= now.merged && now.merged <= now.total);
        steps += 1;
    }
    let done = control.progress();
    assert!(steps > 3, "{steps} steps");
    assert_eq!(done.total, planned.total);
    assert!(0 < done.written && done.written < done.merged, "{done:?}");
    assert_eq!(compaction.step(60).unwrap(), CompactionState::Done, "and stays so");
}

#[test]
fn there_is_one_compaction_at_a_time_and_none_in_a_transaction_or_read_only() {
    let storage = MemStorage::new();
    let (db, users) = layered(&storage);
    let mut first = db.compaction().unwrap();
    assert!(matches!(db.compact(), Err(Error::CompactionRunning)));
    let mut txn = db.begin().unwrap();
    assert!(matches!(first.step(u64::MAX), Err(Error::NestedTransaction)));
    txn.put(users, id(1), doc(1)).unwrap();
    txn.commit().unwrap();
    assert_eq!(first.step(1).unwrap(), CompactionState::Running);
    let txn = db.begin().unwrap();
    assert!(matches!(first.step(u64::MAX), Err(Error::NestedTransaction)), "at its publication");
    drop(txn);
    assert_eq!(first.step(u64::MAX).unwrap(), CompactionState::Done);
    db.checkpoint().unwrap();
    let second = db.compaction().unwrap();
    assert!(second.segments() > 0);
    drop(first);
    assert!(matches!(db.compact(), Err(Error::CompactionRunning)), "the second is still there");
    drop(db);
    drop(second);
    open(&storage).close().unwrap();
    let db = try_open(storage, READ_ONLY).unwrap();
    assert!(matches!(db.compact(), Err(Error::ReadOnly)));
}

#[test]
fn a_compaction_in_the_background_disturbs_no_writer() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { max_segment: 4096, ..SMALL };
    let db = Database::open(dir.path(), options).unwrap();
    let users = db.create_collection("users").unwrap();
    let mut expected = BTreeMap::new();
    for round in 0..20_u8 {
        let compaction = db.compaction().unwrap();
        let background = std::thread::spawn(move || compaction.run());
        for number in 0..30 {
            let number = number * u64::from(round % 3 + 1);
            db.put(users, id(number), doc(round)).unwrap();
            expected.insert(id(number), doc(round));
        }
        db.delete(users, id(u64::from(round))).unwrap();
        expected.remove(&id(u64::from(round)));
        db.checkpoint().unwrap();
        assert_eq!(background.join().unwrap().unwrap(), CompactionState::Done);
        assert!(contents(&db)["users"].iter().eq(&expected), "round {round}");
    }
    db.close().unwrap();
    let db = Database::open(dir.path(), options).unwrap();
    assert!(contents(&db)["users"].iter().eq(&expected));
}
