//! Outcomes: a subject's answers, in classes that any engine can give.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::op::{Entities, Id};

/// The answer to one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; nothing to tell.
    Done,
    /// A delete inside a transaction: whether the entity was there.
    Existed(bool),
    /// A transaction (explicit, or a single write) is committed and durable as promised.
    Committed {
        /// The commit sequence number after this commit, if the subject has them. A commit that
        /// changed nothing answers the sequence of the last one that did (0: none yet).
        sequence: Option<u64>,
    },
    /// An insert chose this identity; outside a transaction it is also committed.
    Inserted {
        /// The identity chosen.
        id: Id,
        /// As for [`Outcome::Committed`]; `None` inside a transaction.
        sequence: Option<u64>,
    },
    /// One entity, or its absence.
    Value(Option<Bytes>),
    /// Several entities, in the order asked.
    Values(Vec<Option<Bytes>>),
    /// A whole collection in identity order.
    Entities(Entities),
    /// The operation failed.
    Failed(ErrorClass),
}

/// What kind of failure, by what the caller should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// No such store, file or collection.
    NotFound,
    /// It exists already.
    Conflict,
    /// The payload, name or size is not acceptable.
    Invalid,
    /// The call does not fit the state: nested transaction, use after close.
    Misuse,
    /// Stored bytes are damaged.
    Corrupt,
    /// Something else wrote these files.
    Foreign,
    /// Written by a newer version.
    NewerVersion,
    /// Another handle or process holds the store.
    Locked,
    /// The operating system failed a call; nothing was committed.
    Io,
    /// A commit failed after its bytes may have reached the disk: it may or may not survive.
    InDoubt,
    /// An earlier failure latched the handle: reopen.
    Poisoned,
    /// A read-only open met a store that must be recovered first.
    NeedsRecovery,
    /// A write on a read-only handle.
    ReadOnly,
    /// The subject does not offer this.
    Unsupported,
}

/// The first bytes in hex, and the length where not all are shown.
struct Abbreviated<'a>(&'a Option<Bytes>);

impl fmt::Display for Abbreviated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 12;
        match self.0 {
            None => f.write_str("absent"),
            Some(bytes) if bytes.len() <= SHOWN => f.write_str(&hex::encode(bytes)),
            Some(bytes) => write!(f, "{}.. ({} bytes)", hex::encode(&bytes[..SHOWN]), bytes.len()),
        }
    }
}

/// For people: long values are abbreviated.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Existed(true) => f.write_str("existed"),
            Self::Existed(false) => f.write_str("did not exist"),
            Self::Committed { sequence: None } => f.write_str("committed"),
            Self::Committed { sequence: Some(n) } => write!(f, "committed, sequence {n}"),
            Self::Inserted { id, sequence: None } => write!(f, "inserted {id}"),
            Self::Inserted { id, sequence: Some(n) } => write!(f, "inserted {id}, sequence {n}"),
            Self::Value(value) => write!(f, "{}", Abbreviated(value)),
            Self::Values(values) => {
                write!(f, "{} values:", values.len())?;
                values.iter().try_for_each(|value| write!(f, " [{}]", Abbreviated(value)))
            }
            Self::Entities(entities) => {
                write!(f, "{} entities:", entities.len())?;
                entities.iter().try_for_each(|(id, bytes)| {
                    write!(f, " [{id}: {}]", Abbreviated(&Some(bytes.clone())))
                })
            }
            Self::Failed(class) => write!(f, "failed: {class}"),
        }
    }
}

/// The class in words, as it is written in files with blanks for underscores.
impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Misuse => "misuse",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::NewerVersion => "newer version",
            Self::Locked => "locked",
            Self::Io => "input/output error",
            Self::InDoubt => "in doubt",
            Self::Poisoned => "poisoned",
            Self::NeedsRecovery => "needs recovery",
            Self::ReadOnly => "read-only",
            Self::Unsupported => "unsupported",
        })
    }
}
