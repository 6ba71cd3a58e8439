//! Errors, by what the caller should do next.

use std::io;
use std::sync::Arc;

use crate::codec::CodecError;
use crate::ids::CollectionId;

/// The result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. File names are relative to the store's directory, offsets are in bytes.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call to the medium failed. Nothing was committed; the call may be tried again.
    #[error("{file}: cannot {action}: {source}; {}", io_advice(source.kind()))]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        file: String,
        /// The medium's own error.
        source: Arc<io::Error>,
    },

    /// Stored bytes are damaged.
    #[error("{file}: corrupt at offset {offset}: {what}; restore the store from a backup")]
    Corrupt {
        /// The damaged file.
        file: String,
        /// Where the damage shows.
        offset: u64,
        /// What was expected or found there.
        what: String,
    },

    /// Some other program, or `EntiDB` itself before adoption, wrote this directory.
    #[error("{file}: not written by this engine: {what}; open it with the program that wrote it")]
    Foreign {
        /// The file that shows it.
        file: String,
        /// What shows it.
        what: &'static str,
    },

    /// A newer version of the engine wrote this store: it is not opened, or, if only its minor
    /// version is newer, not written to.
    #[error("{file}: {what}; open it with a newer version of this engine")]
    NewerVersion {
        /// The file that shows it.
        file: String,
        /// What is newer.
        what: String,
    },

    /// Another handle, here or in another process, has the store open.
    #[error("{file}: another handle or process has this store open; close it first")]
    Locked {
        /// The lock file.
        file: &'static str,
    },

    /// There is no store here, and the options do not permit creating one.
    #[error("no store in this directory; check the path, or open with `OpenMode::Create`")]
    NoStore,

    /// The store's path is not a directory.
    #[error("the store's path is not a directory; name the directory that holds MANIFEST")]
    NotADirectory,

    /// A read-only open met a store that was not closed cleanly.
    #[error("{file}: the store was not closed cleanly; open it once for writing to recover it")]
    NeedsRecovery {
        /// The live WAL that must be recovered.
        file: String,
    },

    /// A write through a read-only handle.
    #[error("this handle is read-only; open the store for writing")]
    ReadOnly,

    /// An earlier failure latched the handle.
    #[error("writes are refused until the store is opened again, because: {cause}")]
    Poisoned {
        /// The failure that latched it.
        cause: Arc<Error>,
    },

    /// The change may or may not survive: its bytes may have reached the medium. The handle is
    /// poisoned; opening the store again tells.
    #[error("in doubt: the change may or may not survive ({cause}); open the store again to see")]
    InDoubt {
        /// The failure.
        cause: Arc<Error>,
    },

    /// The payload is not strict canonical CBOR.
    #[error("payload: {0}")]
    Payload(#[from] CodecError),

    /// Something exceeds a limit; nothing was written.
    #[error("{what} is {len} bytes, above the limit of {limit}; make it smaller")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        len: u64,
        /// The limit in bytes.
        limit: u64,
    },

    /// An option or name is outside its range; nothing was written.
    #[error("{what}")]
    Invalid {
        /// Which, and the permitted range.
        what: String,
    },

    /// No collection has this number.
    #[error("no collection {0}; create it first")]
    UnknownCollection(CollectionId),

    /// A collection of this name exists.
    #[error("collection {name:?} exists; look it up with `Database::collection`")]
    CollectionExists {
        /// The name.
        name: String,
    },

    /// This thread has a write transaction open.
    #[error("this thread has a write transaction open; commit or abort it first")]
    NestedTransaction,

    /// A compaction of this store is under way.
    #[error("a compaction is under way; wait for it, or drop it, before another one is begun")]
    CompactionRunning,

    /// The source of identities kept repeating live ones.
    #[error("the source of identities gave {draws} that are all in use; give it more entropy")]
    IdsExhausted {
        /// How many were drawn.
        draws: u32,
    },

    /// The handle has been closed.
    #[error("the store has been closed; open it again")]
    Closed,
}

/// The class of an [`Error`]: what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// Name something that exists.
    NotFound,
    /// Choose another name or identity.
    Conflict,
    /// Pass something within the rules.
    Invalid,
    /// Call in another order.
    Misuse,
    /// Restore from a backup.
    Corrupt,
    /// Use the program that wrote it.
    Foreign,
    /// Use a newer version.
    NewerVersion,
    /// Wait for, or close, the other holder.
    Locked,
    /// Mend the medium and try again.
    Io,
    /// Open again and look.
    InDoubt,
    /// Open again.
    Poisoned,
    /// Open for writing once.
    NeedsRecovery,
    /// Open for writing.
    ReadOnly,
}

impl Error {
    /// The class of this error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Io { .. } => ErrorClass::Io,
            Self::Corrupt { .. } => ErrorClass::Corrupt,
            Self::Foreign { .. } => ErrorClass::Foreign,
            Self::NewerVersion { .. } => ErrorClass::NewerVersion,
            Self::Locked { .. } => ErrorClass::Locked,
            Self::NoStore | Self::UnknownCollection(_) => ErrorClass::NotFound,
            Self::NotADirectory
            | Self::Payload(_)
            | Self::TooLarge { .. }
            | Self::Invalid { .. } => ErrorClass::Invalid,
            Self::NeedsRecovery { .. } => ErrorClass::NeedsRecovery,
            Self::ReadOnly => ErrorClass::ReadOnly,
            Self::Poisoned { .. } => ErrorClass::Poisoned,
            Self::InDoubt { .. } => ErrorClass::InDoubt,
            Self::CollectionExists { .. } | Self::IdsExhausted { .. } => ErrorClass::Conflict,
            Self::NestedTransaction | Self::CompactionRunning | Self::Closed => ErrorClass::Misuse,
        }
    }

    pub(crate) fn corrupt(
        file: impl Into<String>,
        offset: impl TryInto<u64>,
        what: impl Into<String>,
    ) -> Self {
        // Every offset comes from a file length, so it fits; saturate rather than panic.
        let offset = offset.try_into().unwrap_or(u64::MAX);
        Self::Corrupt { file: file.into(), offset, what: what.into() }
    }
}

/// What to do about a medium's error.
fn io_advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space",
        io::ErrorKind::PermissionDenied => {
            "give this user read and write permission for the directory and its files"
        }
        io::ErrorKind::ReadOnlyFilesystem => "mount it writable, or open with `OpenMode::ReadOnly`",
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            "move away what has this name, it is not the store's"
        }
        io::ErrorKind::NotFound => "check that the path exists",
        _ => "check the device and the system's log",
    }
}

/// Gives a medium's error its context.
pub(crate) trait IoContext<T> {
    /// Names what was being done to which file.
    fn at(self, action: &'static str, file: &str) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: &'static str, file: &str) -> Result<T> {
        self.map_err(|source| Error::Io { action, file: file.into(), source: Arc::new(source) })
    }
}
