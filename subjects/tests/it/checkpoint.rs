//! A checkpoint beside commits under power loss: whatever is lost, kept or torn while segments are
//! written and commits enter the next WAL, a prefix of the commits survives with every acknowledged
//! one.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use proofhouse_crash::{CallKind, Change, Mark, SimDisk, mutations};

use crate::support::{content, first_wrong, id, open};

/// How long a commit may take before it is taken to wait for the checkpoint that waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Commits before the checkpoint.
const BEFORE: u8 = 2;

/// Two commits, then a checkpoint; before each of its calls that change a segment, another
/// thread commits.
fn record() -> SimDisk {
    let disk = SimDisk::new();
    let db = open(&disk).unwrap();
    let users = db.create_collection("users").unwrap();
    disk.settle();
    let (ask, asked) = channel::<u8>();
    let (answer, answered) = channel();
    let (other, marked) = (db.clone(), disk.clone());
    let commit = move |number: u8| {
        marked.mark(Mark::Issue(number.into()));
        let committed = other.put(users, id(number), content(number));
        marked.mark(Mark::Ack(number.into()));
        committed.unwrap()
    };
    for number in 1..=BEFORE {
        commit(number);
    }
    let committer = thread::spawn(move || {
        for number in asked {
            answer.send(commit(number)).unwrap();
        }
    });
    let state = Mutex::new((BEFORE, ask, answered));
    disk.set_hook(Some(Arc::new(move |call| {
        let changes = [CallKind::Create, CallKind::Write, CallKind::SyncFull, CallKind::SyncDir];
        // Calls of the committer come back here: while one commits, the others pass.
        if call.path.starts_with("SEGMENTS")
            && changes.contains(&call.kind)
            && let Ok(mut state) = state.try_lock()
        {
            state.0 += 1;
            state.1.send(state.0).unwrap();
            // Times out if commits wait for sealing.
            let sequence = state.2.recv_timeout(PATIENCE).unwrap();
            assert_eq!(sequence, u64::from(state.0));
        }
        Ok(())
    })));
    db.checkpoint().unwrap();
    disk.set_hook(None);
    committer.join().unwrap();
    assert_eq!(db.sequence(), u64::from(BEFORE) + 4, "create, write, sync and directory sync");
    disk
}

#[test]
fn no_crash_while_a_checkpoint_runs_beside_commits_loses_one() {
    let (judged, wrong) = first_wrong(&record().trace());
    assert_eq!(wrong, None);
    assert!(judged >= 100, "{judged} states");
}

/// Only sidecars, which are derived, bear no load: a torn one is built anew.
#[test]
fn without_any_one_sync_or_rename_but_those_of_sidecars_something_is_lost() {
    let trace = record().trace();
    let removals = mutations(&trace).filter(|mutation| mutation.change == Change::Remove);
    let mut noticed = 0;
    for mutation in removals {
        match first_wrong(&mutation.apply(&trace)) {
            (_, Some(_)) => noticed += 1,
            (_, None) => assert!(mutation.to_string().contains(" INDEX"), "{mutation}: unnoticed"),
        }
    }
    assert!(noticed > 10, "{noticed}");
}
