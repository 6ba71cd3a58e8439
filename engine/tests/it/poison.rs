//! Every call to the medium fails once, in every way, and the promises hold.

use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, Error};

use crate::support::faulty::{Fault, Faulty};
use crate::support::{
    Contents, Files, SMALL, contents, crashed_store, doc, id, is_sidecar, long_doc, open, try_open,
};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn faults(at: usize) -> impl Iterator<Item = Fault> {
    let ways = [(EIO, false, false), (EIO, false, true), (EIO, true, true), (ENOSPC, true, false)];
    ways.into_iter().map(move |(errno, forever, carried_out)| Fault {
        at,
        errno,
        forever,
        carried_out,
    })
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Create(&'static str),
    Put(u64, u8),
    Transfer,
    Delete(u64),
    Checkpoint,
}

const SCRIPT: [Step; 11] = [
    Step::Create("users"),
    Step::Put(1, 1),
    Step::Put(2, 2),
    Step::Transfer,
    Step::Checkpoint,
    Step::Put(1, 3),
    Step::Create("posts"),
    Step::Delete(2),
    Step::Checkpoint,
    Step::Transfer,
    Step::Put(4, 4),
];

impl Step {
    fn run(self, db: &Database) -> Result<(), Error> {
        let users = db.collection("users");
        // Without its collection, a step has nothing to do.
        match (self, users) {
            (Self::Create(name), _) => db.create_collection(name).map(drop),
            (Self::Checkpoint, _) => db.checkpoint(),
            (Self::Put(number, content), Some(users)) => {
                db.put(users, id(number), doc(content)).map(drop)
            }
            (Self::Delete(number), Some(users)) => db.delete(users, id(number)).map(drop),
            (Self::Transfer, Some(users)) => {
                let mut txn = db.begin()?;
                txn.put(users, id(1), long_doc(600, 7))?;
                txn.put(users, id(3), long_doc(600, 8))?;
                txn.commit().map(drop)
            }
            (_, None) => Ok(()),
        }
    }

    /// What the store shows after this step, done on a medium that never fails.
    fn expect(self, shown: &Contents) -> Contents {
        let mut after = shown.clone();
        if let Self::Create(name) = self {
            after.insert(name.into(), std::collections::BTreeMap::new());
        }
        if let Some(users) = after.get_mut("users") {
            match self {
                Self::Put(number, content) => drop(users.insert(id(number), doc(content))),
                Self::Delete(number) => drop(users.remove(&id(number))),
                Self::Transfer => {
                    users.insert(id(1), long_doc(600, 7));
                    users.insert(id(3), long_doc(600, 8));
                }
                Self::Create(_) | Self::Checkpoint => {}
            }
        }
        after
    }
}

/// What a life left behind: acknowledged, and perhaps one change more.
struct Life {
    sure: Contents,
    maybe: Option<Contents>,
}

/// Runs the script on a medium that fails, and checks what the handle says about it.
fn live(storage: &Faulty, fault: Fault) -> Life {
    let mut life = Life { sure: Contents::new(), maybe: None };
    let db = match try_open(storage.clone(), SMALL) {
        Ok(db) => db,
        Err(error) => {
            assert!(matches!(error, Error::Io { .. }), "{fault:?}: {error}");
            return life;
        }
    };
    for step in SCRIPT {
        let after = step.expect(&life.sure);
        let mut answer = step.run(&db);
        if matches!(answer, Err(Error::Io { .. })) && life.maybe.is_none() {
            // Nothing happened, and the store goes on.
            assert_eq!(contents(&db), life.sure, "{fault:?}: {step:?}");
            if !fault.forever {
                answer = step.run(&db);
                assert!(answer.is_ok(), "{fault:?}: {step:?} again: {answer:?}");
            }
        }
        match answer {
            Ok(()) => life.sure = after,
            Err(Error::InDoubt { .. }) => {
                assert!(life.maybe.is_none(), "{fault:?}: {step:?}: in doubt twice");
                life.maybe = Some(after);
            }
            Err(Error::Poisoned { .. }) => assert!(life.maybe.is_some(), "{fault:?}: {step:?}"),
            Err(Error::Io { .. }) => assert!(fault.forever, "{fault:?}: {step:?}"),
            Err(other) => panic!("{fault:?}: {step:?}: {other}"),
        }
        assert_eq!(contents(&db), life.sure, "{fault:?}: {step:?}");
        assert_eq!(life.maybe.is_some(), db.begin().is_err(), "{fault:?}: {step:?}");
    }
    match db.close() {
        Ok(()) => assert!(life.maybe.is_none(), "{fault:?}"),
        Err(Error::Poisoned { .. }) => assert!(life.maybe.is_some(), "{fault:?}"),
        Err(Error::Io { .. } | Error::InDoubt { .. }) => {}
        Err(other) => panic!("{fault:?}: {other}"),
    }
    life
}

#[test]
fn whatever_call_fails_acknowledged_commits_survive_and_doubt_is_said() {
    let clean = Faulty::new(MemStorage::new());
    let never = Fault { at: usize::MAX, errno: EIO, forever: false, carried_out: false };
    let whole = live(&clean, never);
    let calls = clean.take_calls().len();
    assert!(calls > 100, "{calls} calls");
    let mut in_doubt = 0;
    for fault in (0..calls).flat_map(faults) {
        let medium = MemStorage::new();
        let life = live(&Faulty::failing(medium.clone(), fault), fault);
        in_doubt += usize::from(life.maybe.is_some());
        if !fault.forever && life.maybe.is_none() && !life.sure.is_empty() {
            assert_eq!(life.sure, whole.sure, "{fault:?}: the store went on to the end");
        }
        let db = open(&medium);
        let shown = contents(&db);
        assert!(
            shown == life.sure || Some(&shown) == life.maybe.as_ref(),
            "{fault:?}: {shown:?} is neither acknowledged nor in doubt"
        );
        db.verify().unwrap();
        drop(db);
        let db = open(&medium);
        assert_eq!(contents(&db), shown, "{fault:?}: shown is acknowledged");
        let before = db.sequence();
        let users = db.create_collection("later").unwrap();
        assert_eq!(db.put(users, id(1), doc(1)).unwrap(), before + 1, "{fault:?}");
        db.close().unwrap();
    }
    assert!(in_doubt > 50, "{in_doubt} of the faults left something in doubt");
}

#[test]
fn a_failed_open_changes_nothing_that_the_next_one_shows() {
    let files = crashed_store();
    let clean = Faulty::new(MemStorage::restore(&files));
    let shown = contents(&try_open(clean.clone(), SMALL).unwrap());
    let calls = clean.take_calls().len();
    let mut failed = 0;
    for fault in (0..calls).flat_map(faults) {
        let medium = MemStorage::restore(&files);
        if let Err(error) = try_open(Faulty::failing(medium.clone(), fault), SMALL) {
            failed += 1;
            assert!(matches!(error, Error::Io { .. }), "{fault:?}: {error}");
            check_only_unlisted_files_are_new(fault, &files, &medium.dump());
        }
        for _ in 0..2 {
            assert_eq!(contents(&open(&medium)), shown, "{fault:?}");
        }
    }
    assert!(failed > calls, "{failed} opens failed");
}

fn check_only_unlisted_files_are_new(fault: Fault, before: &Files, after: &Files) {
    if before["MANIFEST"] != after["MANIFEST"] {
        // The switch itself was carried out and then failed: which MANIFEST is current is in
        // doubt, and both show the same.
        return;
    }
    for (name, bytes) in before {
        assert_eq!(after.get(name), Some(bytes), "{fault:?}: {name}");
    }
    // MANIFEST is as it was, so whatever is new is unlisted; nothing else may be there.
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        let ours = name == "MANIFEST.tmp" || name.starts_with("wal-0") || name.contains("/seg-0");
        assert!(ours, "{fault:?}: {name}");
    }
}

/// Files of a store, the temporary one aside, by name only.
fn names(storage: &Faulty) -> Vec<String> {
    storage.files().into_keys().filter(|name| name != "MANIFEST.tmp").collect()
}

/// A checkpoint publishes twice: the cut with the new WAL, and then what was sealed. Before each
/// of these a failure abandons what was written, and the next checkpoint does what is left.
#[test]
fn a_checkpoint_that_fails_before_a_publication_gives_its_space_back() {
    let start = || {
        let storage = Faulty::new(MemStorage::new());
        let db = try_open(storage.clone(), SMALL).unwrap();
        let users = db.create_collection("users").unwrap();
        db.put(users, id(1), doc(1)).unwrap();
        storage.take_calls();
        (storage, db, users)
    };
    let (storage, db, _) = start();
    db.checkpoint().unwrap();
    let calls = storage.take_calls();
    let switches: Vec<usize> =
        (0..calls.len()).filter(|at| calls[*at] == "rename MANIFEST.tmp").collect();
    let [cut, sealed] = switches[..] else { panic!("{calls:?}") };
    assert!(cut > 8 && sealed > cut + 8, "{calls:?}");
    let mut tried = 0;
    for (at, call) in calls.iter().enumerate().take(sealed) {
        let sidecar = is_sidecar(call.rsplit(' ').next().unwrap()) || call.ends_with(" INDEX");
        if sidecar || at == cut || at == cut + 1 {
            // A sidecar that cannot be written stays in memory; a switch that fails is in doubt.
            continue;
        }
        let (storage, db, users) = start();
        let mut live = names(&storage);
        storage.fail_once_after(at, ENOSPC);
        let failed = db.checkpoint();
        tried += 1;
        assert!(matches!(failed, Err(Error::Io { .. })), "{call}: {failed:?}");
        if at > cut {
            live.push("wal-000002.log".into());
            live.sort_unstable();
        }
        assert_eq!(names(&storage), live, "{call}");
        db.put(users, id(2), doc(3)).unwrap();
        let shown = contents(&db);
        let copy = open(&MemStorage::restore(&storage.files()));
        assert_eq!(contents(&copy), shown, "{call}: killed here");
        db.checkpoint().unwrap();
        assert_eq!(db.verify().unwrap().wal_commits, 0, "{call}: both commits are sealed");
        assert_eq!(contents(&db), shown, "{call}");
        db.close().unwrap();
    }
    assert!(tried > 16, "{tried} failures");
}
