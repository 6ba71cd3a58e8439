//! How a store is opened.

use crate::error::{Error, Result};
use crate::format::wal::PAYLOAD_LEN_MAX;

/// What an open may do to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenMode {
    /// Create the store if there is none. One of a newer minor version of the format is only
    /// read, as with `ReadOnly`.
    #[default]
    Create,
    /// There must be a store.
    Existing,
    /// There must be a store, closed cleanly; nothing is written.
    ReadOnly,
}

/// When memory is moved into segments without being asked. It is decided by bytes alone, never by
/// time: one client that does the same leaves the same files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoCheckpoint {
    /// Never: the WAL and memory grow until [`Database::checkpoint`](crate::Database::checkpoint).
    Never,
    /// The thread whose commit finds the live WAL at this many bytes or more runs a checkpoint
    /// before it returns; those of other threads go on. If the checkpoint fails, the commit has
    /// not: the next one is due when the WAL has grown by as much again.
    AtCommit {
        /// 512 B to 1 GiB.
        wal_bytes: u64,
    },
    /// A checkpoint is due at this many bytes, and a thread of the caller's runs it in
    /// [`Database::checkpoint_when_due`](crate::Database::checkpoint_when_due). Without such a
    /// thread this is `Never`.
    Background {
        /// 512 B to 1 GiB.
        wal_bytes: u64,
    },
}

impl Default for AutoCheckpoint {
    fn default() -> Self {
        Self::AtCommit { wal_bytes: 64 << 20 }
    }
}

impl AutoCheckpoint {
    /// The bytes of WAL at which a checkpoint is due.
    pub(crate) fn wal_bytes(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::AtCommit { wal_bytes } | Self::Background { wal_bytes } => Some(wal_bytes),
        }
    }
}

/// Settings of one open. None of them is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What the open may do.
    pub mode: OpenMode,
    /// Bytes a new WAL is extended to at once, sparsely; 512 B to 1 GiB. Commits within it change
    /// no file length, so their sync writes data only.
    pub wal_reserve: u64,
    /// A segment is sealed before it would exceed this many bytes (one record always fits);
    /// 512 B to 1 GiB.
    pub max_segment: u64,
    /// The largest entity, in bytes; at most 64 MiB.
    pub max_payload: u32,
    /// The most entity bytes one transaction may write; at most 1 GiB.
    pub max_transaction: u64,
    /// When checkpoints run by themselves.
    pub auto_checkpoint: AutoCheckpoint,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: OpenMode::default(),
            wal_reserve: 64 << 20,
            max_segment: 256 << 20,
            max_payload: 64 << 20,
            max_transaction: 256 << 20,
            auto_checkpoint: AutoCheckpoint::default(),
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::Invalid { what: format!("{name} is {value}; permitted is {low} to {high}") })
        };
        let largest_entity = PAYLOAD_LEN_MAX as u64 - 128;
        within("wal_reserve", self.wal_reserve, 512, 1 << 30)?;
        within("max_segment", self.max_segment, 512, 1 << 30)?;
        within("max_payload", self.max_payload.into(), 1, largest_entity)?;
        within("max_transaction", self.max_transaction, 1, 1 << 30)?;
        match self.auto_checkpoint.wal_bytes() {
            Some(bytes) => within("the WAL's bytes at a checkpoint", bytes, 512, 1 << 30),
            None => Ok(()),
        }
    }
}
