use entidb_engine::storage::MemStorage;

use crate::support::faulty::Faulty;
use crate::support::{Files, SMALL, closed_store, crashed_store, doc, id, try_open};

#[test]
fn the_same_calls_make_the_same_bytes() {
    assert_eq!(closed_store(), closed_store());
    assert_eq!(crashed_store(), crashed_store());
}

#[test]
fn recovery_makes_the_same_bytes_from_the_same_bytes() {
    let recover = |files: &Files| {
        let storage = MemStorage::restore(files);
        drop(try_open(storage.clone(), SMALL).unwrap());
        storage.dump()
    };
    let crashed = crashed_store();
    let recovered = recover(&crashed);
    assert_ne!(recovered, crashed);
    assert_eq!(recovered, recover(&crashed));
}

#[test]
fn the_order_of_writes_in_a_transaction_does_not_show() {
    let run = |order: [u64; 4]| {
        let storage = Faulty::new(MemStorage::new());
        let db = try_open(storage.clone(), SMALL).unwrap();
        let users = db.create_collection("users").unwrap();
        let mut txn = db.begin().unwrap();
        for number in order {
            txn.put(users, id(number), doc(0)).unwrap();
            txn.put(users, id(number), doc(u8::try_from(number).unwrap())).unwrap();
        }
        txn.commit().unwrap();
        drop(db);
        (storage.take_calls(), storage.files())
    };
    assert_eq!(run([1, 2, 3, 4]), run([4, 2, 1, 3]));
}
