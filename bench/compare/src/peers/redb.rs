//! redb.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::store::{Get, Id, Peer, Result, Session, Store};

const ENTITIES: TableDefinition<Id, &[u8]> = TableDefinition::new("entity");

pub const PEER: Peer = Peer {
    name: "redb",
    package: "redb",
    durable: true,
    settings: "as it comes: Durability::Immediate, cache of 1 GiB",
    open: |path| {
        std::fs::create_dir_all(path)?;
        let db = Database::create(path.join("store.redb"))?;
        let txn = db.begin_write()?;
        txn.open_table(ENTITIES)?;
        txn.commit()?;
        Ok(Box::new(Redb { db }))
    },
};

struct Redb {
    db: Database,
}

impl Store for Redb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn settle(&mut self) -> Result<()> {
        while self.db.compact()? {}
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.close()?)
    }
}

impl Session for &Redb {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let txn = self.db.begin_write()?;
        let mut table = txn.open_table(ENTITIES)?;
        for (id, content) in entries {
            table.insert(id, content.as_slice())?;
        }
        drop(table);
        Ok(txn.commit()?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let table = self.db.begin_read()?.open_table(ENTITIES)?;
        Ok(table.get(id)?.map(|content| seen(content.value())).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let table = self.db.begin_read()?.open_table(ENTITIES)?;
        work(&mut |id, seen| Ok(table.get(id)?.map(|content| seen(content.value())).is_some()))
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        let table = self.db.begin_read()?.open_table(ENTITIES)?;
        for item in table.iter()? {
            let (id, content) = item?;
            seen(&id.value(), content.value());
        }
        Ok(())
    }
}
