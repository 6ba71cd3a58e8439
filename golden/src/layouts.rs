//! What can be checked against `EntiDB`'s own records, and the engine's encoders as one such thing.

use std::collections::BTreeMap;

use entidb_engine::format::manifest::{self, NoManifest};
use entidb_engine::format::segment;
use entidb_engine::format::wal::{self, Body};
use entidb_engine::{CollectionId, EntityId};

use crate::entidb::{Layout, Manifest, SegmentRecord, WalRecord};

/// A writer and reader of `EntiDB`'s layouts under test.
pub trait Layouts {
    /// The bytes of these fields, or `None` if they have none.
    fn write(&self, layout: &Layout) -> Option<Vec<u8>>;

    /// Whether `bytes` are recognised as what they are: a record with these fields, or a file of
    /// `EntiDB`'s making.
    fn recognise(&self, bytes: &[u8], layout: &Layout) -> bool;
}

/// The reference engine's `format` module.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineLayouts;

impl Layouts for EngineLayouts {
    fn write(&self, layout: &Layout) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match layout {
            Layout::WalRecord(record) => wal::encode(&body(record)?, None, &mut out),
            Layout::SegmentRecord(record) => {
                segment::encode(&segment_record(record)?, &mut out);
            }
            Layout::Manifest(fields) => out = manifest(fields)?.encode_body(),
        }
        Some(out)
    }

    fn recognise(&self, bytes: &[u8], layout: &Layout) -> bool {
        match layout {
            Layout::WalRecord(record) => wal::decode(bytes).is_ok_and(|(decoded, len)| {
                len == bytes.len()
                    && decoded.stamp.is_none()
                    && body(record).is_some_and(|expected| decoded.body == expected)
            }),
            Layout::SegmentRecord(record) => segment::decode(bytes).is_ok_and(|(decoded, len)| {
                len == bytes.len()
                    && segment_record(record).is_some_and(|expected| decoded == expected)
            }),
            // A file without the engine's trailer is told from a damaged one, and not opened.
            Layout::Manifest(_) => {
                matches!(manifest::Manifest::decode(bytes), Err(NoManifest::Foreign))
            }
        }
    }
}

fn body(record: &WalRecord) -> Option<Body<'_>> {
    Some(match record {
        WalRecord::Begin { txid } => Body::Begin { txid: *txid },
        WalRecord::Put { txid, collection, entity, after } => Body::Put {
            txid: *txid,
            collection: collection_id(*collection)?,
            entity: EntityId::new(*entity),
            before: None,
            after,
        },
        WalRecord::Delete { txid, collection, entity } => Body::Delete {
            txid: *txid,
            collection: collection_id(*collection)?,
            entity: EntityId::new(*entity),
            before: None,
        },
        WalRecord::Commit { txid, sequence } => Body::Commit { txid: *txid, sequence: *sequence },
    })
}

fn segment_record(record: &SegmentRecord) -> Option<segment::Record<'_>> {
    Some(segment::Record {
        collection: collection_id(record.collection)?,
        entity: EntityId::new(record.entity),
        sequence: record.sequence,
        payload: (!record.tombstone).then_some(record.payload.as_slice()),
    })
}

fn manifest(fields: &Manifest) -> Option<manifest::Manifest> {
    let mut collections = BTreeMap::new();
    for collection in &fields.collections {
        collections.insert(collection.name.clone(), collection_id(collection.id)?);
    }
    let mut indexes = BTreeMap::new();
    for index in &fields.indexes {
        let definition = manifest::Index {
            collection: collection_id(index.collection)?,
            path: index.path.clone(),
            kind: index.kind,
            unique: index.unique,
            created_at: index.created_at,
        };
        indexes.insert(index.id, definition);
    }
    Some(manifest::Manifest {
        next_collection_id: fields.next_collection_id,
        collections,
        next_index_id: fields.next_index_id,
        indexes,
        last_checkpoint: fields.last_checkpoint,
        ..manifest::Manifest::default()
    })
}

/// The engine hands out collection numbers only through what it reads, so it is given a record.
fn collection_id(number: u32) -> Option<CollectionId> {
    let record = Layout::SegmentRecord(SegmentRecord {
        collection: number,
        entity: [0; 16],
        sequence: 1,
        payload: Vec::new(),
        tombstone: true,
    });
    let bytes = record.to_bytes()?;
    segment::decode(&bytes).ok().map(|(record, _)| record.collection)
}
