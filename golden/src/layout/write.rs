//! From fields to bytes, field by field as `docs/format.md` lists them.

use super::{LogBody, LogKey, LogRecord, MINOR_AT, StoreManifest};
use crate::entidb::{crc32, manifest_body};

const LOG_VERSION: u16 = 2;
const TRAILER_VERSION: u16 = 1;

/// A log record. Lengths are those of vectors: far below their fields' limits.
pub(crate) fn log_record(record: &LogRecord) -> Vec<u8> {
    let LogRecord { generation, offset, synced_to, record } = record;
    let mut payload = Vec::new();
    payload.extend(generation.to_le_bytes());
    payload.extend(offset.to_le_bytes());
    payload.extend(synced_to.to_le_bytes());
    let kind = body(record, &mut payload);
    log_envelope(LOG_VERSION, kind, &payload)
}

/// The envelope of a log record around any payload.
pub(crate) fn log_envelope(version: u16, kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"EWAL".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.push(kind);
    bytes.extend(len_u32(payload.len()));
    bytes.extend(payload);
    with_crc(bytes)
}

/// Appends the CRC of everything before.
pub(crate) fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// A whole MANIFEST.
pub(crate) fn manifest(manifest: &StoreManifest) -> Vec<u8> {
    // A name too long for its field has no body; vectors about that write their bytes themselves.
    let mut bytes = manifest_body(&manifest.body).unwrap_or_default();
    bytes.extend(b"EMFT");
    bytes.extend(TRAILER_VERSION.to_le_bytes());
    bytes.extend(manifest.next_segment_id.to_le_bytes());
    bytes.extend(manifest.next_generation.to_le_bytes());
    bytes.extend(len_u32(manifest.segments.len()));
    for segment in &manifest.segments {
        bytes.extend(segment.id.to_le_bytes());
        bytes.extend(segment.len.to_le_bytes());
        bytes.extend(segment.records.to_le_bytes());
        bytes.extend(segment.digest.0);
    }
    bytes.extend(len_u32(manifest.wals.len()));
    bytes.extend(manifest.wals.iter().flat_map(|generation| generation.0.to_le_bytes()));
    if let Some(newer) = &manifest.newer {
        bytes[MINOR_AT..MINOR_AT + 2].copy_from_slice(&newer.format_minor.to_le_bytes());
        bytes.extend(&newer.fields);
    }
    with_crc(bytes)
}

/// Appends the fields and answers the type.
fn body(record: &LogBody, payload: &mut Vec<u8>) -> u8 {
    match record {
        LogBody::Begin { txid } => {
            payload.extend(txid.to_le_bytes());
            1
        }
        LogBody::Put { key: written, content } => {
            key(written, payload);
            payload.extend(len_u32(content.len()));
            payload.extend(content);
            2
        }
        LogBody::Delete(written) => {
            key(written, payload);
            3
        }
        LogBody::Commit { txid, sequence } => {
            payload.extend(txid.to_le_bytes());
            payload.extend(sequence.to_le_bytes());
            4
        }
        LogBody::Abort { txid } => {
            payload.extend(txid.to_le_bytes());
            5
        }
        LogBody::Checkpoint { cut, reserved } => {
            payload.extend(cut.to_le_bytes());
            payload.extend(reserved.to_le_bytes());
            6
        }
    }
}

fn key(key: &LogKey, payload: &mut Vec<u8>) {
    payload.extend(key.txid.to_le_bytes());
    payload.extend(key.collection.to_le_bytes());
    payload.extend(key.entity);
    payload.push(u8::from(key.before.is_some()));
    payload.extend(key.before.iter().flat_map(|hash| hash.0));
}

fn len_u32(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}
