//! Traces as files: what was recorded once is enumerated anywhere.
//!
//! `docs/trace.md` specifies the format byte by byte.

mod check;
mod decode;
mod encode;

pub use decode::{TraceFileError, read_trace};
pub use encode::write_trace;

/// The first bytes of every trace file.
const MAGIC: [u8; 8] = *b"PHTRACE\n";

/// The version written, and the only one read.
const VERSION: u16 = 1;

/// The largest inode number of a trace.
const INO_MAX: u64 = i64::MAX.unsigned_abs();

/// The largest file size, offset and length: the kernel's (`off_t`).
const SIZE_MAX: u64 = i64::MAX.unsigned_abs();

/// Defines what the first byte of a record says. Numbers are never given to another meaning.
macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        /// What a record holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        enum Tag {
            $($(#[$doc])* $name = $number,)+
        }

        impl Tag {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)+];

            fn of(byte: u8) -> Option<Self> {
                match byte {
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

tags! {
    /// Events acknowledged and issued before.
    Head = 0,
    /// A directory of the beginning other than the root: inode.
    Dir = 1,
    /// A file of the beginning: inode, length.
    File = 2,
    /// Bytes of the last file: offset, bytes.
    Extent = 3,
    /// A name of the beginning: directory, inode, name.
    Entry = 4,
    /// From here on, operations an earlier life left pending.
    Carried = 5,
    /// From here on, operations of this life.
    Ops = 6,
    /// The last record: how many came before it.
    End = 7,
    Write = 16,
    SetLen = 17,
    Link = 18,
    MakeDir = 19,
    Unlink = 20,
    Rename = 21,
    SyncData = 22,
    SyncFull = 23,
    SyncDir = 24,
    Issue = 25,
    Ack = 26,
    Shown = 27,
}

#[cfg(test)]
mod tests;
