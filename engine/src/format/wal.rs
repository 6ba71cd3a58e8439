//! WAL records.
//!
//! ```text
//! magic "EWAL" | version u16 | type u8 | length u32 (of the payload) | payload | crc u32
//! ```
//!
//! The CRC covers everything before it. In version 2 every payload begins with a [`Stamp`];
//! version 1 is `EntiDB`'s own and only written for its golden bytes.

use super::{CRC_LEN, Fields, crc, len_u32, push_crc};
use crate::ids::{CollectionId, EntityId};

/// First bytes of every record.
pub const MAGIC: [u8; 4] = *b"EWAL";
/// Bytes before the payload.
pub const HEADER_LEN: usize = 11;
/// Bytes of a [`Stamp`].
pub const STAMP_LEN: usize = 20;
/// The largest payload of a record that is read: 64 MiB of entity, and its fields.
pub const PAYLOAD_LEN_MAX: usize = (64 << 20) + 128;
/// The envelope version this engine writes.
pub const VERSION: u16 = 2;
/// The greatest type of record that this version knows.
const TYPE_MAX: u8 = 6;

/// Ties a record to one place in one WAL, so that bytes of another file, another life or a
/// payload that quotes a log are never taken for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The WAL's number.
    pub generation: u32,
    /// The record's own position in the file, in bytes.
    pub offset: u64,
    /// The last commit sequence known synced when this was written.
    pub synced_to: u64,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// A transaction begins.
    Begin {
        /// The transaction; equal to the sequence its commit will have.
        txid: u64,
    },
    /// An entity's new content.
    Put {
        /// The transaction.
        txid: u64,
        /// Where.
        collection: CollectionId,
        /// Which.
        entity: EntityId,
        /// SHA-256 of the content before; never written by this engine.
        before: Option<&'a [u8; 32]>,
        /// Canonical CBOR.
        after: &'a [u8],
    },
    /// An entity is deleted.
    Delete {
        /// The transaction.
        txid: u64,
        /// Where.
        collection: CollectionId,
        /// Which.
        entity: EntityId,
        /// SHA-256 of the content before; never written by this engine.
        before: Option<&'a [u8; 32]>,
    },
    /// The transaction is complete.
    Commit {
        /// The transaction.
        txid: u64,
        /// Its commit sequence.
        sequence: u64,
    },
    /// The transaction is void; never written by this engine.
    Abort {
        /// The transaction.
        txid: u64,
    },
    /// First record of a WAL: what came before is in segments.
    Checkpoint {
        /// The last sequence that is not in this WAL.
        cut: u64,
        /// The length the file was extended to, in bytes; `None` in version 1.
        reserved: Option<u64>,
    },
}

/// A decoded record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it belongs; `None` in version 1.
    pub stamp: Option<Stamp>,
    /// What it says.
    pub body: Body<'a>,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRecord {
    /// The bytes end before the record does.
    Short,
    /// Wrong magic, version, length or CRC, or fields that do not fill the payload.
    Invalid,
    /// It verifies, and this version does not know its type. No torn write leaves that.
    Unknown {
        /// The type.
        kind: u8,
        /// Where it belongs.
        stamp: Stamp,
    },
}

impl Body<'_> {
    const fn type_byte(&self) -> u8 {
        match self {
            Self::Begin { .. } => 1,
            Self::Put { .. } => 2,
            Self::Delete { .. } => 3,
            Self::Commit { .. } => 4,
            Self::Abort { .. } => 5,
            Self::Checkpoint { .. } => 6,
        }
    }

    fn push_fields(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Begin { txid } | Self::Abort { txid } => out.extend(txid.to_le_bytes()),
            Self::Put { txid, collection, entity, before, after } => {
                push_key(out, txid, collection, entity, before);
                out.extend(len_u32(after.len()).to_le_bytes());
                out.extend_from_slice(after);
            }
            Self::Delete { txid, collection, entity, before } => {
                push_key(out, txid, collection, entity, before);
            }
            Self::Commit { txid, sequence } => {
                out.extend(txid.to_le_bytes());
                out.extend(sequence.to_le_bytes());
            }
            Self::Checkpoint { cut, reserved } => {
                out.extend(cut.to_le_bytes());
                if let Some(reserved) = reserved {
                    out.extend(reserved.to_le_bytes());
                }
            }
        }
    }
}

fn push_key(
    out: &mut Vec<u8>,
    txid: u64,
    collection: CollectionId,
    entity: EntityId,
    before: Option<&[u8; 32]>,
) {
    out.extend(txid.to_le_bytes());
    out.extend(collection.get().to_le_bytes());
    out.extend_from_slice(entity.as_bytes());
    out.push(u8::from(before.is_some()));
    if let Some(hash) = before {
        out.extend_from_slice(hash);
    }
}

/// Appends a record: version 2 with a stamp, version 1 without.
pub fn encode(body: &Body<'_>, stamp: Option<&Stamp>, out: &mut Vec<u8>) {
    if let Body::Checkpoint { reserved, .. } = body {
        debug_assert_eq!(reserved.is_some(), stamp.is_some(), "version 2 has both, 1 has neither");
    }
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    let version = if stamp.is_some() { VERSION } else { 1 };
    out.extend(version.to_le_bytes());
    out.push(body.type_byte());
    let length_at = out.len();
    out.extend([0; 4]);
    if let Some(stamp) = stamp {
        out.extend(stamp.generation.to_le_bytes());
        out.extend(stamp.offset.to_le_bytes());
        out.extend(stamp.synced_to.to_le_bytes());
    }
    body.push_fields(out);
    let length = len_u32(out.len() - length_at - 4);
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    push_crc(out, start);
}

/// The length of the whole record whose header this is, in bytes.
///
/// # Errors
/// [`NoRecord`] if these bytes do not begin a record.
pub fn record_len(header: &[u8]) -> Result<usize, NoRecord> {
    let mut fields = Fields::new(header);
    let magic = fields.array::<4>().ok_or(NoRecord::Short)?;
    let version = fields.u16().ok_or(NoRecord::Short)?;
    let _type = fields.u8().ok_or(NoRecord::Short)?;
    let length = fields.u32().ok_or(NoRecord::Short)? as usize;
    if magic != MAGIC || !(1..=VERSION).contains(&version) || length > PAYLOAD_LEN_MAX {
        return Err(NoRecord::Invalid);
    }
    Ok(HEADER_LEN + length + CRC_LEN)
}

/// Decodes the record at the start of `bytes`; what follows it is ignored.
///
/// # Errors
/// [`NoRecord`] if no valid record begins there.
pub fn decode(bytes: &[u8]) -> Result<(Record<'_>, usize), NoRecord> {
    let len = record_len(bytes)?;
    let record = bytes.get(..len).ok_or(NoRecord::Short)?;
    let (covered, sum) = record.split_at(len - CRC_LEN);
    if crc(covered).to_le_bytes() != sum {
        return Err(NoRecord::Invalid);
    }
    let mut fields = Fields::new(&covered[HEADER_LEN..]);
    let version = u16::from_le_bytes([record[4], record[5]]);
    let kind = record[6];
    if version == VERSION && !(1..=TYPE_MAX).contains(&kind) {
        let stamp = decode_stamp(&mut fields).ok_or(NoRecord::Invalid)?;
        return Err(NoRecord::Unknown { kind, stamp });
    }
    decode_payload(&mut fields, version, kind)
        .filter(|_| fields.is_done())
        .map(|record| (record, len))
        .ok_or(NoRecord::Invalid)
}

fn decode_payload<'a>(fields: &mut Fields<'a>, version: u16, kind: u8) -> Option<Record<'a>> {
    let stamp = if version == VERSION { Some(decode_stamp(fields)?) } else { None };
    let body = match kind {
        1 => Body::Begin { txid: fields.u64()? },
        2 => {
            let (txid, collection, entity, before) = decode_key(fields)?;
            let len = fields.u32()? as usize;
            Body::Put { txid, collection, entity, before, after: fields.take(len)? }
        }
        3 => {
            let (txid, collection, entity, before) = decode_key(fields)?;
            Body::Delete { txid, collection, entity, before }
        }
        4 => Body::Commit { txid: fields.u64()?, sequence: fields.u64()? },
        5 => Body::Abort { txid: fields.u64()? },
        6 => {
            let cut = fields.u64()?;
            let reserved = if version == VERSION { Some(fields.u64()?) } else { None };
            Body::Checkpoint { cut, reserved }
        }
        _ => return None,
    };
    Some(Record { stamp, body })
}

fn decode_stamp(fields: &mut Fields<'_>) -> Option<Stamp> {
    Some(Stamp { generation: fields.u32()?, offset: fields.u64()?, synced_to: fields.u64()? })
}

type RecordKey<'a> = (u64, CollectionId, EntityId, Option<&'a [u8; 32]>);

fn decode_key<'a>(fields: &mut Fields<'a>) -> Option<RecordKey<'a>> {
    let txid = fields.u64()?;
    let collection = CollectionId::new(fields.u32()?);
    let entity = EntityId::new(fields.array()?);
    let before = if fields.flag()? { Some(fields.take(32)?.try_into().ok()?) } else { None };
    Some((txid, collection, entity, before))
}
