//! What a medium may lose: effects of operations, and the order a medium keeps among them.
//!
//! The rules are numbered, with their sources, in `docs/media.md`; each has a litmus test here.

mod pending;
mod pending_op;
mod space;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub(crate) use pending::{Kept, Pending};
pub(crate) use pending_op::PendingOp;

use crate::content::SECTOR;
use crate::trace::{MicroOp, SyncKind};
use crate::tree::{Ino, Name};

/// Bytes that ext4 allocates as one unit, at multiples of themselves.
const BLOCK: u64 = 4096;

/// What we assume of a disk and its file system when power is lost.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// What POSIX and the manual pages promise at least; nothing more.
    #[default]
    Posix,
    /// Linux ext4 as it is mounted by default: `data=ordered`, delayed allocation, barriers.
    Ext4,
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Posix => f.write_str("posix"),
            Self::Ext4 => f.write_str("ext4"),
        }
    }
}

/// One thing a power loss takes or leaves as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// New bytes of one sector of a file, by number.
    Sector(Ino, u64),
    /// A size that a file grew to by being written.
    Growth(Ino),
    /// A length that a file was set to.
    Length(Ino),
    /// A new meaning of a name.
    Entry(Ino, Name),
    /// A file moved from one name to another.
    Move((Ino, Name), (Ino, Name)),
}

/// What versions are counted by: effects on one chain survive in order, a later one never without
/// the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chain {
    /// Versions of a sector (P-5, E-2).
    Sector(Ino, u64),
    /// Versions of a size (P-6), or of the sizes a file grew to by being written (E-3).
    Size(Ino),
    /// Meanings of a name (P-8).
    Name(Ino, Name),
    /// All metadata of a journaling file system (E-1).
    Journal,
}

/// Where an effect stands among others.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The chains it is on: it needs what is before it there, and what comes after needs it.
    pub(crate) on: Vec<Chain>,
    /// The chain it only follows: it needs what is before it there.
    pub(crate) behind: Option<Chain>,
}

impl Profile {
    /// The chains that order an effect among those before and after it.
    pub(crate) fn place(self, effect: &Effect) -> Place {
        let name = |(dir, name): &(Ino, Name)| Chain::Name(*dir, name.clone());
        let on = |chain| Place { on: vec![chain], behind: None };
        match (self, effect) {
            (_, Effect::Sector(ino, sector)) => on(Chain::Sector(*ino, *sector)),
            (Self::Posix, Effect::Growth(ino) | Effect::Length(ino)) => on(Chain::Size(*ino)),
            (Self::Posix, Effect::Entry(dir, name)) => on(Chain::Name(*dir, name.clone())),
            (Self::Posix, Effect::Move(from, to)) => {
                Place { on: vec![name(from), name(to)], behind: None }
            }
            (Self::Ext4, Effect::Growth(ino)) => {
                Place { behind: Some(Chain::Journal), ..on(Chain::Size(*ino)) }
            }
            (Self::Ext4, Effect::Length(_) | Effect::Entry(..) | Effect::Move(..)) => {
                on(Chain::Journal)
            }
        }
    }

    /// The sizes a file of `old` bytes passes through while a write of `bytes` makes it grow.
    fn growth(self, old: u64, bytes: &Range<u64>) -> Vec<NewSize> {
        match self {
            _ if bytes.end <= old => Vec::new(),
            Self::Posix => vec![NewSize { size: bytes.end, data: 0..0 }],
            Self::Ext4 => growth_by_blocks(old, bytes),
        }
    }

    /// The change of size when a length other than the old one is set (P-7, E-5).
    fn set_length(self, size: u64) -> NewSize {
        let data = match self {
            Self::Posix => 0..0,
            Self::Ext4 => size / SECTOR..u64::MAX,
        };
        NewSize { size, data }
    }

    /// Whether a sync makes a pending operation durable (P-1, P-3, P-9, E-6), and with it what
    /// it needs.
    pub(crate) fn covers(self, sync: &MicroOp, op: &MicroOp) -> bool {
        match (sync, op) {
            (
                MicroOp::Sync { ino: synced, .. },
                MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. },
            ) => synced == ino,
            (
                MicroOp::Sync { ino: synced, kind: SyncKind::Full },
                MicroOp::Link { ino, .. }
                | MicroOp::Unlink { ino, .. }
                | MicroOp::Rename { ino, .. },
            ) => self == Self::Ext4 && synced == ino,
            (MicroOp::SyncDir { dir: synced }, MicroOp::MakeDir { dir, ino, .. }) => {
                synced == dir || (self == Self::Ext4 && synced == ino)
            }
            (
                MicroOp::SyncDir { dir: synced },
                MicroOp::Link { dir, .. } | MicroOp::Unlink { dir, .. },
            ) => synced == dir,
            (MicroOp::SyncDir { dir: synced }, MicroOp::Rename { from_dir, to_dir, .. }) => {
                synced == from_dir || synced == to_dir
            }
            _ => false,
        }
    }
}

/// A size that an operation gives a file, perhaps on the way to a larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewSize {
    /// The size in bytes.
    pub(crate) size: u64,
    /// The sectors of the file whose bytes it needs as they are after the operation.
    pub(crate) data: Range<u64>,
}

/// One size for each block that a write reaches past the end of the file (E-3). A block that
/// already held the file's end may show its new size before its new bytes (E-4); the others only
/// after.
fn growth_by_blocks(old: u64, bytes: &Range<u64>) -> Vec<NewSize> {
    let allocated = old.next_multiple_of(BLOCK);
    let mut sizes = Vec::new();
    let mut at = bytes.start.max(old);
    while at < bytes.end {
        let size = bytes.end.min((at / BLOCK + 1) * BLOCK);
        let first = bytes.start.max(at / BLOCK * BLOCK) / SECTOR;
        let data = if at < allocated { 0..0 } else { first..size.div_ceil(SECTOR) };
        sizes.push(NewSize { size, data });
        at = size;
    }
    sizes
}
