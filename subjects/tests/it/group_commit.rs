//! Batches of several commits under power loss: whatever is lost, kept or torn, a prefix of the
//! commits survives that holds every acknowledged one.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ScopedJoinHandle};

use entidb_engine::{CollectionId, Database};
use proofhouse_crash::{CallKind, Change, Mark, SimDisk, mutations};

use crate::support::{content, first_wrong, id, open};

/// Commits in each batch of the run.
const BATCHES: [u8; 4] = [1, 4, 1, 3];

/// Holds back batches before their write and lets them through one by one: between two, nothing
/// happens but what the test does, so every run leaves the same trace.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    arrived: usize,
    let_through: usize,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.arrived += 1;
        let own = state.arrived;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.let_through < own).unwrap());
    }

    /// Returns once this many batches have come to the gate.
    fn await_arrivals(&self, due: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| state.arrived < due).unwrap());
    }

    fn let_one_through(&self) {
        self.state.lock().unwrap().let_through += 1;
        self.changed.notify_all();
    }
}

fn gated(disk: &SimDisk) -> Arc<Gate> {
    let gate = Arc::new(Gate::default());
    let before = Arc::clone(&gate);
    disk.set_hook(Some(Arc::new(move |call| {
        if call.kind == CallKind::Write && call.path.starts_with("wal-") {
            before.pass();
        }
        Ok(())
    })));
    gate
}

/// Returns once a write transaction sees commit `number`, which is queued then.
fn await_queued(db: &Database, users: CollectionId, number: u8) {
    while db.begin().unwrap().get(users, id(number)).unwrap().is_none() {
        thread::yield_now();
    }
}

/// Commits 1 to 9 in the given batches: while one batch is held back, the next gathers.
fn record() -> SimDisk {
    let disk = SimDisk::new();
    let db = open(&disk).unwrap();
    let users = db.create_collection("users").unwrap();
    disk.settle();
    let gate = gated(&disk);
    thread::scope(|scope| {
        let (db, disk) = (&db, &disk);
        let mut earlier: Vec<ScopedJoinHandle<()>> = Vec::new();
        let mut number = 0;
        for (index, batch) in BATCHES.into_iter().enumerate() {
            let mut threads = Vec::new();
            for _ in 0..batch {
                number += 1;
                disk.mark(Mark::Issue(number.into()));
                threads.push(scope.spawn(move || {
                    let sequence = db.put(users, id(number), content(number)).unwrap();
                    assert_eq!(sequence, u64::from(number));
                }));
                await_queued(db, users, number);
            }
            // The batch before is let through, and this one comes to the gate.
            if index > 0 {
                gate.let_one_through();
            }
            for thread in earlier {
                thread.join().unwrap();
            }
            disk.mark(Mark::Ack((number - batch).into()));
            gate.await_arrivals(index + 1);
            earlier = threads;
        }
        gate.let_one_through();
    });
    disk.mark(Mark::Ack(9));
    disk.set_hook(None);
    disk
}

#[test]
fn a_prefix_of_the_commits_survives_every_crash_with_all_that_were_acknowledged() {
    let (judged, wrong) = first_wrong(&record().trace());
    assert_eq!(wrong, None);
    assert!(judged >= 40, "{judged} states");
}

#[test]
fn every_run_leaves_the_same_trace() {
    assert!(record().trace().ops == record().trace().ops);
}

#[test]
fn without_any_one_of_the_syncs_an_acknowledged_batch_is_lost() {
    let trace = record().trace();
    let removals = mutations(&trace).filter(|mutation| mutation.change == Change::Remove);
    let mut removed = 0;
    for mutation in removals {
        let (_, wrong) = first_wrong(&mutation.apply(&trace));
        assert!(wrong.is_some(), "{mutation} goes unnoticed");
        removed += 1;
    }
    assert_eq!(removed, BATCHES.len(), "one sync a batch");
}
