//! The engine's threads under schedules that a checker chooses, one switch at every lock.
//!
//! `scripts/schedules` runs this; without `--cfg shuttle` there is nothing in it. Seeds are fixed:
//! two runs try the same schedules. One that fails is printed; it plays again with
//! `ENTIDB_SCHEDULE=… scripts/schedules NAME`.

#![cfg(shuttle)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod compaction;
mod durable;

use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::{
    AutoCheckpoint, CollectionId, Database, EntityId, Error, IdSource, OpenMode, Options,
};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, thread};

use durable::Durable;

/// Schedules of each kind that a test tries.
const SCHEDULES: usize = 1500;
const SEED: u64 = 0x0073_6368_6564;
/// Switches that matter in a schedule of the second kind (Burckhardt et al., ASPLOS 2010).
const DEPTH: usize = 3;

/// Tries [`SCHEDULES`] of each kind.
fn check(act: fn()) {
    check_some(SCHEDULES, act);
}

/// Tries schedules at random, and such as need few but precise switches; or one, over again.
fn check_some(schedules: usize, act: fn()) {
    if let Ok(schedule) = std::env::var("ENTIDB_SCHEDULE") {
        return shuttle::replay(act, &schedule);
    }
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        assert_eq!(Runner::new(scheduler, Config::new()).run(act), schedules);
    };
    run(Box::new(RandomScheduler::new_from_seed(SEED, schedules)));
    run(Box::new(PctScheduler::new_from_seed(SEED, DEPTH, schedules)));
}

/// No test here draws an identity.
struct NoIds;

impl IdSource for NoIds {
    fn next_id(&mut self) -> std::io::Result<EntityId> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

const OPTIONS: Options = Options {
    mode: OpenMode::Create,
    wal_reserve: 512,
    max_segment: 4096,
    max_payload: 64,
    max_transaction: 4096,
    auto_checkpoint: AutoCheckpoint::Never,
};

fn id(number: u8) -> EntityId {
    EntityId::new([number; 16])
}

/// A canonical integer.
fn doc(number: u8) -> Bytes {
    assert!(number < 24);
    Bytes::copy_from_slice(&[number])
}

/// A store on a medium that can tell what a power loss would leave.
#[derive(Clone)]
struct Store {
    medium: Durable,
    db: Database,
    users: CollectionId,
}

impl Store {
    fn new(options: Options) -> Self {
        let medium = Durable::default();
        let db = open(&medium, options);
        let users = db.create_collection("users").unwrap();
        Self { medium, db, users }
    }

    fn put(&self, number: u8) -> u64 {
        self.db.put(self.users, id(number), doc(number)).unwrap()
    }

    /// What a power loss now would leave, read by a store of its own.
    fn after_power_loss(&self) -> Database {
        open(&self.medium.after_power_loss(), OPTIONS)
    }

    fn spawn(&self, act: impl FnOnce(Self) + Send + 'static) -> thread::JoinHandle<()> {
        let store = self.clone();
        thread::spawn(move || act(store))
    }
}

fn open(medium: &Durable, options: Options) -> Database {
    Database::open_with(Arc::new(medium.clone()), Box::new(NoIds), options).unwrap()
}

/// The entities that a store shows, each with what it says.
fn shown(db: &Database, users: CollectionId) -> Vec<(EntityId, Bytes)> {
    db.scan(users).unwrap().map(Result::unwrap).collect()
}

fn join(threads: Vec<thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// An acknowledgement given before the sync that covers it would leave nothing behind.
#[test]
fn commits_are_durable_and_visible_when_they_are_acknowledged() {
    check(|| {
        let store = Store::new(OPTIONS);
        let writers = (1..=3).map(|number| {
            store.spawn(move |store| {
                let sequence = store.put(number);
                assert_eq!(store.db.get(store.users, id(number)).unwrap(), Some(doc(number)));
                assert!(store.db.sequence() >= sequence);
                let left = store.after_power_loss();
                assert!(left.sequence() >= sequence, "acknowledged and lost");
                assert_eq!(left.get(store.users, id(number)).unwrap(), Some(doc(number)));
            })
        });
        join(writers.collect());
        assert_eq!(store.db.sequence(), 3);
        store.db.verify().unwrap();
    });
}

/// Were commits shown before their sync, or one of a batch without those before it, a reader
/// would see what a power loss takes away.
#[test]
fn readers_see_only_a_durable_prefix() {
    check(|| {
        let store = Store::new(OPTIONS);
        let mut threads: Vec<_> =
            (0..3).map(|number| store.spawn(move |store| _ = store.put(number))).collect();
        threads.push(store.spawn(|store| {
            let mut last = 0;
            for _ in 0..3 {
                let snapshot = store.db.snapshot().unwrap();
                let seen: Vec<_> =
                    snapshot.scan(store.users).unwrap().map(Result::unwrap).collect();
                assert_eq!(seen.len() as u64, snapshot.sequence(), "whole commits");
                assert!(snapshot.sequence() >= last, "never back");
                last = snapshot.sequence();
                let left = store.after_power_loss();
                assert!(left.sequence() >= last, "shown and lost");
                for (id, content) in seen {
                    assert_eq!(left.get(store.users, id).unwrap(), Some(content));
                }
            }
        }));
        join(threads);
    });
}

/// A transaction that changes nothing has read what others commit: its answer vouches for that.
#[test]
fn what_an_idle_transaction_has_read_is_durable_once_it_has_answered() {
    check(|| {
        let store = Store::new(OPTIONS);
        let mut threads = vec![store.spawn(|store| _ = store.put(1))];
        for aborts in [false, true] {
            threads.push(store.spawn(move |store| {
                let txn = store.db.begin().unwrap();
                let seen = txn.get(store.users, id(1)).unwrap();
                if aborts {
                    txn.abort().unwrap();
                } else {
                    txn.commit().unwrap();
                }
                if seen.is_some() {
                    let left = store.after_power_loss();
                    assert_eq!(left.get(store.users, id(1)).unwrap(), seen);
                }
            }));
        }
        join(threads);
    });
}

/// Two threads that each add to what they read: an increment is lost if the next writer does not
/// build on the commit before it.
#[test]
fn each_writer_builds_on_the_commit_before_it() {
    check(|| {
        let store = Store::new(OPTIONS);
        let add = |store: Store| {
            for _ in 0..2 {
                let mut txn = store.db.begin().unwrap();
                let before = txn.get(store.users, id(0)).unwrap().map_or(0, |bytes| bytes[0]);
                txn.put(store.users, id(0), doc(before + 1)).unwrap();
                txn.commit().unwrap();
            }
        };
        join(vec![store.spawn(add), store.spawn(add)]);
        assert_eq!(store.db.get(store.users, id(0)).unwrap(), Some(doc(4)));
        assert_eq!(store.after_power_loss().get(store.users, id(0)).unwrap(), Some(doc(4)));
    });
}

/// A failed sync: whoever waits is told, nobody waits for ever, and nothing in doubt is shown.
#[test]
fn a_failed_sync_is_told_to_everyone_who_rests_on_it() {
    check(|| {
        let store = Store::new(OPTIONS);
        store.put(0);
        store.medium.fail_syncs_of_commits();
        let writers = (1..=3).map(|number| {
            store.spawn(move |store| {
                let answer = store.db.put(store.users, id(number), doc(number));
                let said = matches!(answer, Err(Error::InDoubt { .. } | Error::Poisoned { .. }));
                assert!(said, "{answer:?}");
            })
        });
        join(writers.collect());
        assert!(matches!(store.db.begin(), Err(Error::Poisoned { .. })));
        assert_eq!(shown(&store.db, store.users), [(id(0), doc(0))]);
    });
}

#[test]
fn a_checkpoint_beside_commits_and_snapshots_loses_and_moves_nothing() {
    check(|| {
        let store = Store::new(OPTIONS);
        store.put(0);
        let mut threads = vec![
            store.spawn(|store| store.db.checkpoint().unwrap()),
            store.spawn(|store| {
                for number in 1..=2 {
                    let sequence = store.put(number);
                    let left = store.after_power_loss();
                    assert!(left.sequence() >= sequence, "acknowledged and lost");
                    assert_eq!(left.get(store.users, id(number)).unwrap(), Some(doc(number)));
                }
            }),
        ];
        threads.push(store.spawn(|store| {
            let snapshot = store.db.snapshot().unwrap();
            let read =
                || -> Vec<_> { snapshot.scan(store.users).unwrap().map(Result::unwrap).collect() };
            let first = read();
            assert_eq!(first.len() as u64, snapshot.sequence());
            assert_eq!(read(), first, "a snapshot never changes");
            drop(snapshot);
            assert!(store.db.get(store.users, id(0)).unwrap().is_some(), "never away");
        }));
        join(threads);
        let all = [(id(0), doc(0)), (id(1), doc(1)), (id(2), doc(2))];
        assert_eq!(shown(&store.db, store.users), all);
        store.db.verify().unwrap();
        assert_eq!(shown(&store.after_power_loss(), store.users), all);
    });
}

/// Overwrites drop what no snapshot needs, while snapshots come and go.
#[test]
fn a_snapshot_keeps_its_versions_and_dropping_another_does_not_take_them() {
    check(|| {
        let store = Store::new(OPTIONS);
        store.put(0);
        let look = |store: Store| {
            let snapshot = store.db.snapshot().unwrap();
            let first = snapshot.get(store.users, id(0)).unwrap();
            assert!(first.is_some());
            thread::yield_now();
            assert_eq!(snapshot.get(store.users, id(0)).unwrap(), first);
        };
        let overwrite = |store: Store| {
            for number in 1..=2 {
                store.db.put(store.users, id(0), doc(number)).unwrap();
            }
        };
        join(vec![store.spawn(look), store.spawn(look), store.spawn(overwrite)]);
    });
}

/// Checkpoints by themselves in two committing threads, one in a thread of the caller's, a
/// collection created meanwhile, and a close at the end.
#[test]
fn automatic_checkpoints_creations_and_a_close_get_along() {
    check(|| {
        let auto_checkpoint = AutoCheckpoint::Background { wal_bytes: 512 };
        let store = Store::new(Options { auto_checkpoint, ..OPTIONS });
        let background = store.spawn(|store| while store.db.checkpoint_when_due().unwrap() {});
        let write = |first: u8| {
            move |store: Store| {
                for number in first..first + 3 {
                    store.put(number);
                }
            }
        };
        let create = |store: Store| _ = store.db.create_collection("posts").unwrap();
        join(vec![store.spawn(write(0)), store.spawn(write(10)), store.spawn(create)]);
        store.db.close().unwrap();
        background.join().unwrap();
        let left = store.after_power_loss();
        assert_eq!(shown(&left, store.users).len(), 6);
        assert!(left.collection("posts").is_some());
    });
}
