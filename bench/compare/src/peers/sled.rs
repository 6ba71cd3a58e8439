//! sled, whose flush is no sync.

use sled::{Batch, Db};

use crate::store::{Get, Id, Peer, Result, Session, Store};

pub const PEER: Peer = Peer {
    name: "sled",
    package: "sled",
    durable: false,
    settings: "flush after each commit: sync_file_range, which no power loss is told of",
    open: |path| Ok(Box::new(Sled { db: sled::open(path)? })),
};

struct Sled {
    db: Db,
}

impl Store for Sled {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.db.flush()?;
        Ok(())
    }
}

impl Session for &Sled {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut batch = Batch::default();
        for (id, content) in entries {
            batch.insert(id, content.as_slice());
        }
        self.db.apply_batch(batch)?;
        self.db.flush()?;
        Ok(())
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.db.get(id)?.map(|content| seen(&content)).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        work(&mut |id, seen| Ok(self.db.get(id)?.map(|content| seen(&content)).is_some()))
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for item in &*self.db {
            let (id, content) = item?;
            seen(&id, &content);
        }
        Ok(())
    }
}
