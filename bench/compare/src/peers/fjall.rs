//! fjall.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use crate::store::{Get, Id, Peer, Result, Session, Store};

const CACHE_LEN: u64 = 1 << 30;

pub const PEER: Peer = Peer {
    name: "fjall",
    package: "fjall",
    durable: true,
    settings: "PersistMode::SyncData for each commit, cache of 1 GiB",
    open: |path| {
        let db = Database::builder(path).cache_size(CACHE_LEN).open()?;
        let entities = db.keyspace("entity", KeyspaceCreateOptions::default)?;
        Ok(Box::new(Fjall { db, entities }))
    },
};

struct Fjall {
    db: Database,
    entities: Keyspace,
}

impl Store for Fjall {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn settle(&mut self) -> Result<()> {
        self.entities.rotate_memtable_and_wait()?;
        Ok(self.entities.major_compact()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }
}

impl Session for &Fjall {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for (id, content) in entries {
            batch.insert(&self.entities, *id, content.as_slice());
        }
        Ok(batch.commit()?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.db.snapshot().get(&self.entities, id)?.map(|content| seen(&content)).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let snapshot = self.db.snapshot();
        work(&mut |id, seen| {
            Ok(snapshot.get(&self.entities, id)?.map(|content| seen(&content)).is_some())
        })
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for item in self.entities.iter() {
            let (id, content) = item.into_inner()?;
            seen(&id, &content);
        }
        Ok(())
    }
}
