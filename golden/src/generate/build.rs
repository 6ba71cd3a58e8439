//! Logs, segments and states, built step by step by the independent writer.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::layout::{
    Hash, LogBody, LogKey, LogRecord, SegmentInfo, SegmentRecord, log_record, segment_record,
};

/// One write: collection, entity, and the content or `None` for a deletion.
pub(super) type Write = (u32, [u8; 16], Option<Vec<u8>>);

/// A put of a small document that differs from all others by its number.
pub(super) fn put(collection: u32, entity: u8, number: u8) -> Write {
    (collection, [entity; 16], Some(vec![0xa1, 0x61, b'v', 0x18, number.max(24)]))
}

/// A deletion.
pub(super) fn delete(collection: u32, entity: u8) -> Write {
    (collection, [entity; 16], None)
}

/// A write-ahead log as it grows.
#[derive(Clone)]
pub(super) struct Log {
    generation: u32,
    reserved: u64,
    /// What the next records say is synced.
    pub(super) synced_to: u64,
    pub(super) bytes: Vec<u8>,
    /// Where each record begins.
    pub(super) starts: Vec<usize>,
}

impl Log {
    /// A log that begins at `cut`.
    pub(super) fn new(generation: u32, cut: u64, reserved: u64) -> Self {
        let mut log = Self::bare(generation, cut, reserved);
        log.record(LogBody::Checkpoint { cut, reserved });
        log
    }

    /// A log without its first record.
    pub(super) fn bare(generation: u32, synced_to: u64, reserved: u64) -> Self {
        Self { generation, reserved, synced_to, bytes: Vec::new(), starts: Vec::new() }
    }

    /// The log's number.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Appends a record in its place.
    pub(super) fn record(&mut self, record: LogBody) {
        let offset = self.bytes.len() as u64;
        let (generation, synced_to) = (self.generation, self.synced_to);
        self.starts.push(self.bytes.len());
        self.bytes.extend(log_record(&LogRecord { generation, offset, synced_to, record }));
    }

    /// Appends one write of a transaction.
    pub(super) fn write(&mut self, txid: u64, (collection, entity, content): &Write) {
        let key = LogKey { txid, collection: *collection, entity: *entity, before: None };
        self.record(match content {
            Some(content) => LogBody::Put { key, content: content.clone() },
            None => LogBody::Delete(key),
        });
    }

    /// Appends a commit of a batch: what is synced stays what it was.
    pub(super) fn join(&mut self, sequence: u64, writes: &[Write]) {
        self.record(LogBody::Begin { txid: sequence });
        for write in writes {
            self.write(sequence, write);
        }
        self.record(LogBody::Commit { txid: sequence, sequence });
    }

    /// Appends a commit after the one before it was synced.
    pub(super) fn commit(&mut self, sequence: u64, writes: &[Write]) {
        self.synced_to = sequence - 1;
        self.join(sequence, writes);
    }

    /// The file: extended in whole reserves.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = self.bytes.clone();
        let len = (file.len() as u64).next_multiple_of(self.reserved);
        file.resize(usize::try_from(len).unwrap_or_default(), 0);
        file
    }
}

/// The bytes of a segment and what MANIFEST says of it. The digest is over the records' CRCs.
pub(super) fn segment(id: u64, records: &[SegmentRecord]) -> (Vec<u8>, SegmentInfo) {
    // Contents of vectors are far below the field's limit.
    let records = records.iter().map(|record| segment_record(record).unwrap_or_default());
    segment_of(id, &records.collect::<Vec<_>>())
}

/// The same of records that are bytes already.
pub(super) fn segment_of(id: u64, records: &[Vec<u8>]) -> (Vec<u8>, SegmentInfo) {
    let bytes = records.concat();
    let crcs: Vec<u8> = records
        .iter()
        .flat_map(|record| &record[record.len().saturating_sub(4)..])
        .copied()
        .collect();
    let digest = Hash(Sha256::digest(&crcs).into());
    let info = SegmentInfo { id, len: bytes.len() as u64, records: records.len() as u64, digest };
    (bytes, info)
}

/// A write as a segment holds it.
pub(super) fn sealed((collection, entity, content): Write, sequence: u64) -> SegmentRecord {
    let tombstone = content.is_none();
    let payload = content.unwrap_or_default();
    SegmentRecord { collection, entity, sequence, payload, tombstone }
}

/// What a store shows.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) sequence: u64,
    entities: BTreeMap<(u32, [u8; 16]), Vec<u8>>,
}

impl State {
    /// A state without entities.
    pub(super) fn at(sequence: u64) -> Self {
        Self { sequence, entities: BTreeMap::new() }
    }

    /// The state after one more commit.
    #[must_use]
    pub(super) fn and(mut self, writes: &[Write]) -> Self {
        self.sequence += 1;
        self.with(writes)
    }

    /// The state with more in it, at the same sequence.
    #[must_use]
    pub(super) fn with(mut self, writes: &[Write]) -> Self {
        for (collection, entity, content) in writes {
            let key = (*collection, *entity);
            match content {
                Some(content) => self.entities.insert(key, content.clone()),
                None => self.entities.remove(&key),
            };
        }
        self
    }

    /// The entities of a collection, in order.
    pub(super) fn entities(&self, collection: u32) -> Json {
        let range = (collection, [0; 16])..=(collection, [0xff; 16]);
        self.entities
            .range(range)
            .map(|((_, entity), content)| json!([hex::encode(entity), hex::encode(content)]))
            .collect()
    }
}
