//! The engine's own records and files (`docs/format.md`), as logical fields and as bytes.
//!
//! The writer here shares nothing with the engine, so that the two can be compared. How the fields
//! look in JSON is the notation of values in `vectors/README.md`.

use serde::Serialize;

use crate::entidb::{Manifest, decimal};

mod write;

pub(crate) use crate::entidb::{SegmentRecord, crc32, segment_record};
pub(crate) use write::{log_envelope, log_record, manifest, with_crc};

/// Bytes of a CRC at the end of a record or file.
pub(crate) const CRC_LEN: usize = 4;
/// Bytes of a log record before its payload.
pub(crate) const LOG_HEADER_LEN: usize = 11;

/// A record of a write-ahead log of version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogRecord {
    /// The log's number.
    #[serde(with = "decimal")]
    pub(crate) generation: u32,
    /// The record's position in the file, in bytes.
    #[serde(with = "decimal")]
    pub(crate) offset: u64,
    /// The last commit known synced when it was written.
    #[serde(with = "decimal")]
    pub(crate) synced_to: u64,
    /// What it says.
    pub(crate) record: LogBody,
}

/// What a log record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogBody {
    /// Type 1.
    Begin {
        #[serde(with = "decimal")]
        txid: u64,
    },
    /// Type 2.
    Put {
        #[serde(flatten)]
        key: LogKey,
        #[serde(with = "hex")]
        content: Vec<u8>,
    },
    /// Type 3.
    Delete(LogKey),
    /// Type 4.
    Commit {
        #[serde(with = "decimal")]
        txid: u64,
        #[serde(with = "decimal")]
        sequence: u64,
    },
    /// Type 5, which no log of this format holds.
    Abort {
        #[serde(with = "decimal")]
        txid: u64,
    },
    /// Type 6.
    Checkpoint {
        #[serde(with = "decimal")]
        cut: u64,
        #[serde(with = "decimal")]
        reserved: u64,
    },
}

/// What a write is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogKey {
    #[serde(with = "decimal")]
    pub(crate) txid: u64,
    #[serde(with = "decimal")]
    pub(crate) collection: u32,
    #[serde(with = "hex")]
    pub(crate) entity: [u8; 16],
    /// A hash of the content before, which no log of this format holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Hash>,
}

/// SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Hash(#[serde(with = "hex")] pub(crate) [u8; 32]);

/// A whole MANIFEST: `EntiDB`'s body and the trailer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StoreManifest {
    #[serde(flatten)]
    pub(crate) body: Manifest,
    #[serde(with = "decimal")]
    pub(crate) next_segment_id: u64,
    #[serde(with = "decimal")]
    pub(crate) next_generation: u32,
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) wals: Vec<Generation>,
    /// What a newer minor version of the format has beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) newer: Option<NewerMinor>,
}

/// A newer minor version, and its fields after the trailer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewerMinor {
    #[serde(with = "decimal")]
    pub(crate) format_minor: u16,
    #[serde(with = "hex")]
    pub(crate) fields: Vec<u8>,
}

/// Where MANIFEST has the minor version of the format.
pub(crate) const MINOR_AT: usize = 8;

/// What MANIFEST says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct SegmentInfo {
    #[serde(with = "decimal")]
    pub(crate) id: u64,
    #[serde(with = "decimal")]
    pub(crate) len: u64,
    #[serde(with = "decimal")]
    pub(crate) records: u64,
    pub(crate) digest: Hash,
}

/// A live log's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Generation(#[serde(with = "decimal")] pub(crate) u32);
