//! Segment records.
//!
//! ```text
//! record_len u32 (all of it) | collection u32 | entity [16] | flags u8 | sequence u64
//! | payload | crc u32
//! ```
//!
//! The CRC covers everything before it. A segment has no header and is nothing but records in
//! strictly ascending (collection, entity) order. Its digest is SHA-256 over its records' CRCs in
//! file order, four bytes each.

use super::{CRC_LEN, Fields, crc, len_u32, push_crc};
use crate::ids::{CollectionId, EntityId};

/// Bytes before the payload.
pub const HEADER_LEN: usize = 33;
/// Bytes of a record beside its payload.
pub const OVERHEAD: usize = HEADER_LEN + CRC_LEN;

const TOMBSTONE: u8 = 1;

/// One version of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where.
    pub collection: CollectionId,
    /// Which.
    pub entity: EntityId,
    /// The commit that wrote it.
    pub sequence: u64,
    /// Canonical CBOR, or `None` for a tombstone.
    pub payload: Option<&'a [u8]>,
}

/// Why bytes are not a segment record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRecord {
    /// The bytes end before the record does.
    #[error("the file ends within a record")]
    Short,
    /// The CRC does not match.
    #[error("CRC mismatch: stored {stored:08x}, computed {computed:08x}")]
    Crc {
        /// The CRC in the file.
        stored: u32,
        /// The CRC of the bytes.
        computed: u32,
    },
    /// The length field is below the smallest record.
    #[error("record length {0} is below the smallest record")]
    Length(u32),
    /// Flags this version does not know, or a tombstone with a payload.
    #[error("record flags {0:#04x} do not fit the record")]
    Flags(u8),
}

/// Appends a record and answers its CRC.
pub fn encode(record: &Record<'_>, out: &mut Vec<u8>) -> u32 {
    let start = out.len();
    let payload = record.payload.unwrap_or_default();
    out.extend(len_u32(OVERHEAD + payload.len()).to_le_bytes());
    out.extend(record.collection.get().to_le_bytes());
    out.extend_from_slice(record.entity.as_bytes());
    out.push(if record.payload.is_none() { TOMBSTONE } else { 0 });
    out.extend(record.sequence.to_le_bytes());
    out.extend_from_slice(payload);
    push_crc(out, start);
    stored_crc(&out[start..])
}

/// The CRC that ends these bytes of one whole record.
pub(crate) fn stored_crc(record: &[u8]) -> u32 {
    record.last_chunk::<CRC_LEN>().map_or(0, |sum| u32::from_le_bytes(*sum))
}

/// What a record of any type says. A newer minor version of the format may have types, told by
/// flags, that this one does not know.
pub(crate) struct Verified<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) entity: EntityId,
    flags: u8,
    pub(crate) sequence: u64,
    payload: &'a [u8],
}

impl<'a> Verified<'a> {
    /// Whether this version knows what the flags mean.
    pub(crate) fn is_known(&self) -> bool {
        self.flags <= TOMBSTONE
    }

    /// Canonical CBOR, or `None` for a tombstone.
    pub(crate) fn content(&self) -> Result<Option<&'a [u8]>, NoRecord> {
        match self.flags {
            0 => Ok(Some(self.payload)),
            TOMBSTONE if self.payload.is_empty() => Ok(None),
            flags => Err(NoRecord::Flags(flags)),
        }
    }
}

/// Decodes the record at the start of `bytes` and answers its length; what follows is ignored.
///
/// # Errors
/// [`NoRecord`] if no valid record begins there.
pub fn decode(bytes: &[u8]) -> Result<(Record<'_>, usize), NoRecord> {
    let (verified, len) = verified(bytes)?;
    let payload = verified.content()?;
    let Verified { collection, entity, sequence, .. } = verified;
    Ok((Record { collection, entity, sequence, payload }, len))
}

/// The record at the start of `bytes`, whatever its type, and its length.
///
/// # Errors
/// [`NoRecord`] if none begins there whose CRC matches.
pub(crate) fn verified(bytes: &[u8]) -> Result<(Verified<'_>, usize), NoRecord> {
    let mut fields = Fields::new(bytes);
    let record_len = fields.u32().ok_or(NoRecord::Short)?;
    let len = record_len as usize;
    if len < OVERHEAD {
        return Err(NoRecord::Length(record_len));
    }
    let record = bytes.get(..len).ok_or(NoRecord::Short)?;
    let (covered, _) = record.split_at(len - CRC_LEN);
    let (stored, computed) = (stored_crc(record), crc(covered));
    if stored != computed {
        return Err(NoRecord::Crc { stored, computed });
    }
    let collection = CollectionId::new(fields.u32().ok_or(NoRecord::Short)?);
    let entity = EntityId::new(fields.array().ok_or(NoRecord::Short)?);
    let flags = fields.u8().ok_or(NoRecord::Short)?;
    let sequence = fields.u64().ok_or(NoRecord::Short)?;
    let payload = &covered[HEADER_LEN..];
    Ok((Verified { collection, entity, flags, sequence, payload }, len))
}
