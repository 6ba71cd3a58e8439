//! The one seam to the disk: everything the engine asks of a medium goes through [`Storage`].
//!
//! Names are relative to the store's directory and use `/`: `MANIFEST`,
//! `SEGMENTS/seg-000001.dat`. [`ROOT`] is the directory itself and [`PARENT`] the one that holds
//! it. Shipped: [`FileStorage`] and [`MemStorage`]; crash and fault models implement the same
//! traits outside this crate.
//!
//! What the engine assumes of a medium is listed, rule by rule, in `docs/media.md`.

mod file;
mod mem;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

pub use file::{FileStorage, OsEntropy};
pub use mem::MemStorage;

/// The store's own directory.
pub const ROOT: &str = ".";

/// The directory that holds the store's directory; only ever synced.
pub const PARENT: &str = "..";

/// How much of a file a sync covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncKind {
    /// Content, and the metadata needed to read it back, its length included (`fdatasync(2)`).
    Data,
    /// Content and all metadata of the file (`fsync(2)`). Not its directory entry.
    Full,
}

/// A directory of files on some medium.
///
/// Calls are never retried by the engine: an implementation handles `EINTR` and short transfers.
pub trait Storage: Send + Sync {
    /// Opens an existing file for reading, and for writing where the medium permits it.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Creates a file that must not exist yet, for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Creates a directory ([`ROOT`] for the store's own). An existing directory is success.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// Renames a file, replacing `to` atomically if it exists.
    ///
    /// # Errors
    /// Whatever the medium says; the rename may still have happened.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Those who hold it open can still read it.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names in a directory, without their path, sorted as bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such directory,
    /// [`io::ErrorKind::NotADirectory`] if it is something else.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Makes the entries of a directory durable: creations, renames and removals in it.
    ///
    /// # Errors
    /// Whatever the medium says; durability is unknown then.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Takes the exclusive advisory lock on a file, creating it if absent, until the guard is
    /// dropped. Excludes other processes and a second handle in this one.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it is held.
    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>>;
}

/// Holds a lock until dropped.
pub trait LockGuard: Send + Sync {}

/// An open file.
pub trait File: Send + Sync {
    /// Length in bytes.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As [`File::len`].
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before `buf` is full.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;

    /// The bytes of a range of a sealed file, without copying where the medium allows. The file
    /// must not change any more.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before the range does.
    fn view(&self, range: Range<u64>) -> io::Result<Bytes>;

    /// Writes all of `data` at `offset`, extending the file (with zeros before, if needed).
    ///
    /// # Errors
    /// Whatever the medium says; any part of the bytes may have been written.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Sets the length; growing adds zeros that need not take space.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes what returned before this call durable. After an error nothing is known: the system
    /// may have marked the pages clean (Rebello et al., ATC 2020).
    ///
    /// # Errors
    /// Whatever the medium says.
    fn sync(&self, kind: SyncKind) -> io::Result<()>;
}
