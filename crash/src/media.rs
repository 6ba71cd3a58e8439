//! What a medium may lose: effects of operations, and the order a medium keeps among them.
//!
//! The rules are numbered, with their sources, in `docs/media.md`; each has a litmus test here.

mod pending;
mod space;

use serde::{Deserialize, Serialize};

pub(crate) use pending::{Kept, Pending, PendingOp};

use crate::trace::MicroOp;
use crate::tree::{Ino, Name};

/// What we assume of a disk and its file system when power is lost.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// What POSIX and the manual pages promise at least; nothing more.
    #[default]
    Posix,
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Posix => f.write_str("posix"),
        }
    }
}

/// One thing a power loss takes or leaves as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// New bytes of one sector of a file, by number.
    Sector(Ino, u64),
    /// A new size of a file.
    Size(Ino),
    /// A new meaning of a name.
    Entry(Ino, Name),
    /// A file moved from one name to another.
    Move((Ino, Name), (Ino, Name)),
}

/// What versions are counted by: effects on one chain survive in order, a later one never without
/// the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chain {
    /// Versions of a sector (P-5).
    Sector(Ino, u64),
    /// Versions of a size (P-6).
    Size(Ino),
    /// Meanings of a name (P-8).
    Name(Ino, Name),
}

impl Profile {
    /// The chains an effect is on: what orders it after the effects before it on the same chain.
    pub(crate) fn chains(self, effect: &Effect) -> Vec<Chain> {
        let name = |(dir, name): &(Ino, Name)| Chain::Name(*dir, name.clone());
        match (self, effect) {
            (Self::Posix, Effect::Sector(ino, sector)) => vec![Chain::Sector(*ino, *sector)],
            (Self::Posix, Effect::Size(ino)) => vec![Chain::Size(*ino)],
            (Self::Posix, Effect::Entry(dir, name)) => vec![Chain::Name(*dir, name.clone())],
            (Self::Posix, Effect::Move(from, to)) => vec![name(from), name(to)],
        }
    }

    /// Whether a sync makes a pending operation durable (P-1, P-3, P-9), and with it what it needs.
    pub(crate) fn covers(self, sync: &MicroOp, op: &MicroOp) -> bool {
        match (self, sync, op) {
            (
                Self::Posix,
                MicroOp::Sync { ino: synced, .. },
                MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. },
            ) => synced == ino,
            (
                Self::Posix,
                MicroOp::SyncDir { dir: synced },
                MicroOp::Link { dir, .. }
                | MicroOp::MakeDir { dir, .. }
                | MicroOp::Unlink { dir, .. },
            ) => synced == dir,
            (
                Self::Posix,
                MicroOp::SyncDir { dir: synced },
                MicroOp::Rename { from_dir, to_dir, .. },
            ) => synced == from_dir || synced == to_dir,
            _ => false,
        }
    }
}
