//! The published `EntiDB`, from which this house's engine has its format.

use entidb_core::{CollectionId, Database, EntityId};

use crate::store::{Get, Id, Peer, Result, Session, Store};

pub const PEER: Peer = Peer {
    name: "entidb_core",
    package: "entidb_core",
    durable: true,
    settings: "as it comes",
    open: |path| {
        let db = Database::open(path)?;
        let entities = db.create_collection("entity")?;
        Ok(Box::new(EntidbCore { db, entities }))
    },
};

struct EntidbCore {
    db: Database,
    entities: CollectionId,
}

impl Store for EntidbCore {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn settle(&mut self) -> Result<()> {
        Ok(self.db.checkpoint()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.close()?)
    }
}

impl Session for &EntidbCore {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        Ok(self.db.write_transaction(|txn| {
            for (id, content) in entries {
                txn.put(self.entities, EntityId::from_bytes(*id), content.clone())?;
            }
            Ok(())
        })?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let content = self.db.get(self.entities, EntityId::from_bytes(*id))?;
        Ok(content.map(|content| seen(&content)).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let mut txn = self.db.begin()?;
        work(&mut |id, seen| {
            let id = EntityId::from_bytes(*id);
            let content = self.db.get_in_txn(&mut txn, self.entities, id)?;
            Ok(content.map(|content| seen(&content)).is_some())
        })?;
        Ok(self.db.abort(&mut txn)?)
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for (id, content) in self.db.list(self.entities)? {
            seen(id.as_bytes(), &content);
        }
        Ok(())
    }
}
