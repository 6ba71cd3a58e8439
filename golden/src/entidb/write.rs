//! From fields to bytes.

use super::{Manifest, SegmentRecord, WalRecord};

const WAL_VERSION: u16 = 1;
const MANIFEST_VERSION: u16 = 2;
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
/// Bytes of a segment record beside its payload.
const SEGMENT_OVERHEAD: usize = 37;

pub(super) fn wal_record(record: &WalRecord) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let kind = match record {
        WalRecord::Begin { txid } => {
            payload.extend(txid.to_le_bytes());
            1
        }
        WalRecord::Put { txid, collection, entity, after } => {
            payload.extend(txid.to_le_bytes());
            payload.extend(collection.to_le_bytes());
            payload.extend(entity);
            payload.push(0);
            payload.extend(u32::try_from(after.len()).ok()?.to_le_bytes());
            payload.extend(after);
            2
        }
        WalRecord::Delete { txid, collection, entity } => {
            payload.extend(txid.to_le_bytes());
            payload.extend(collection.to_le_bytes());
            payload.extend(entity);
            payload.push(0);
            3
        }
        WalRecord::Commit { txid, sequence } => {
            payload.extend(txid.to_le_bytes());
            payload.extend(sequence.to_le_bytes());
            4
        }
    };
    let mut bytes = b"EWAL".to_vec();
    bytes.extend(WAL_VERSION.to_le_bytes());
    bytes.push(kind);
    bytes.extend(u32::try_from(payload.len()).ok()?.to_le_bytes());
    bytes.extend(payload);
    Some(with_crc(bytes))
}

pub(crate) fn segment_record(record: &SegmentRecord) -> Option<Vec<u8>> {
    let len = u32::try_from(SEGMENT_OVERHEAD + record.payload.len()).ok()?;
    let mut bytes = len.to_le_bytes().to_vec();
    bytes.extend(record.collection.to_le_bytes());
    bytes.extend(record.entity);
    bytes.push(u8::from(record.tombstone));
    bytes.extend(record.sequence.to_le_bytes());
    bytes.extend(&record.payload);
    Some(with_crc(bytes))
}

pub(crate) fn manifest(manifest: &Manifest) -> Option<Vec<u8>> {
    let mut bytes = b"EMFN".to_vec();
    bytes.extend(MANIFEST_VERSION.to_le_bytes());
    bytes.extend(FORMAT_MAJOR.to_le_bytes());
    bytes.extend(FORMAT_MINOR.to_le_bytes());
    bytes.extend(manifest.next_collection_id.to_le_bytes());
    bytes.extend(u32::try_from(manifest.collections.len()).ok()?.to_le_bytes());
    for collection in &manifest.collections {
        text(&collection.name, &mut bytes)?;
        bytes.extend(collection.id.to_le_bytes());
    }
    bytes.extend(manifest.next_index_id.to_le_bytes());
    bytes.extend(u32::try_from(manifest.indexes.len()).ok()?.to_le_bytes());
    for index in &manifest.indexes {
        bytes.extend(index.id.to_le_bytes());
        bytes.extend(index.collection.to_le_bytes());
        bytes.extend(u16::try_from(index.path.len()).ok()?.to_le_bytes());
        for field in &index.path {
            text(field, &mut bytes)?;
        }
        bytes.push(index.kind);
        bytes.push(u8::from(index.unique));
        bytes.extend(index.created_at.to_le_bytes());
    }
    bytes.push(u8::from(manifest.last_checkpoint.is_some()));
    bytes.extend(manifest.last_checkpoint.iter().flat_map(|sequence| sequence.to_le_bytes()));
    Some(bytes)
}

fn text(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    bytes.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    bytes.extend(text.bytes());
    Some(())
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// CRC-32 bit by bit: the reflected polynomial, initial and final value all ones.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}
