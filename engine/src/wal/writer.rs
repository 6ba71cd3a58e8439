//! Appends batches of commits.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{IoContext, Result};
use crate::format::names;
use crate::format::wal::{Body, Stamp, encode};
use crate::ids::Key;
use crate::storage::{File, ROOT, Storage, SyncKind};

/// One effective write of a transaction: new content, or `None` for a deletion.
pub(crate) type Write = (Key, Option<Bytes>);

/// What an append buffer keeps of its memory from one batch to the next, in bytes.
const BUFFER_KEPT: usize = 4 << 20;

/// A transaction on its way to the medium.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) sequence: u64,
    /// Effective writes, strictly ascending by key; never empty.
    pub(crate) writes: Vec<Write>,
}

impl Commit {
    /// What this commit makes of a key; `None` if it does not write it.
    pub(crate) fn content(&self, key: &Key) -> Option<&Option<Bytes>> {
        let at = self.writes.binary_search_by(|(own, _)| own.cmp(key)).ok()?;
        Some(&self.writes[at].1)
    }

    /// Bytes of the entities written.
    pub(crate) fn content_len(&self) -> usize {
        self.writes.iter().map(|(_, content)| content.as_ref().map_or(0, Bytes::len)).sum()
    }
}

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
        self.write_buffer()?;
        self.file.sync(SyncKind::Full).at("sync WAL", &self.name)?;
        storage.sync_dir(ROOT).at("sync directory", ROOT)
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Bytes appended so far.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends a batch, each commit of it as BEGIN, its writes in order, COMMIT: one write and one
    /// sync. The sync of the batch before returned, and covered everything up to `synced_to`.
    ///
    /// # Errors
    /// The medium's. The whole batch is in doubt then and nothing more may be appended.
    pub(crate) fn append(&mut self, batch: &[Arc<Commit>], synced_to: u64) -> Result<()> {
        for commit in batch {
            self.push_commit(commit, synced_to);
        }
        self.write_buffer()?;
        self.buffer.shrink_to(BUFFER_KEPT);
        self.file.sync(SyncKind::Data).at("sync WAL", &self.name)
    }

    fn push_commit(&mut self, commit: &Commit, synced_to: u64) {
        let Commit { sequence, writes } = commit;
        let (sequence, txid) = (*sequence, *sequence);
        self.push(&Body::Begin { txid }, synced_to);
        for (key, content) in writes {
            let Key { collection, entity } = *key;
            let body = match content {
                Some(after) => Body::Put { txid, collection, entity, before: None, after },
                None => Body::Delete { txid, collection, entity, before: None },
            };
            self.push(&body, synced_to);
        }
        self.push(&Body::Commit { txid, sequence }, synced_to);
    }

    fn push(&mut self, body: &Body<'_>, synced_to: u64) {
        let offset = self.end + self.buffer.len() as u64;
        let stamp = Stamp { generation: self.generation, offset, synced_to };
        encode(body, Some(&stamp), &mut self.buffer);
    }

    fn write_buffer(&mut self) -> Result<()> {
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
