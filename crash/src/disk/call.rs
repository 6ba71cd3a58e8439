//! Calls on a simulated disk, as a hook sees them.

use std::io;
use std::sync::Arc;

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// Open an existing file.
    Open,
    /// Create a file.
    Create,
    /// Create a directory.
    CreateDir,
    /// Rename a file.
    Rename,
    /// Remove a file.
    Remove,
    /// List a directory.
    List,
    /// Sync a directory.
    SyncDir,
    /// Take a lock.
    Lock,
    /// Ask for a length.
    Len,
    /// Read.
    Read,
    /// Read a range that will not change any more.
    View,
    /// Write.
    Write,
    /// Set the length.
    SetLen,
    /// Sync content and length.
    SyncData,
    /// Sync content and all metadata.
    SyncFull,
}

/// One call on the disk, about to be entered.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its index among all calls on this disk, from 0.
    pub index: u64,
    /// What it asks for.
    pub kind: CallKind,
    /// The path it names, or under which the file was opened.
    pub path: &'a str,
    /// The new path of a rename.
    pub to: Option<&'a str>,
    /// First byte of a read or write, the length of [`CallKind::SetLen`], else 0.
    pub offset: u64,
    /// Bytes read or written, else 0.
    pub len: u64,
}

/// Called before each call, without the disk's lock: it may look at the disk, wait, or return an
/// error, which then is what the call returns, nothing having happened.
pub type Hook = Arc<dyn Fn(&Call<'_>) -> io::Result<()> + Send + Sync>;

impl<'a> Call<'a> {
    pub(super) fn on(kind: CallKind, path: &'a str) -> Self {
        Self { index: 0, kind, path, to: None, offset: 0, len: 0 }
    }
}
