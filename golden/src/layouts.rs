//! What can be checked against `EntiDB`'s own records, and the engine's encoders as one such thing.

use std::collections::BTreeMap;

use entidb_engine::format::manifest::{self, NoManifest};
use entidb_engine::format::segment;
use entidb_engine::format::wal::{self, Body};
use entidb_engine::{CollectionId, EntityId};

use crate::entidb::{Layout, Manifest, SegmentRecord, WalRecord};

/// A writer and reader of `EntiDB`'s layouts under test.
pub trait Layouts {
    /// The bytes of these fields.
    fn write(&self, layout: &Layout) -> Vec<u8>;

    /// Whether `bytes` are recognised as what they are: a record with these fields, or a file of
    /// `EntiDB`'s making.
    fn recognise(&self, bytes: &[u8], layout: &Layout) -> bool;
}

/// The reference engine's `format` module.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineLayouts;

impl Layouts for EngineLayouts {
    fn write(&self, layout: &Layout) -> Vec<u8> {
        let mut out = Vec::new();
        match layout {
            Layout::WalRecord(record) => wal::encode(&body(record), None, &mut out),
            Layout::SegmentRecord(record) => {
                segment::encode(&segment_record(record), &mut out);
            }
            Layout::Manifest(fields) => out = manifest(fields).encode_body(),
        }
        out
    }

    fn recognise(&self, bytes: &[u8], layout: &Layout) -> bool {
        match layout {
            Layout::WalRecord(record) => wal::decode(bytes).is_ok_and(|(decoded, len)| {
                len == bytes.len() && decoded.stamp.is_none() && decoded.body == body(record)
            }),
            Layout::SegmentRecord(record) => segment::decode(bytes).is_ok_and(|(decoded, len)| {
                len == bytes.len() && decoded == segment_record(record)
            }),
            // A file without the engine's trailer is told from a damaged one, and not opened.
            Layout::Manifest(_) => {
                matches!(manifest::Manifest::decode(bytes), Err(NoManifest::Foreign))
            }
        }
    }
}

fn body(record: &WalRecord) -> Body<'_> {
    match record {
        WalRecord::Begin { txid } => Body::Begin { txid: *txid },
        WalRecord::Put { txid, collection, entity, after } => Body::Put {
            txid: *txid,
            collection: CollectionId::new(*collection),
            entity: EntityId::new(*entity),
            before: None,
            after,
        },
        WalRecord::Delete { txid, collection, entity } => Body::Delete {
            txid: *txid,
            collection: CollectionId::new(*collection),
            entity: EntityId::new(*entity),
            before: None,
        },
        WalRecord::Commit { txid, sequence } => Body::Commit { txid: *txid, sequence: *sequence },
    }
}

fn segment_record(record: &SegmentRecord) -> segment::Record<'_> {
    segment::Record {
        collection: CollectionId::new(record.collection),
        entity: EntityId::new(record.entity),
        sequence: record.sequence,
        payload: (!record.tombstone).then_some(record.payload.as_slice()),
    }
}

fn manifest(fields: &Manifest) -> manifest::Manifest {
    let mut collections = BTreeMap::new();
    for collection in &fields.collections {
        collections.insert(collection.name.clone(), CollectionId::new(collection.id));
    }
    let mut indexes = BTreeMap::new();
    for index in &fields.indexes {
        let definition = manifest::Index {
            collection: CollectionId::new(index.collection),
            path: index.path.clone(),
            kind: index.kind,
            unique: index.unique,
            created_at: index.created_at,
        };
        indexes.insert(index.id, definition);
    }
    manifest::Manifest {
        next_collection_id: fields.next_collection_id,
        collections,
        next_index_id: fields.next_index_id,
        indexes,
        last_checkpoint: fields.last_checkpoint,
        ..manifest::Manifest::default()
    }
}
