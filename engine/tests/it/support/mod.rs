//! What the tests share: a small store, its contents, and media that watch or fail.

pub(crate) mod faulty;
pub(crate) mod gate;
pub(crate) mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::{MemStorage, Storage};
use entidb_engine::{
    AutoCheckpoint, CollectionId, Database, EntityId, IdSource, OpenMode, Options, Result, Scan,
    Snapshot,
};

/// Every file of a store, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Everything a store shows: collections by name, entities by identity.
pub(crate) type Contents = BTreeMap<String, BTreeMap<EntityId, Bytes>>;

/// Identities 1, 2, 3, …: no two runs differ.
#[derive(Default)]
pub(crate) struct Counting(u64);

impl IdSource for Counting {
    fn next_id(&mut self) -> std::io::Result<EntityId> {
        self.0 += 1;
        Ok(id(self.0))
    }
}

/// Whether a file is derived: whatever happens to it changes no answer.
pub(crate) fn is_sidecar(name: &str) -> bool {
    name.starts_with("INDEX/")
}

/// Settings small enough that a few commits rotate segments and outgrow the WAL's reserve.
pub(crate) const SMALL: Options = Options {
    mode: OpenMode::Create,
    wal_reserve: 512,
    max_segment: 512,
    max_payload: 4096,
    max_transaction: 16 << 10,
    auto_checkpoint: AutoCheckpoint::Never,
};

pub(crate) const EXISTING: Options = Options { mode: OpenMode::Existing, ..SMALL };
pub(crate) const READ_ONLY: Options = Options { mode: OpenMode::ReadOnly, ..SMALL };

pub(crate) fn try_open(storage: impl Storage + 'static, options: Options) -> Result<Database> {
    Database::open_with(Arc::new(storage), Box::<Counting>::default(), options)
}

pub(crate) fn open(storage: &MemStorage) -> Database {
    try_open(storage.clone(), SMALL).unwrap()
}

pub(crate) fn id(number: u64) -> EntityId {
    EntityId::new(u128::from(number).to_be_bytes())
}

/// `{"v": number}` with a number of one byte.
pub(crate) fn doc(number: u8) -> Bytes {
    assert!(number < 24);
    Bytes::copy_from_slice(&[0xa1, 0x61, b'v', number])
}

/// A canonical byte string of `len` bytes in all, at least 260.
pub(crate) fn long_doc(len: usize, fill: u8) -> Bytes {
    let content = len - 3;
    assert!((256..65_536).contains(&content));
    let mut bytes = vec![0x59];
    bytes.extend(u16::try_from(content).unwrap().to_be_bytes());
    bytes.resize(len, fill);
    bytes.into()
}

pub(crate) fn collect(scan: Scan) -> Result<Vec<(EntityId, Bytes)>> {
    scan.collect()
}

/// Everything a store shows, by scan; gets must agree with it.
pub(crate) fn try_contents(db: &Database) -> Result<Contents> {
    let mut contents = Contents::new();
    for (name, collection) in db.collections() {
        let entities: BTreeMap<_, _> = db.scan(collection)?.collect::<Result<_>>()?;
        for (id, content) in &entities {
            assert_eq!(db.get(collection, *id)?.as_ref(), Some(content));
        }
        contents.insert(name, entities);
    }
    Ok(contents)
}

pub(crate) fn contents(db: &Database) -> Contents {
    try_contents(db).unwrap()
}

pub(crate) fn snapshot_contents(
    snapshot: &Snapshot,
    collection: CollectionId,
) -> Vec<(EntityId, Bytes)> {
    let entities = collect(snapshot.scan(collection).unwrap()).unwrap();
    for (id, content) in &entities {
        assert_eq!(snapshot.get(collection, *id).unwrap().as_ref(), Some(content));
    }
    entities
}

/// A store with two collections, sealed segments, tombstones and versions in several of them,
/// closed cleanly.
pub(crate) fn closed_store() -> Files {
    let storage = MemStorage::new();
    let db = fill(&storage);
    db.close().unwrap();
    storage.dump()
}

/// The same, ended without a close: a live WAL with three commits over sealed segments.
pub(crate) fn crashed_store() -> Files {
    let storage = MemStorage::new();
    drop(fill(&storage));
    storage.dump()
}

fn fill(storage: &MemStorage) -> Database {
    let db = open(storage);
    let users = db.create_collection("users").unwrap();
    let posts = db.create_collection("posts").unwrap();
    for number in 1..=4 {
        db.put(users, id(number), long_doc(300, 1)).unwrap();
    }
    db.put(posts, id(1), doc(1)).unwrap();
    db.checkpoint().unwrap();
    db.put(users, id(2), doc(2)).unwrap();
    db.delete(users, id(3)).unwrap();
    let mut txn = db.begin().unwrap();
    txn.put(users, id(5), doc(5)).unwrap();
    txn.put(posts, id(2), long_doc(400, 2)).unwrap();
    txn.commit().unwrap();
    db
}
