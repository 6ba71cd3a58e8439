//! `EntiDB`'s own files (2.0.0-alpha.3, format 1.0): WAL records of version 1, segment records and
//! MANIFEST bodies, as logical fields and as bytes.
//!
//! The writer here shares nothing with the engine, so that the two can be compared. Integers are
//! little-endian; every CRC is CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320) over the
//! record's bytes before it.

use serde::{Deserialize, Serialize};

pub(crate) mod decimal;
mod write;

pub(crate) use write::{crc32, manifest as manifest_body, segment_record};

#[cfg(test)]
mod tests;

/// One record or file, by its fields. Integers are decimal strings and bytes hexadecimal in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Layout {
    /// A record of `wal.log`.
    WalRecord(WalRecord),
    /// A record of a segment file.
    SegmentRecord(SegmentRecord),
    /// A whole `MANIFEST`.
    Manifest(Manifest),
}

impl Layout {
    /// The bytes `EntiDB` writes for these fields, or `None` if a length exceeds its field.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::WalRecord(record) => write::wal_record(record),
            Self::SegmentRecord(record) => write::segment_record(record),
            Self::Manifest(manifest) => write::manifest(manifest),
        }
    }
}

/// A WAL record: `"EWAL" | version u16 = 1 | type u8 | length u32 | payload | crc u32`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WalRecord {
    /// Type 1: `txid u64`.
    Begin {
        /// The transaction.
        #[serde(with = "decimal")]
        txid: u64,
    },
    /// Type 2: `txid u64 | collection u32 | entity [16] | 0 u8 | after_len u32 | after`; the zero
    /// says that no hash of the content before follows.
    Put {
        /// The transaction.
        #[serde(with = "decimal")]
        txid: u64,
        /// The collection's number.
        #[serde(with = "decimal")]
        collection: u32,
        /// The entity.
        #[serde(with = "hex")]
        entity: [u8; 16],
        /// Canonical CBOR.
        #[serde(with = "hex")]
        after: Vec<u8>,
    },
    /// Type 3: `txid u64 | collection u32 | entity [16] | 0 u8`; the zero as for a put.
    Delete {
        /// The transaction.
        #[serde(with = "decimal")]
        txid: u64,
        /// The collection's number.
        #[serde(with = "decimal")]
        collection: u32,
        /// The entity.
        #[serde(with = "hex")]
        entity: [u8; 16],
    },
    /// Type 4: `txid u64 | sequence u64`.
    Commit {
        /// The transaction.
        #[serde(with = "decimal")]
        txid: u64,
        /// Its commit sequence number.
        #[serde(with = "decimal")]
        sequence: u64,
    },
}

/// A segment record: `record_len u32 | collection u32 | entity [16] | flags u8 | sequence u64
/// | payload | crc u32`, where `record_len` counts all of it and flag 1 marks a tombstone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRecord {
    /// The collection's number.
    #[serde(with = "decimal")]
    pub collection: u32,
    /// The entity.
    #[serde(with = "hex")]
    pub entity: [u8; 16],
    /// The commit that wrote it.
    #[serde(with = "decimal")]
    pub sequence: u64,
    /// Canonical CBOR; empty for a tombstone.
    #[serde(with = "hex")]
    pub payload: Vec<u8>,
    /// Whether the entity is deleted.
    pub tombstone: bool,
}

/// A MANIFEST of version 2: `"EMFN" | version u16 = 2 | major u16 = 1 | minor u16 = 0 |
/// next_collection_id u32 | count u32 | collections | next_index_id u64 | count u32 | indexes |
/// has_checkpoint u8 | [last_checkpoint u64]`, no checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The number the next collection gets.
    #[serde(with = "decimal")]
    pub next_collection_id: u32,
    /// Sorted by name.
    pub collections: Vec<Collection>,
    /// The number the next index gets.
    #[serde(with = "decimal")]
    pub next_index_id: u64,
    /// Sorted by number.
    pub indexes: Vec<Index>,
    /// The last commit in segments; `None` before the first checkpoint.
    #[serde(with = "decimal::option")]
    pub last_checkpoint: Option<u64>,
}

/// A collection: `name_len u16 | name | id u32`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// Its number.
    #[serde(with = "decimal")]
    pub id: u32,
}

/// An index: `id u64 | collection u32 | path_count u16 | { len u16 | segment } | kind u8 |
/// unique u8 | created_at u64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its number.
    #[serde(with = "decimal")]
    pub id: u64,
    /// The collection it serves.
    #[serde(with = "decimal")]
    pub collection: u32,
    /// The field path.
    pub path: Vec<String>,
    /// 0 hash, 1 ordered.
    #[serde(with = "decimal")]
    pub kind: u8,
    /// Whether keys are unique.
    pub unique: bool,
    /// The commit sequence number at its creation.
    #[serde(with = "decimal")]
    pub created_at: u64,
}
