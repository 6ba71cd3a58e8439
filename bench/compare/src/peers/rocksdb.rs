//! `RocksDB`, behind the feature `rocksdb`.

use rocksdb::{BlockBasedOptions, Cache, DB, IteratorMode, Options, WriteBatch, WriteOptions};

use crate::store::{Get, Id, Peer, Result, Session, Store};

const CACHE_LEN: usize = 1 << 30;

pub const PEER: Peer = Peer {
    name: "RocksDB",
    package: "rocksdb",
    durable: true,
    settings: "sync = true, cache of 1 GiB, 10 bits of Bloom filter, no compression",
    open: |path| {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&Cache::new_lru_cache(CACHE_LEN));
        table.set_bloom_filter(10.0, false);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&table);
        Ok(Box::new(RocksDb { db: DB::open(&options, path)? }))
    },
};

struct RocksDb {
    db: DB,
}

impl Store for RocksDb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn settle(&mut self) -> Result<()> {
        self.db.flush()?;
        self.db.compact_range(None::<&[u8]>, None::<&[u8]>);
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.flush_wal(true)?)
    }
}

impl Session for &RocksDb {
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let mut batch = WriteBatch::default();
        for (id, content) in entries {
            batch.put(id, content);
        }
        Ok(self.db.write_opt(batch, &options)?)
    }

    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.db.get_pinned(id)?.map(|content| seen(&content)).is_some())
    }

    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()> {
        let snapshot = self.db.snapshot();
        work(&mut |id, seen| Ok(snapshot.get_pinned(id)?.map(|content| seen(&content)).is_some()))
    }

    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for item in self.db.iterator(IteratorMode::Start) {
            let (id, content) = item?;
            seen(&id, &content);
        }
        Ok(())
    }
}
