//! What each operation does to a tree.

use std::sync::Arc;

use super::{Entries, Ino, Tree};
use crate::content::Content;
use crate::trace::MicroOp;

impl Tree {
    /// Applies an operation in full, as the page cache does. Marks and syncs change nothing.
    ///
    /// An inode comes into being with the first operation that speaks of it.
    pub fn apply(&mut self, op: &MicroOp) {
        match op {
            MicroOp::Write { ino, offset, data } => self.content_mut(*ino).write(*offset, data),
            MicroOp::SetLen { ino, len } => self.content_mut(*ino).set_len(*len),
            MicroOp::Link { dir, name, ino } => {
                self.content_mut(*ino);
                self.entries_mut(*dir).insert(name.clone(), *ino);
            }
            MicroOp::MakeDir { dir, name, ino } => {
                self.entries_mut(*ino);
                self.entries_mut(*dir).insert(name.clone(), *ino);
            }
            MicroOp::Unlink { dir, name, .. } => {
                self.entries_mut(*dir).remove(name);
            }
            MicroOp::Rename { from_dir, from, to_dir, to, ino } => {
                self.entries_mut(*from_dir).remove(from);
                self.entries_mut(*to_dir).insert(to.clone(), *ino);
            }
            MicroOp::Sync { .. }
            | MicroOp::SyncDir { .. }
            | MicroOp::Issue { .. }
            | MicroOp::Ack { .. }
            | MicroOp::Shown { .. } => {}
        }
    }

    /// Brings the inode an operation creates into being, without its name.
    pub(crate) fn allocate(&mut self, op: &MicroOp) {
        match op {
            MicroOp::Link { ino, .. } => {
                self.content_mut(*ino);
            }
            MicroOp::MakeDir { ino, .. } => {
                self.entries_mut(*ino);
            }
            _ => {}
        }
    }

    /// The content of a file for changing; an unknown inode becomes an empty file.
    pub(crate) fn content_mut(&mut self, file: Ino) -> &mut Content {
        debug_assert!(!self.is_dir(file), "{file} is a directory");
        Arc::make_mut(self.files.entry(file).or_default())
    }

    /// The entries of a directory for changing; an unknown inode becomes an empty directory.
    fn entries_mut(&mut self, dir: Ino) -> &mut Entries {
        debug_assert!(self.content(dir).is_none(), "{dir} is a file");
        Arc::make_mut(self.dirs.entry(dir).or_default())
    }
}
