//! LMDB, by heed.

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions};

use crate::store::{Get, Id, Peer, Result, Session, Store};

/// Address space, not memory.
const MAP_LEN: usize = 16 << 30;

pub const PEER: Peer = Peer {
    name: "LMDB",
    package: "heed",
    durable: true,
    settings: "map of 16 GiB; reader slots kept by thread, as it comes",
    open: |path| {
        std::fs::create_dir_all(path)?;
        let mut options = EnvOpenOptions::new();
        // SAFETY: nothing else opens or changes this directory while the store is open.
        let env = unsafe { options.map_size(MAP_LEN).max_readers(256).open(path)? };
        let mut txn = env.write_txn()?;
        let entities = env.create_database(&mut txn, None)?;
        txn.commit()?;
        Ok(Box::new(Lmdb { env, entities }))
    },
};

struct Lmdb {
    env: Env,
    entities: Database<Bytes, Bytes>,
}

impl Store for Lmdb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.env.prepare_for_closing().wait();
        Ok(())
    }
}

impl Session for &Lmdb {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (id, content) in entries {
            self.entities.put(&mut txn, id, content)?;
        }
        Ok(txn.commit()?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let txn = self.env.read_txn()?;
        Ok(self.entities.get(&txn, id)?.map(seen).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let txn = self.env.read_txn()?;
        work(&mut |id, seen| Ok(self.entities.get(&txn, id)?.map(seen).is_some()))
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        let txn = self.env.read_txn()?;
        for item in self.entities.iter(&txn)? {
            let (id, content) = item?;
            seen(id, content);
        }
        Ok(())
    }
}
