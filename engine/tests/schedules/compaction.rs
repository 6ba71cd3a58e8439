//! Compactions beside everything else.

use entidb_engine::CompactionState;

use super::{OPTIONS, Store, check_some, doc, id, join, shown};

/// Schedules of each kind: each is several times as long as those without a compaction.
const SCHEDULES: usize = 400;

/// Two segments that overlap: an entity replaced, one deleted, one left alone.
fn layered() -> Store {
    let store = Store::new(OPTIONS);
    for number in 0..=2 {
        store.put(number);
    }
    store.db.checkpoint().unwrap();
    store.db.put(store.users, id(0), doc(10)).unwrap();
    store.db.delete(store.users, id(1)).unwrap();
    store.db.checkpoint().unwrap();
    store
}

/// A power loss now leaves what was acknowledged, and nothing that was deleted.
fn check_left(store: &Store, sequence: u64) {
    let left = store.after_power_loss();
    assert!(left.sequence() >= sequence, "acknowledged and lost");
    assert_eq!(left.get(store.users, id(1)).unwrap(), None, "deleted, and back");
    assert_eq!(left.get(store.users, id(2)).unwrap(), Some(doc(2)));
    let replaced = left.get(store.users, id(0)).unwrap();
    assert!(replaced == Some(doc(10)) || replaced == Some(doc(11)), "{replaced:?}");
}

/// Were the old segments removed before the switch is durable, or a tombstone dropped while a
/// sealed version lies below it, some moment's power loss would show it.
#[test]
fn a_compaction_beside_group_commits_a_checkpoint_and_snapshots_loses_and_moves_nothing() {
    check_some(SCHEDULES, || {
        let store = layered();
        let mut threads = vec![
            store.spawn(|store| store.db.compact().unwrap()),
            store.spawn(|store| store.db.checkpoint().unwrap()),
            store.spawn(|store| {
                let sequence = store.db.put(store.users, id(0), doc(11)).unwrap();
                check_left(&store, sequence);
            }),
            store.spawn(|store| {
                let sequence = store.put(3);
                check_left(&store, sequence);
            }),
        ];
        threads.push(store.spawn(|store| {
            let snapshot = store.db.snapshot().unwrap();
            let read =
                || -> Vec<_> { snapshot.scan(store.users).unwrap().map(Result::unwrap).collect() };
            let first = read();
            check_left(&store, snapshot.sequence());
            assert_eq!(read(), first, "a snapshot never changes");
            assert_eq!(snapshot.get(store.users, id(1)).unwrap(), None);
            drop(snapshot);
            assert_eq!(store.db.get(store.users, id(2)).unwrap(), Some(doc(2)), "never away");
        }));
        join(threads);
        let all = [(id(0), doc(11)), (id(2), doc(2)), (id(3), doc(3))];
        assert_eq!(shown(&store.db, store.users), all);
        store.db.verify().unwrap();
        assert_eq!(shown(&store.after_power_loss(), store.users), all);
    });
}

/// However a compaction ends, nothing is lost, and nothing that it wrote is left behind.
#[test]
fn a_compaction_that_is_cancelled_or_closed_over_leaves_nothing() {
    check_some(SCHEDULES, || {
        let store = layered();
        let mut compaction = store.db.compaction().unwrap();
        let control = compaction.control();
        let stepping = store.spawn(move |_| {
            // Whoever closes first lets no step pass.
            while let Ok(CompactionState::Running) = compaction.step(40) {}
        });
        let cancelling = store.spawn(move |_| control.cancel());
        let committing = store.spawn(|store| {
            let sequence = store.db.put(store.users, id(0), doc(11)).unwrap();
            check_left(&store, sequence);
            store.db.close().unwrap();
        });
        join(vec![stepping, cancelling, committing]);
        let left = store.after_power_loss();
        assert_eq!(shown(&left, store.users), [(id(0), doc(11)), (id(2), doc(2))]);
        let sealed = left.verify().unwrap();
        assert_eq!(store.medium.segments().len(), sealed.segments, "one file for each");
    });
}

/// Two compactions and two checkpoints: whoever comes second is told, or waits.
#[test]
fn compactions_and_checkpoints_take_turns() {
    check_some(SCHEDULES, || {
        let store = layered();
        let compact = |store: Store| match store.db.compact() {
            Ok(()) | Err(entidb_engine::Error::CompactionRunning) => {}
            Err(other) => panic!("{other}"),
        };
        let checkpoint = |number: u8| {
            move |store: Store| {
                let sequence = store.put(number);
                store.db.checkpoint().unwrap();
                check_left(&store, sequence);
            }
        };
        join(vec![
            store.spawn(compact),
            store.spawn(compact),
            store.spawn(checkpoint(4)),
            store.spawn(checkpoint(5)),
        ]);
        let all = [(id(0), doc(10)), (id(2), doc(2)), (id(4), doc(4)), (id(5), doc(5))];
        assert_eq!(shown(&store.db, store.users), all);
        store.db.compact().unwrap();
        assert_eq!(store.db.verify().unwrap().records, 4, "one version of each");
        assert_eq!(shown(&store.after_power_loss(), store.users), all);
    });
}
