use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, EntityId, Error, IdSource, Options};
use proptest::prelude::*;

use crate::support::{SMALL, collect, contents, doc, id, long_doc, open};

#[test]
fn a_transaction_reads_its_own_writes_and_nobody_else_does() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    let mut txn = db.begin().unwrap();
    txn.put(users, id(1), doc(2)).unwrap();
    txn.put(users, id(2), doc(3)).unwrap();
    assert_eq!(txn.get(users, id(1)).unwrap(), Some(doc(2)));
    let all = [id(1), id(2), id(3)];
    assert_eq!(txn.get_many(users, &all).unwrap(), [Some(doc(2)), Some(doc(3)), None]);
    assert_eq!(db.get_many(users, &all).unwrap(), [Some(doc(1)), None, None]);
    assert!(txn.delete(users, id(1)).unwrap());
    assert!(!txn.delete(users, id(1)).unwrap(), "it is gone already");
    assert_eq!(txn.get(users, id(1)).unwrap(), None);
    assert_eq!(db.get(users, id(1)).unwrap(), Some(doc(1)));
    assert_eq!(txn.commit().unwrap(), 2);
    assert_eq!(db.get_many(users, &all).unwrap(), [None, Some(doc(3)), None]);
}

#[test]
fn an_abandoned_transaction_leaves_nothing() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    let (before, files) = (contents(&db), storage.dump());
    let mut txn = db.begin().unwrap();
    txn.put(users, id(1), doc(2)).unwrap();
    txn.abort().unwrap();
    let mut txn = db.begin().unwrap();
    txn.delete(users, id(1)).unwrap();
    drop(txn);
    assert_eq!(contents(&db), before);
    assert_eq!(storage.dump(), files, "nothing was written");
    assert_eq!(db.put(users, id(2), doc(2)).unwrap(), 2, "no sequence was taken");
}

#[test]
fn commits_without_effect_take_no_sequence_and_write_nothing() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let users = db.create_collection("users").unwrap();
    assert_eq!(db.begin().unwrap().commit().unwrap(), 0);
    assert_eq!(db.put(users, id(1), doc(1)).unwrap(), 1);
    let files = storage.dump();
    assert_eq!(db.delete(users, id(9)).unwrap(), 1);
    let mut txn = db.begin().unwrap();
    txn.put(users, id(2), doc(2)).unwrap();
    txn.delete(users, id(2)).unwrap();
    assert_eq!(txn.commit().unwrap(), 1, "put and deleted again: never there");
    assert_eq!(storage.dump(), files);
    assert_eq!(db.put(users, id(2), doc(2)).unwrap(), 2);
    assert_eq!(db.sequence(), 2);
}

#[test]
fn whatever_needs_the_writer_inside_a_transaction_is_an_error_not_a_deadlock() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    let clone = db.clone();
    let nested = [
        db.begin().err(),
        clone.begin().err(),
        db.put(users, id(1), doc(1)).err(),
        db.delete(users, id(1)).err(),
        db.create_collection("posts").err(),
        db.checkpoint().err(),
        db.verify().err(),
        db.close().err(),
    ];
    for error in nested {
        assert!(matches!(error, Some(Error::NestedTransaction)), "{error:?}");
    }
    txn.put(users, id(1), doc(1)).unwrap();
    assert_eq!(txn.commit().unwrap(), 1, "the transaction is unharmed");
    db.close().unwrap();
}

#[test]
fn another_thread_waits_for_the_writer_and_sees_what_it_committed() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    let (asking, asked) = mpsc::channel();
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            asking.send(()).unwrap();
            let mut txn = db.begin().unwrap();
            assert_eq!(txn.get(users, id(1)).unwrap(), Some(doc(1)));
            txn.put(users, id(2), doc(2)).unwrap();
            txn.commit().unwrap()
        });
        asked.recv().unwrap();
        txn.put(users, id(1), doc(1)).unwrap();
        assert_eq!(txn.commit().unwrap(), 1);
        assert_eq!(other.join().unwrap(), 2);
    });
}

#[test]
fn writers_of_many_threads_take_dense_sequences() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let taken = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let db = &db;
                scope.spawn(move || {
                    let put = |at: u64| db.put(users, id(writer * 100 + at), doc(1)).unwrap();
                    (0..50).map(put).collect::<Vec<u64>>()
                })
            })
            .collect();
        let mut taken: Vec<u64> =
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        taken.sort_unstable();
        taken
    });
    assert!(taken.into_iter().eq(1..=200));
    assert_eq!(collect(db.scan(users).unwrap()).unwrap().len(), 200);
}

#[test]
fn collections_do_not_share_identities() {
    let db = open(&MemStorage::new());
    let ids = db.create_collections(&["a", "b", "c"]).unwrap();
    for (number, collection) in (1..).zip(&ids) {
        db.put(*collection, id(1), doc(number)).unwrap();
    }
    db.checkpoint().unwrap();
    db.delete(ids[1], id(1)).unwrap();
    let shown: Vec<_> = ids.iter().map(|at| db.get(*at, id(1)).unwrap()).collect();
    assert_eq!(shown, [Some(doc(1)), None, Some(doc(3))]);
    assert_eq!(collect(db.scan(ids[1]).unwrap()).unwrap(), []);
    assert_eq!(db.collection("b"), Some(ids[1]));
    assert_eq!(db.collection("d"), None);
}

#[test]
fn collections_are_created_all_or_none() {
    let db = open(&MemStorage::new());
    db.create_collection("a").unwrap();
    for names in [["b", "a"], ["b", "b"], ["b", ""]] {
        assert!(db.create_collections(&names).is_err());
    }
    assert_eq!(db.create_collections(&[]).unwrap(), []);
    assert_eq!(db.collections().len(), 1);
    assert_eq!(db.create_collection("b").unwrap().get(), 2, "no number was used up");
}

#[test]
fn limits_are_exact_and_leave_the_transaction_as_it_was() {
    let db = open(&MemStorage::new());
    let users = db.create_collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    for at in 0..4 {
        txn.put(users, id(at), long_doc(4096, 1)).unwrap();
    }
    let over = txn.put(users, id(9), doc(1)).unwrap_err();
    let is_transaction = matches!(over, Error::TooLarge { what: "the transaction", .. });
    assert!(is_transaction, "{over}");
    assert_eq!(txn.get(users, id(9)).unwrap(), None);
    txn.put(users, id(0), doc(1)).unwrap();
    txn.put(users, id(9), doc(1)).unwrap();
    assert!(txn.put(users, id(8), long_doc(4097, 1)).is_err());
    txn.commit().unwrap();
    assert_eq!(collect(db.scan(users).unwrap()).unwrap().len(), 5);
}

/// Draws from a short list, over and over.
struct Cycle(std::iter::Cycle<std::vec::IntoIter<u64>>);

impl IdSource for Cycle {
    fn next_id(&mut self) -> std::io::Result<EntityId> {
        Ok(id(self.0.next().unwrap()))
    }
}

#[test]
fn inserts_never_take_a_live_identity_even_if_the_source_repeats() {
    let ids = Box::new(Cycle(vec![1, 1, 2].into_iter().cycle()));
    let db = Database::open_with(Arc::new(MemStorage::new()), ids, SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    let first = txn.insert(users, doc(1)).unwrap();
    let second = txn.insert(users, doc(2)).unwrap();
    assert_eq!([first, second], [id(1), id(2)]);
    let exhausted = txn.insert(users, doc(3)).unwrap_err();
    assert!(matches!(exhausted, Error::IdsExhausted { draws: 64 }), "{exhausted}");
    txn.commit().unwrap();
    assert_eq!(db.get_many(users, &[first, second]).unwrap(), [Some(doc(1)), Some(doc(2))]);
    assert!(db.begin().unwrap().insert(users, doc(3)).is_err(), "committed ones are live, too");
}

#[test]
fn a_manifest_that_no_open_would_read_is_never_written() {
    let storage = MemStorage::new();
    let db = open(&storage);
    let files = storage.dump();
    // 262,144 names of 255 bytes are more than the 64 MiB a MANIFEST may have.
    let names: Vec<String> = (0..1 << 18).map(|at| format!("{at:0255}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = db.create_collections(&names).unwrap_err();
    assert!(matches!(refused, Error::TooLarge { what: "MANIFEST", .. }), "{refused}");
    assert_eq!(storage.dump(), files);
    db.create_collection("users").unwrap();
}

/// Writes by identity: new content, or deletion.
type Writes = BTreeMap<u64, Option<u8>>;

fn writes(most: usize) -> impl Strategy<Value = Writes> {
    prop::collection::btree_map(0..12_u64, prop::option::of(0..24_u8), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is in old segments, in the memtable and in the transaction itself, a scan shows
    /// the newest of each, in the order of identities, and gets agree.
    #[test]
    fn scans_merge_segments_memory_and_own_writes_in_order(
        layers in prop::collection::vec((writes(8), any::<bool>()), 0..5),
        own in writes(8),
    ) {
        let options = Options { max_segment: 600, ..SMALL };
        let db = crate::support::try_open(MemStorage::new(), options).unwrap();
        let [before, users, after] =
            db.create_collections(&["a", "b", "c"]).unwrap().try_into().unwrap();
        for neighbour in [before, after] {
            db.put(neighbour, id(3), doc(0)).unwrap();
        }
        let mut model: BTreeMap<EntityId, Bytes> = BTreeMap::new();
        for (layer, seal) in layers {
            let mut txn = db.begin().unwrap();
            apply(&layer, &mut model, &mut txn, users);
            txn.commit().unwrap();
            if seal {
                db.checkpoint().unwrap();
            }
        }
        let committed: Vec<_> = model.clone().into_iter().collect();
        let mut txn = db.begin().unwrap();
        apply(&own, &mut model, &mut txn, users);
        let shown: Vec<_> = txn.scan(users).unwrap().collect::<Result<_, _>>().unwrap();
        let expected: Vec<_> = model.clone().into_iter().collect();
        prop_assert_eq!(shown, expected);
        prop_assert_eq!(collect(db.scan(users).unwrap()).unwrap(), committed);
        for number in 0..12 {
            let expected = model.get(&id(number)).cloned();
            prop_assert_eq!(txn.get(users, id(number)).unwrap(), expected);
        }
    }
}

fn apply(
    writes: &Writes,
    model: &mut BTreeMap<EntityId, Bytes>,
    txn: &mut entidb_engine::WriteTxn,
    users: entidb_engine::CollectionId,
) {
    for (number, content) in writes {
        let existed = match content {
            Some(content) => {
                txn.put(users, id(*number), doc(*content)).unwrap();
                model.insert(id(*number), doc(*content));
                continue;
            }
            None => txn.delete(users, id(*number)).unwrap(),
        };
        assert_eq!(existed, model.remove(&id(*number)).is_some());
    }
}
