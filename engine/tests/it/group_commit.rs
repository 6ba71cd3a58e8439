//! Commits that come together share a sync, and nobody is told of them before it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::mpsc::channel;
use std::thread::{self, ScopedJoinHandle};

use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Error, Options, Result, WriteTxn};

use crate::support::faulty::Faulty;
use crate::support::gate::Gate;
use crate::support::{Files, SMALL, collect, doc, id, open, try_open};

/// A store with entity 0, and a closed gate before every further commit.
struct Gated {
    medium: Faulty,
    gate: Gate,
    db: Database,
    users: CollectionId,
}

impl Gated {
    fn new() -> Self {
        let medium = Faulty::new(MemStorage::new());
        // Room for all: only a write that outgrows the reserve sets the length.
        let options = Options { wal_reserve: 4096, ..SMALL };
        let db = try_open(medium.clone(), options).unwrap();
        let users = db.create_collection("users").unwrap();
        db.put(users, id(0), doc(0)).unwrap();
        medium.take_calls();
        let gate = Gate::before_commits(&medium);
        Self { medium, gate, db, users }
    }

    /// What a write transaction sees that begins now.
    fn newest(&self) -> Vec<EntityId> {
        let txn = self.db.begin().unwrap();
        txn.scan(self.users).unwrap().map(|entity| entity.unwrap().0).collect()
    }

    fn shown(&self) -> Vec<EntityId> {
        collect(self.db.scan(self.users).unwrap()).unwrap().into_iter().map(|(id, _)| id).collect()
    }

    /// Commits the first of these entities, and while its sync waits before the gate queues the
    /// others. Returns once all of them are queued, in the order given.
    fn queue<'scope, 'env>(
        &'env self,
        scope: &'scope thread::Scope<'scope, 'env>,
        numbers: Range<u64>,
    ) -> Vec<ScopedJoinHandle<'scope, Result<u64>>> {
        let mut threads = Vec::new();
        for number in numbers {
            threads.push(scope.spawn(move || self.db.put(self.users, id(number), doc(1))));
            if threads.len() == 1 {
                self.gate.await_arrival();
            }
            while !self.newest().contains(&id(number)) {
                thread::yield_now();
            }
        }
        threads
    }
}

fn ids(numbers: Range<u64>) -> Vec<EntityId> {
    numbers.map(id).collect()
}

#[test]
fn commits_that_come_while_one_syncs_share_the_next_sync() {
    let gated = Gated::new();
    thread::scope(|scope| {
        let threads = gated.queue(scope, 1..10);
        assert_eq!(gated.shown(), ids(0..1), "readers see synced commits only");
        assert_eq!(gated.db.sequence(), 1);
        gated.gate.open();
        let answers: Vec<u64> =
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
        assert_eq!(answers, (2..11).collect::<Vec<_>>(), "in the order they were queued");
    });
    // k = 8 commits came while the first synced: at most 9 / 8 + 1 syncs in all, and each batch
    // is written only after the sync before it returned.
    let once = ["write wal-000001.log", "sync_data wal-000001.log"];
    assert_eq!(gated.medium.take_calls(), [once, once].concat());
    assert_eq!(gated.shown(), ids(0..10));
    gated.db.verify().unwrap();
    let medium = MemStorage::restore(&gated.medium.files());
    assert_eq!(open(&medium).sequence(), 10);
}

#[test]
fn a_writer_builds_on_commits_that_readers_do_not_see_yet() {
    let gated = Gated::new();
    let (db, users) = (&gated.db, gated.users);
    thread::scope(|scope| {
        let threads = gated.queue(scope, 1..4);
        let deletion = scope.spawn(move || db.delete(users, id(2)));
        while gated.newest().contains(&id(2)) {
            thread::yield_now();
        }
        let mut txn = db.begin().unwrap();
        assert_eq!(txn.get(users, id(1)).unwrap(), Some(doc(1)));
        assert_eq!(txn.get(users, id(2)).unwrap(), None);
        assert!(!txn.delete(users, id(2)).unwrap(), "it is gone already");
        assert!(txn.delete(users, id(3)).unwrap());
        txn.put(users, id(1), doc(7)).unwrap();
        let both = txn.get_many(users, &[id(0), id(3)]).unwrap();
        assert_eq!(both, [Some(doc(0)), None]);
        let seen: Vec<_> = txn.scan(users).unwrap().map(Result::unwrap).collect();
        assert_eq!(seen, [(id(0), doc(0)), (id(1), doc(7))]);
        assert_eq!(gated.shown(), ids(0..1));
        // Its view stays the same when what it builds on becomes visible.
        gated.gate.open();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
        assert_eq!(deletion.join().unwrap().unwrap(), 5);
        let again: Vec<_> = txn.scan(users).unwrap().map(Result::unwrap).collect();
        assert_eq!(again, seen);
        assert_eq!(txn.get(users, id(3)).unwrap(), None);
        assert_eq!(txn.commit().unwrap(), 6);
    });
    assert_eq!(collect(db.scan(users).unwrap()).unwrap(), [(id(0), doc(0)), (id(1), doc(7))]);
}

/// Ways to end a transaction without effect.
type Idle = fn(WriteTxn, CollectionId) -> Result<()>;

const IDLE: [(&str, Idle); 3] = [
    ("an empty commit", |txn, _| txn.commit().map(drop)),
    ("an abort", |mut txn, users| {
        txn.put(users, id(20), doc(1))?;
        txn.abort()
    }),
    ("a deletion of what is not there", |mut txn, users| {
        txn.delete(users, id(20))?;
        txn.commit().map(drop)
    }),
];

/// What a transaction answers that saw commits on their way, once their sync has succeeded or
/// failed.
fn idle_on_unsynced_state(idle: Idle, fails: bool) -> Result<()> {
    let gated = Gated::new();
    thread::scope(|scope| {
        let threads = gated.queue(scope, 1..3);
        let (send, begun) = channel();
        let Gated { db, users, gate, .. } = &gated;
        let idler = scope.spawn(move || {
            let txn = db.begin().unwrap();
            assert_eq!(txn.scan(*users).unwrap().count(), 3);
            send.send(()).unwrap();
            idle(txn, *users)
        });
        begun.recv().unwrap();
        if fails {
            gate.tear_down();
        } else {
            gate.open();
        }
        for thread in threads {
            assert_eq!(thread.join().unwrap().is_err(), fails);
        }
        let answer = idler.join().unwrap();
        assert_eq!(db.sequence(), if fails { 1 } else { 3 }, "it takes no sequence");
        answer
    })
}

/// Given at once, such an answer would let its caller go on with what it read, and a failure of
/// the sync would never be heard of.
#[test]
fn an_outcome_waits_for_the_commits_it_rests_on() {
    for (name, idle) in IDLE {
        let answer = idle_on_unsynced_state(idle, false);
        assert!(answer.is_ok(), "{name}: {answer:?}");
        let answer = idle_on_unsynced_state(idle, true);
        assert!(matches!(answer, Err(Error::InDoubt { .. })), "{name}: {answer:?}");
    }
}

#[test]
fn a_failed_sync_leaves_every_queued_commit_in_doubt_and_the_handle_poisoned() {
    let gated = Gated::new();
    thread::scope(|scope| {
        let threads = gated.queue(scope, 1..6);
        gated.gate.tear_down();
        for thread in threads {
            let failed = thread.join().unwrap();
            assert!(matches!(failed, Err(Error::InDoubt { .. })), "{failed:?}");
        }
    });
    let Gated { medium, db, users, .. } = &gated;
    let calls = medium.take_calls();
    assert_eq!(calls, ["write wal-000001.log", "sync_data wal-000001.log"], "nothing follows");
    assert!(matches!(db.begin(), Err(Error::Poisoned { .. })));
    assert!(matches!(db.checkpoint(), Err(Error::Poisoned { .. })));
    assert!(matches!(db.verify(), Err(Error::Poisoned { .. })));
    assert_eq!(gated.shown(), ids(0..1), "readers go on with what is synced");
    assert_eq!(db.get(*users, id(1)).unwrap(), None);
    assert!(matches!(db.close(), Err(Error::Poisoned { .. })));
    let reopened = open(&MemStorage::restore(&medium.files()));
    assert_eq!(reopened.sequence(), 2, "the one that was written survives here");
}

/// Commits of entities 0 to 4, those of 2 and 3 in one batch; with the length of the WAL after
/// entity 1, after that batch and at the end.
fn three_batches() -> (Files, [usize; 3]) {
    let gated = Gated::new();
    let written = |medium: &Faulty| {
        let wal = &medium.files()["wal-000001.log"];
        wal.iter().rposition(|byte| *byte != 0).unwrap() + 1
    };
    let first = thread::scope(|scope| {
        let threads = gated.queue(scope, 1..4);
        // That of entity 1 is written and waits for its sync.
        let first = written(&gated.medium);
        gated.gate.open();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
        first
    });
    let second = written(&gated.medium);
    gated.db.put(gated.users, id(4), doc(1)).unwrap();
    let third = written(&gated.medium);
    (gated.medium.files(), [first, second, third])
}

/// The entities shown when byte `at` of the WAL is another one; `None` if that is `Corrupt`.
fn shown_with_flipped_byte(files: &Files, at: usize) -> Option<BTreeSet<EntityId>> {
    let mut files = files.clone();
    files.get_mut("wal-000001.log").unwrap()[at] ^= 0x10;
    match try_open(MemStorage::restore(&files), SMALL) {
        Ok(db) => {
            let users = db.collection("users").unwrap();
            Some(collect(db.scan(users).unwrap()).unwrap().into_iter().map(|(id, _)| id).collect())
        }
        Err(Error::Corrupt { .. }) => None,
        Err(other) => panic!("{at}: {other}"),
    }
}

#[test]
fn a_flipped_byte_is_corruption_if_a_later_batch_testifies_and_a_torn_tail_if_none_does() {
    let (files, [_, second, third]) = three_batches();
    for at in 0..second {
        assert_eq!(shown_with_flipped_byte(&files, at), None, "{at}: acknowledged and synced");
    }
    for at in second..third {
        let shown = shown_with_flipped_byte(&files, at).unwrap();
        assert_eq!(shown, ids(0..4).into_iter().collect(), "{at}: cannot be told from torn");
    }
}

#[test]
fn of_a_torn_batch_the_commits_before_the_break_stay() {
    let (mut files, [first, second, third]) = three_batches();
    files.get_mut("wal-000001.log").unwrap()[second..third].fill(0);
    let mut kept = BTreeSet::new();
    for at in first..second {
        let shown = shown_with_flipped_byte(&files, at).unwrap();
        let whole = shown.len() as u64;
        assert_eq!(shown, ids(0..whole).into_iter().collect(), "{at}: a prefix");
        kept.insert(whole);
    }
    assert_eq!(kept, BTreeSet::from([2, 3]), "broken in the first or in the second of the batch");
}
