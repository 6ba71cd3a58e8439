//! Why vectors cannot be used. Each message names the file and what to do.

use std::path::Path;
use std::{fs, io};

use crate::file::VERSION;

/// Vectors that cannot be loaded. A vector that a codec fails is not an error but a
/// [`Failure`](crate::Failure).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorsError {
    /// A file is missing or cannot be read.
    #[error("{file}: {source}; restore it, or point to a complete vectors directory")]
    Unreadable {
        /// The file, by its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A file is not what the format says.
    #[error("{file}: {reason}; restore it, or write the vectors anew")]
    Malformed {
        /// The file, by its name in the directory.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file was written for a later checker.
    #[error("{file}: format version {found}, but {VERSION} is the newest known; update Proofhouse")]
    NewerFormat {
        /// The file, by its name in the directory.
        file: String,
        /// The version it has.
        found: u64,
    },
    /// The index lists a family this version does not know.
    #[error("{file}: unknown family {family:?}; update Proofhouse, or remove it from the index")]
    UnknownFamily {
        /// The family's file, by its name in the directory.
        file: String,
        /// The family.
        family: String,
    },
    /// The index lacks a family: nothing would be checked.
    #[error("{file}: family {family:?} is not listed; restore the index")]
    MissingFamily {
        /// The index.
        file: String,
        /// The family.
        family: &'static str,
    },
    /// A file is not the one that was indexed.
    #[error("{file}: its SHA-256 is not the one in the index; restore the file or the index")]
    WrongDigest {
        /// The file, by its name in the directory.
        file: String,
    },
    /// One vector cannot be understood.
    #[error("{file}: vector {id:?}: {reason}; correct it or update Proofhouse")]
    Vector {
        /// The family's file, by its name in the directory.
        file: String,
        /// The vector.
        id: String,
        /// What is wrong.
        reason: String,
    },
}

impl VectorsError {
    /// Reads a file of a directory by its name.
    pub(crate) fn reading(dir: &Path, name: &str) -> Result<Vec<u8>, Self> {
        let path = dir.join(name);
        fs::read(&path)
            .map_err(|source| Self::Unreadable { file: path.display().to_string(), source })
    }
}
