//! Appends batches of commits.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{IoContext, Result};
use crate::format::CRC_LEN;
use crate::format::names;
use crate::format::wal::{Body, HEADER_LEN, STAMP_LEN, Stamp, encode};
use crate::ids::Key;
use crate::storage::{File, ROOT, Storage, SyncKind};

/// One effective write of a transaction: new content, or `None` for a deletion.
pub(crate) type Write = (Key, Option<Bytes>);

/// Bytes of a PUT beside its content, and more than any other record has: header, stamp,
/// transaction, collection, entity, flag, length, CRC.
const PUT_OVERHEAD: usize = HEADER_LEN + STAMP_LEN + 8 + 4 + 16 + 1 + 4 + CRC_LEN;

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

    /// Bytes of its records at most: BEGIN, the writes, COMMIT.
    fn records_len(&self) -> usize {
        self.content_len() + (self.writes.len() + 2) * PUT_OVERHEAD
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
}

/// The bytes of a batch that is synced, and where in them its contents are.
pub(crate) struct Appended {
    bytes: Bytes,
    /// Of each write that has one, in order.
    contents: Vec<Range<usize>>,
}

impl Appended {
    /// The commits of the batch with their writes. The contents share the memory of the batch:
    /// one block for all of them, which costs less than one each, and none of the callers'.
    pub(crate) fn commits<'a>(
        &'a self,
        batch: &'a [Arc<Commit>],
    ) -> impl Iterator<Item = (u64, impl Iterator<Item = Write>)> {
        let mut contents = self.contents.as_slice();
        batch.iter().map(move |commit| {
            let count = commit.writes.iter().filter(|(_, content)| content.is_some()).count();
            let (own, rest) = contents.split_at(count);
            contents = rest;
            let mut own = own.iter();
            let writes = commit.writes.iter().map(move |(key, content)| {
                let range = content.as_ref().and_then(|_| own.next());
                (*key, range.map(|range| self.bytes.slice(range.clone())))
            });
            (commit.sequence, writes)
        })
    }
}

/// Records on their way to a WAL.
struct Buffer {
    stamp: Stamp,
    bytes: Vec<u8>,
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
        let mut wal = Self { name, file, generation, end: 0, len: reserve, reserve };
        wal.begin(storage, cut)?;
        Ok(wal)
    }

    fn begin(&mut self, storage: &dyn Storage, cut: u64) -> Result<()> {
        self.file.set_len(self.reserve).at("extend WAL", &self.name)?;
        let mut buffer = self.buffer(cut, PUT_OVERHEAD);
        buffer.push(&Body::Checkpoint { cut, reserved: Some(self.reserve) });
        self.write(&buffer.bytes)?;
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
    pub(crate) fn append(&mut self, batch: &[Arc<Commit>], synced_to: u64) -> Result<Appended> {
        let len = batch.iter().map(|commit| commit.records_len()).sum();
        let mut buffer = self.buffer(synced_to, len);
        let mut contents = Vec::with_capacity(batch.iter().map(|it| it.writes.len()).sum());
        for commit in batch {
            buffer.push_commit(commit, &mut contents);
        }
        self.write(&buffer.bytes)?;
        self.file.sync(SyncKind::Data).at("sync WAL", &self.name)?;
        Ok(Appended { bytes: buffer.bytes.into(), contents })
    }

    /// Room for `len` bytes of records that go to the end.
    fn buffer(&self, synced_to: u64, len: usize) -> Buffer {
        let stamp = Stamp { generation: self.generation, offset: self.end, synced_to };
        Buffer { stamp, bytes: Vec::with_capacity(len) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.end + bytes.len() as u64;
        if end > self.len {
            let len = end.next_multiple_of(self.reserve);
            self.file.set_len(len).at("extend WAL", &self.name)?;
            self.len = len;
        }
        self.file.write_at(self.end, bytes).at("append to WAL", &self.name)?;
        self.end = end;
        Ok(())
    }
}

impl Buffer {
    fn push_commit(&mut self, commit: &Commit, contents: &mut Vec<Range<usize>>) {
        let Commit { sequence, writes } = commit;
        let (sequence, txid) = (*sequence, *sequence);
        self.push(&Body::Begin { txid });
        for (key, content) in writes {
            let Key { collection, entity } = *key;
            let Some(after) = content else {
                self.push(&Body::Delete { txid, collection, entity, before: None });
                continue;
            };
            self.push(&Body::Put { txid, collection, entity, before: None, after });
            // A PUT ends with its content and the CRC.
            let end = self.bytes.len() - CRC_LEN;
            contents.push(end - after.len()..end);
        }
        self.push(&Body::Commit { txid, sequence });
    }

    fn push(&mut self, body: &Body<'_>) {
        let offset = self.stamp.offset + self.bytes.len() as u64;
        encode(body, Some(&Stamp { offset, ..self.stamp }), &mut self.bytes);
    }
}
