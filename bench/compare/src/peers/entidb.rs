//! The engine of this house.

use std::path::Path;
use std::thread::{self, JoinHandle};

use entidb_engine::{AutoCheckpoint, CollectionId, Database, EntityId, Error, Options};

use crate::store::{Get, Id, Peer, Result, Session, Store};

pub const PEER: Peer = Peer {
    name: "EntiDB",
    package: "entidb-engine",
    durable: true,
    settings: "checkpoints on a thread of the caller's, as others have threads of their own; every CRC is checked on every read",
    open: |path| {
        let auto_checkpoint = AutoCheckpoint::Background { wal_bytes: 64 << 20 };
        let db = Database::open(path, Options { auto_checkpoint, ..Options::default() })?;
        let entities = match db.collection("entity") {
            Some(entities) => entities,
            None => db.create_collection("entity")?,
        };
        let upkeep = Some(thread::spawn({
            let db = db.clone();
            move || {
                while db.checkpoint_when_due()? {}
                Ok(())
            }
        }));
        Ok(Box::new(Entidb { db, entities, upkeep }))
    },
};

/// Opens a store that keeps all in its WAL, however much that is.
pub fn open_without_checkpoints(path: &Path) -> Result<Box<dyn Store>> {
    let auto_checkpoint = AutoCheckpoint::Never;
    let db = Database::open(path, Options { auto_checkpoint, ..Options::default() })?;
    let entities = db.create_collection("entity")?;
    Ok(Box::new(Entidb { db, entities, upkeep: None }))
}

struct Entidb {
    db: Database,
    entities: CollectionId,
    /// Ends with the store.
    upkeep: Option<JoinHandle<std::result::Result<(), Error>>>,
}

impl Store for Entidb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn settle(&mut self) -> Result<()> {
        self.db.checkpoint()?;
        Ok(self.db.compact()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.db.close()?;
        match self.upkeep.map(JoinHandle::join) {
            Some(Err(_)) => Err("the thread that checkpoints panicked".into()),
            Some(Ok(ended)) => Ok(ended?),
            None => Ok(()),
        }
    }
}

impl Session for &Entidb {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut txn = self.db.begin()?;
        for (id, content) in entries {
            txn.put(self.entities, EntityId::new(*id), content.clone().into())?;
        }
        txn.commit()?;
        Ok(())
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let content = self.db.get(self.entities, EntityId::new(*id))?;
        Ok(content.map(|content| seen(&content)).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let snapshot = self.db.snapshot()?;
        work(&mut |id, seen| {
            let content = snapshot.get(self.entities, EntityId::new(*id))?;
            Ok(content.map(|content| seen(&content)).is_some())
        })
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for item in self.db.scan(self.entities)? {
            let (id, content) = item?;
            seen(id.as_bytes(), &content);
        }
        Ok(())
    }
}
