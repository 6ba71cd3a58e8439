//! Single records, as the engine's `format` module decodes them.

use entidb_engine::format::segment::{self, NoRecord as NoSegmentRecord};
use entidb_engine::format::wal::{self, Body, NoRecord, Record};
use serde_json::Value as Json;

use super::{Answer, notation};
use crate::layout::{Hash, LogBody, LogKey, LogRecord, SegmentRecord};

/// Whatever is accepted must encode to the bytes it was read from.
const OTHERWISE: &str = "encodes otherwise";

pub(super) fn wal_record(bytes: &[u8]) -> Answer {
    let (record, len) = wal::decode(bytes).map_err(|why| match why {
        NoRecord::Short => "short",
        NoRecord::Invalid | NoRecord::Unknown { .. } => "invalid",
    })?;
    let Some(fields) = log_record(&record) else {
        return Err("version-1".to_owned());
    };
    let mut again = Vec::new();
    wal::encode(&record.body, record.stamp.as_ref(), &mut again);
    if again != bytes[..len] {
        return Err(OTHERWISE.to_owned());
    }
    Ok(with_length(notation(&fields), len))
}

/// The fields of a record of version 2; `None` for one of version 1.
fn log_record(record: &Record<'_>) -> Option<LogRecord> {
    let stamp = record.stamp?;
    let key = |txid, collection: entidb_engine::CollectionId, entity, before: Option<&[u8; 32]>| {
        let entity: entidb_engine::EntityId = entity;
        LogKey {
            txid,
            collection: collection.get(),
            entity: *entity.as_bytes(),
            before: before.copied().map(Hash),
        }
    };
    let body = match record.body {
        Body::Begin { txid } => LogBody::Begin { txid },
        Body::Put { txid, collection, entity, before, after } => {
            LogBody::Put { key: key(txid, collection, entity, before), content: after.to_vec() }
        }
        Body::Delete { txid, collection, entity, before } => {
            LogBody::Delete(key(txid, collection, entity, before))
        }
        Body::Commit { txid, sequence } => LogBody::Commit { txid, sequence },
        Body::Abort { txid } => LogBody::Abort { txid },
        Body::Checkpoint { cut, reserved } => LogBody::Checkpoint { cut, reserved: reserved? },
    };
    let wal::Stamp { generation, offset, synced_to } = stamp;
    Some(LogRecord { generation, offset, synced_to, record: body })
}

pub(super) fn segment_record(bytes: &[u8]) -> Answer {
    let (record, len) = segment::decode(bytes).map_err(|why| match why {
        NoSegmentRecord::Short => "short",
        NoSegmentRecord::Crc { .. } => "crc",
        NoSegmentRecord::Length(_) => "length",
        NoSegmentRecord::Flags(_) => "flags",
    })?;
    let mut again = Vec::new();
    segment::encode(&record, &mut again);
    if again != bytes[..len] {
        return Err(OTHERWISE.to_owned());
    }
    Ok(with_length(notation(&segment_fields(&record)), len))
}

pub(super) fn segment_fields(record: &segment::Record<'_>) -> SegmentRecord {
    SegmentRecord {
        collection: record.collection.get(),
        entity: *record.entity.as_bytes(),
        sequence: record.sequence,
        payload: record.payload.unwrap_or_default().to_vec(),
        tombstone: record.payload.is_none(),
    }
}

/// A record's fields and the bytes it takes: more may follow.
fn with_length(mut fields: Json, len: usize) -> Json {
    fields["length"] = len.to_string().into();
    fields
}
