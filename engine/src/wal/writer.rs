//! Appends commits.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{IoContext, Result};
use crate::format::names;
use crate::format::wal::{Body, Stamp, encode};
use crate::ids::Key;
use crate::storage::{File, ROOT, Storage, SyncKind};

/// One effective write of a transaction: new content, or `None` for a deletion.
pub(crate) type Write = (Key, Option<Bytes>);

/// A live WAL, open for appending.
pub(crate) struct Wal {
    name: String,
    file: Arc<dyn File>,
    generation: u32,
    /// Where the next record goes.
    end: u64,
    /// Length of the file: `end` stays below it by growing it a reserve at a time.
    len: u64,
    reserve: u64,
    buffer: Vec<u8>,
}

impl Wal {
    /// Creates the WAL of a generation that must not exist yet and makes it durable, name
    /// included. No commit may enter it before MANIFEST names it.
    ///
    /// # Errors
    /// The medium's; the caller removes the file.
    pub(crate) fn create(
        storage: &dyn Storage,
        generation: u32,
        cut: u64,
        reserve: u64,
    ) -> Result<Self> {
        let name = names::wal(generation);
        let file = storage.create(&name).at("create WAL", &name)?;
        let mut wal =
            Self { name, file, generation, end: 0, len: reserve, reserve, buffer: Vec::new() };
        wal.begin(storage, cut)?;
        Ok(wal)
    }

    fn begin(&mut self, storage: &dyn Storage, cut: u64) -> Result<()> {
        self.file.set_len(self.reserve).at("extend WAL", &self.name)?;
        self.push(&Body::Checkpoint { cut, reserved: Some(self.reserve) }, cut);
        self.append()?;
        self.file.sync(SyncKind::Full).at("sync WAL", &self.name)?;
        storage.sync_dir(ROOT).at("sync directory", ROOT)
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Appends one transaction as BEGIN, its writes in order, COMMIT: one write and one sync.
    ///
    /// # Errors
    /// The medium's. The transaction is in doubt then and nothing more may be appended.
    pub(crate) fn commit(&mut self, sequence: u64, writes: &[Write]) -> Result<()> {
        // Every batch is written after the sync of the one before it returned.
        let synced_to = sequence - 1;
        self.push(&Body::Begin { txid: sequence }, synced_to);
        for (key, content) in writes {
            let Key { collection, entity } = *key;
            let body = match content {
                Some(after) => {
                    Body::Put { txid: sequence, collection, entity, before: None, after }
                }
                None => Body::Delete { txid: sequence, collection, entity, before: None },
            };
            self.push(&body, synced_to);
        }
        self.push(&Body::Commit { txid: sequence, sequence }, synced_to);
        self.append()?;
        self.file.sync(SyncKind::Data).at("sync WAL", &self.name)
    }

    fn push(&mut self, body: &Body<'_>, synced_to: u64) {
        let offset = self.end + self.buffer.len() as u64;
        let stamp = Stamp { generation: self.generation, offset, synced_to };
        encode(body, Some(&stamp), &mut self.buffer);
    }

    fn append(&mut self) -> Result<()> {
        let end = self.end + self.buffer.len() as u64;
        if end > self.len {
            let len = end.next_multiple_of(self.reserve);
            self.file.set_len(len).at("extend WAL", &self.name)?;
            self.len = len;
        }
        self.file.write_at(self.end, &self.buffer).at("append to WAL", &self.name)?;
        self.end = end;
        self.buffer.clear();
        Ok(())
    }
}
