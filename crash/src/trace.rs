//! A trace: what a program did to its disk, in order, between moments it was told about.

mod graft;
mod listing;
mod mutation;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_128;

pub use graft::Misgrafted;
pub use listing::{Described, Site};
pub use mutation::{Change, Mutation, mutations};

use crate::tree::{Ino, Name, Tree};

/// How much of a file a sync covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncKind {
    /// Content, and the metadata needed to read it back, its length included (`fdatasync(2)`).
    Data,
    /// Content and all metadata of the file (`fsync(2)`). Not its directory entry.
    Full,
}

/// A moment the disk knows nothing of, but the judge does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Event `.0` was sent; it may be visible after a crash from here on.
    Issue(u64),
    /// Event `.0` returned success; it must be visible after a crash from here on.
    Ack(u64),
    /// An open showed the state after `.0` events: from here on exactly these are due, whatever
    /// was issued in an earlier life.
    Shown(u64),
}

/// One thing that happened. Inodes are identities, so renames and removals do not confuse them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MicroOp {
    /// Bytes written at an offset. Where they end past the end of the file, it grows; that
    /// change of size is an effect of its own, independent of the bytes.
    Write {
        /// The file.
        ino: Ino,
        /// First byte, from the file's start.
        offset: u64,
        /// The bytes.
        data: Bytes,
    },
    /// The length set, down or up; growing adds zeros.
    SetLen {
        /// The file.
        ino: Ino,
        /// The new length in bytes.
        len: u64,
    },
    /// A file got a name: a new and empty one its first or, in recorded programs, one more.
    Link {
        /// The directory.
        dir: Ino,
        /// The name in it.
        name: Name,
        /// The file.
        ino: Ino,
    },
    /// A new, empty directory got its name.
    MakeDir {
        /// The directory it is in.
        dir: Ino,
        /// The name in it.
        name: Name,
        /// The new directory.
        ino: Ino,
    },
    /// A file lost its name.
    Unlink {
        /// The directory.
        dir: Ino,
        /// The name in it.
        name: Name,
        /// The file.
        ino: Ino,
    },
    /// A file changed its name; what the new name stood for before lost it. One atomic effect.
    Rename {
        /// The directory the file was in.
        from_dir: Ino,
        /// Its name there.
        from: Name,
        /// The directory the file is in now.
        to_dir: Ino,
        /// Its name there.
        to: Name,
        /// The file.
        ino: Ino,
    },
    /// A file synced: covers what happened to it before.
    Sync {
        /// The file.
        ino: Ino,
        /// How much of it.
        kind: SyncKind,
    },
    /// A directory synced: covers the entries that changed in it before.
    SyncDir {
        /// The directory.
        dir: Ino,
    },
    /// [`Mark::Issue`].
    Issue {
        /// The event, counted from 1.
        event: u64,
    },
    /// [`Mark::Ack`].
    Ack {
        /// The event, counted from 1.
        event: u64,
    },
    /// [`Mark::Shown`].
    Shown {
        /// How many events the open showed.
        event: u64,
    },
}

impl From<Mark> for MicroOp {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Issue(event) => Self::Issue { event },
            Mark::Ack(event) => Self::Ack { event },
            Mark::Shown(event) => Self::Shown { event },
        }
    }
}

/// What happened in one life of a store.
///
/// Operations are numbered as listings print them: carried ones first, then those of this life.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What was durable when this life began.
    pub base: Tree,
    /// What an earlier life left pending: in the page cache, not durable.
    pub carried: Vec<MicroOp>,
    /// What happened in this life, in order.
    pub ops: Vec<MicroOp>,
    /// The largest event acknowledged before this life.
    pub acked_before: u64,
    /// The largest event issued before this life.
    pub issued_before: u64,
}

impl Trace {
    /// How far it had come when it ended: the largest event acknowledged, and the largest issued.
    pub fn events(&self) -> (u64, u64) {
        let mut window = Window::before(self);
        self.ops.iter().for_each(|op| window.observe(op));
        (window.acked, window.issued)
    }

    /// Carried operations and those of this life in the order of their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &MicroOp)> {
        self.carried.iter().chain(&self.ops).enumerate()
    }
}

impl MicroOp {
    /// Appends what tells this operation from every other, for digests.
    pub(crate) fn digest_into(&self, seen: &mut Vec<u8>) {
        let mut push = |tag: u8, numbers: &[u64], names: &[&str]| {
            seen.push(tag);
            for number in numbers {
                seen.extend(number.to_le_bytes());
            }
            for name in names {
                seen.extend((name.len() as u64).to_le_bytes());
                seen.extend(name.as_bytes());
            }
        };
        match self {
            Self::Write { ino, offset, data } => {
                push(b'w', &[ino.0, *offset, data.len() as u64], &[]);
                seen.extend(xxh3_128(data).to_le_bytes());
            }
            Self::SetLen { ino, len } => push(b'l', &[ino.0, *len], &[]),
            Self::Link { dir, name, ino } => push(b'c', &[dir.0, ino.0], &[name]),
            Self::MakeDir { dir, name, ino } => push(b'd', &[dir.0, ino.0], &[name]),
            Self::Unlink { dir, name, ino } => push(b'u', &[dir.0, ino.0], &[name]),
            Self::Rename { from_dir, from, to_dir, to, ino } => {
                push(b'r', &[from_dir.0, to_dir.0, ino.0], &[from, to]);
            }
            Self::Sync { ino, kind } => {
                push(b's', &[ino.0, u64::from(*kind == SyncKind::Full)], &[]);
            }
            Self::SyncDir { dir } => push(b'y', &[dir.0], &[]),
            Self::Issue { event } => push(b'i', &[*event], &[]),
            Self::Ack { event } => push(b'a', &[*event], &[]),
            Self::Shown { event } => push(b'h', &[*event], &[]),
        }
    }
}

/// Which events are due: what a judge needs to know of the moment of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    /// The largest event acknowledged.
    pub(crate) acked: u64,
    /// The largest event issued.
    pub(crate) issued: u64,
    /// What an open of this life has shown, if one returned.
    pub(crate) shown: Option<u64>,
}

impl Window {
    /// The window at the start of a trace.
    pub(crate) fn before(trace: &Trace) -> Self {
        Self { acked: trace.acked_before, issued: trace.issued_before, shown: None }
    }

    /// Takes note of a mark; other operations change nothing.
    pub(crate) fn observe(&mut self, op: &MicroOp) {
        match *op {
            MicroOp::Issue { event } => self.issued = self.issued.max(event),
            MicroOp::Ack { event } => self.acked = self.acked.max(event),
            MicroOp::Shown { event } => {
                *self = Self { acked: event, issued: event, shown: Some(event) };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
