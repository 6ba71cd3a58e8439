//! Calls that break the rules.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::ErrorClass::{Conflict, Invalid, Io, Misuse, NotFound, ReadOnly};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Error, IdSource, Options, Result, WriteTxn};

use super::Row;
use crate::support::{READ_ONLY, SMALL, closed_store, contents, doc, id, long_doc, open, try_open};

pub(super) const ROWS: &[Row] = &[
    (
        "no payload",
        || putting(b""),
        Invalid,
        "payload: not canonical CBOR at byte 0: no bytes; encode one value (null is f6)",
    ),
    (
        "a payload that is not CBOR",
        || putting(&[0x1c]),
        Invalid,
        "payload: not canonical CBOR at byte 0: reserved additional information; this \
         is not CBOR",
    ),
    (
        "a payload not in its shortest form",
        || putting(&[0xa1, 0x61, b'v', 0x18, 1]),
        Invalid,
        "payload: not canonical CBOR at byte 3: not in its shortest form; use the \
         fewest bytes",
    ),
    (
        "a payload with keys out of order",
        || putting(b"\xa2\x61b\x01\x61a\x01"),
        Invalid,
        "payload: not canonical CBOR at byte 4: map key out of order; sort keys by \
         their encoded bytes",
    ),
    (
        "a payload with a key twice",
        || putting(b"\xa2\x61a\x01\x61a\x01"),
        Invalid,
        "payload: not canonical CBOR at byte 4: map key given twice; keep one of the \
         entries",
    ),
    (
        "a payload with a float",
        || putting(&[0xf9, 0, 0]),
        Invalid,
        "payload: not canonical CBOR at byte 0: float; use an integer, or the profile \
         with floats",
    ),
    (
        "a payload with a tag",
        || putting(&[0xc1, 0]),
        Invalid,
        "payload: not canonical CBOR at byte 0: tag; store the content without a tag",
    ),
    (
        "a payload of indefinite length",
        || putting(&[0x9f, 0xff]),
        Invalid,
        "payload: not canonical CBOR at byte 0: indefinite length; write the length first",
    ),
    (
        "a payload cut short",
        || putting(&[0x82, 0]),
        Invalid,
        "payload: not canonical CBOR at byte 0: the input ends inside an item; pass \
         the item's bytes whole",
    ),
    (
        "a payload and more",
        || putting(&[0, 0]),
        Invalid,
        "payload: not canonical CBOR at byte 1: bytes follow the item; pass one item only",
    ),
    (
        "a payload that claims a length",
        || putting(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Invalid,
        "payload: not canonical CBOR at byte 0: the input ends inside an item; pass \
         the item's bytes whole",
    ),
    (
        "a payload with text that is not UTF-8",
        || putting(&[0x61, 0xff]),
        Invalid,
        "payload: not canonical CBOR at byte 1: text that is not UTF-8; store it as bytes",
    ),
    (
        "a payload nested too deep",
        || putting(&[0x81; 200]),
        Invalid,
        "payload: not canonical CBOR at byte 128: nested too deep; flatten the value",
    ),
    (
        "a payload too large",
        || putting(&long_doc(4097, 0)),
        Invalid,
        "an entity is 4097 bytes, above the limit of 4096; make it smaller",
    ),
    (
        "a transaction too large",
        transaction_too_large,
        Invalid,
        "the transaction is 20480 bytes, above the limit of 16384; make it smaller",
    ),
    (
        "an unknown collection to read",
        || on_open(|db| db.get(unknown(), id(1)).unwrap_err()),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "an unknown collection to read nothing from",
        || on_open(|db| db.get_many(unknown(), &[]).unwrap_err()),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "an unknown collection to scan",
        || on_open(|db| db.scan(unknown()).err().unwrap()),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "an unknown collection in a snapshot",
        || on_open(|db| db.snapshot().unwrap().get(unknown(), id(1)).unwrap_err()),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "an unknown collection to write",
        || in_txn(|txn, _| txn.put(unknown(), id(1), doc(1))),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "an unknown collection to delete from",
        || in_txn(|txn, _| txn.delete(unknown(), id(1)).map(drop)),
        NotFound,
        "no collection 3; create it first",
    ),
    (
        "a collection that exists",
        || on_open(|db| db.create_collection("users").unwrap_err()),
        Conflict,
        "collection \"users\" exists; look it up with `Database::collection`",
    ),
    (
        "a collection without a name",
        || on_open(|db| db.create_collection("").unwrap_err()),
        Invalid,
        "a collection's name has 1 to 255 bytes, not 0",
    ),
    (
        "a collection with too long a name",
        || on_open(|db| db.create_collection(&"n".repeat(256)).unwrap_err()),
        Invalid,
        "a collection's name has 1 to 255 bytes, not 256",
    ),
    (
        "a transaction within a transaction",
        nested,
        Misuse,
        "this thread has a write transaction open; commit or abort it first",
    ),
    (
        "a use after close",
        || {
            on_open(|db| {
                db.close().unwrap();
                db.begin().err().unwrap()
            })
        },
        Misuse,
        "the store has been closed; open it again",
    ),
    (
        "a write through a read-only handle",
        read_only,
        ReadOnly,
        "this handle is read-only; open the store for writing",
    ),
    (
        "a WAL reserve out of range",
        || out_of_range(Options { wal_reserve: 511, ..SMALL }),
        Invalid,
        "wal_reserve is 511; permitted is 512 to 1073741824",
    ),
    (
        "a segment limit out of range",
        || out_of_range(Options { max_segment: (1 << 30) + 1, ..SMALL }),
        Invalid,
        "max_segment is 1073741825; permitted is 512 to 1073741824",
    ),
    (
        "a payload limit out of range",
        || out_of_range(Options { max_payload: (64 << 20) + 1, ..SMALL }),
        Invalid,
        "max_payload is 67108865; permitted is 1 to 67108864",
    ),
    (
        "a transaction limit out of range",
        || out_of_range(Options { max_transaction: 0, ..SMALL }),
        Invalid,
        "max_transaction is 0; permitted is 1 to 1073741824",
    ),
    (
        "identities that repeat",
        || inserting_with(|| Ok(id(1))),
        Conflict,
        "the source of identities gave 64 that are all in use; give it more entropy",
    ),
    (
        "a source of identities that fails",
        || inserting_with(|| Err(io::ErrorKind::Unsupported.into())),
        Io,
        "entropy source: cannot draw an identity: unsupported; check the device and \
         the system's log",
    ),
];

/// The error of a call on an open store, which is none the worse for it.
fn on_open(call: fn(&Database) -> Error) -> Error {
    let storage = MemStorage::restore(&closed_store());
    let db = open(&storage);
    let (shown, files) = (contents(&db), storage.dump());
    let error = call(&db);
    if !matches!(error, Error::Closed) {
        assert_eq!(contents(&db), shown, "{error}");
    }
    assert_eq!(storage.dump(), files, "{error}");
    error
}

/// The error of a call in a transaction, which stays open and commits nothing of it.
fn in_txn(call: impl FnOnce(&mut WriteTxn, CollectionId) -> Result<()>) -> Error {
    let db = open(&MemStorage::restore(&closed_store()));
    let users = db.collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    let error = call(&mut txn, users).unwrap_err();
    assert_eq!(txn.commit().unwrap(), db.sequence(), "{error}");
    error
}

fn putting(payload: &[u8]) -> Error {
    let payload = Bytes::copy_from_slice(payload);
    in_txn(|txn, users| txn.put(users, id(1), payload))
}

fn transaction_too_large() -> Error {
    let db = open(&MemStorage::restore(&closed_store()));
    let users = db.collection("users").unwrap();
    let mut txn = db.begin().unwrap();
    (0..5).find_map(|at| txn.put(users, id(at), long_doc(4096, 0)).err()).unwrap()
}

/// A number that another store gave to one of its collections.
fn unknown() -> CollectionId {
    let db = open(&MemStorage::new());
    *db.create_collections(&["a", "b", "c"]).unwrap().last().unwrap()
}

fn nested() -> Error {
    on_open(|db| {
        let _txn = db.begin().unwrap();
        db.begin().err().unwrap()
    })
}

fn read_only() -> Error {
    let db = try_open(MemStorage::restore(&closed_store()), READ_ONLY).unwrap();
    db.begin().err().unwrap()
}

fn out_of_range(options: Options) -> Error {
    let storage = MemStorage::new();
    let error = try_open(storage.clone(), options).err().unwrap();
    assert!(storage.dump().is_empty());
    error
}

struct Source(fn() -> io::Result<EntityId>);

impl IdSource for Source {
    fn next_id(&mut self) -> io::Result<EntityId> {
        (self.0)()
    }
}

fn inserting_with(source: fn() -> io::Result<EntityId>) -> Error {
    let storage = Arc::new(MemStorage::restore(&closed_store()));
    let db = Database::open_with(storage, Box::new(Source(source)), SMALL).unwrap();
    let users = db.collection("users").unwrap();
    let error = db.begin().unwrap().insert(users, doc(1)).unwrap_err();
    assert_eq!(db.sequence(), 8);
    error
}
