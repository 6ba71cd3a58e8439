//! Opens stores in memory and reads everything they show.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use entidb_engine::{
    AutoCheckpoint, CollectionId, Database, EntityId, Error, IdSource, OpenMode, Options,
};

use crate::Broken;

/// The files of a store, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Everything a store shows: its last sequence, and the entities of each collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The last commit.
    pub sequence: u64,
    /// By collection and identity.
    pub entities: BTreeMap<(u32, [u8; 16]), Vec<u8>>,
}

/// Opens the store on a medium, with reserves so small that little memory is touched.
///
/// # Errors
/// As the engine's.
pub fn open(storage: &MemStorage, mode: OpenMode) -> Result<Database, Error> {
    let options = Options {
        mode,
        wal_reserve: 512,
        max_segment: 4096,
        auto_checkpoint: AutoCheckpoint::Never,
        ..Options::default()
    };
    Database::open_with(Arc::new(storage.clone()), Box::new(NoIds), options)
}

/// Nothing here inserts.
struct NoIds;

impl IdSource for NoIds {
    fn next_id(&mut self) -> io::Result<EntityId> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Reads everything forwards; compares it with a walk backwards and a read of each identity.
///
/// # Errors
/// The outer one says that two ways of reading disagree; the inner one is the engine's.
pub fn read_all(db: &Database) -> Result<Result<Shown, Error>, Broken> {
    let mut entities = BTreeMap::new();
    for (_, collection) in db.collections() {
        let forwards = match walk(db, collection, false) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let mut backwards = match walk(db, collection, true) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        backwards.reverse();
        require!(forwards == backwards, "collection {collection}: backwards is not forwards");
        require!(forwards.is_sorted_by(|(one, _), (next, _)| one < next), "a scan out of order");
        for (id, content) in forwards {
            match db.get(collection, id) {
                Ok(found) => {
                    require!(found.as_ref() == Some(&content), "{id}: scanned, but got {found:?}");
                }
                Err(error) => return Ok(Err(error)),
            }
            entities.insert((collection.get(), *id.as_bytes()), content.to_vec());
        }
    }
    Ok(Ok(Shown { sequence: db.sequence(), entities }))
}

fn walk(
    db: &Database,
    collection: CollectionId,
    reversed: bool,
) -> Result<Vec<(EntityId, Bytes)>, Error> {
    let scan = db.scan(collection)?;
    if reversed { scan.rev().collect() } else { scan.collect() }
}
