//! Everything in a tree by inode, named or not.

use super::{Ino, Name, Tree};
use crate::content::Content;

impl Tree {
    /// All files, those included that no name reaches, by ascending inode.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = (Ino, &Content)> {
        self.files.iter().map(|(ino, content)| (*ino, content.as_ref()))
    }

    /// All directories, the root and those included that no name reaches, by ascending inode.
    pub(crate) fn all_dirs(&self) -> impl Iterator<Item = Ino> {
        self.dirs.keys().copied()
    }

    /// All entries: directory, name, and what it stands for; by directory, names sorted as bytes.
    pub(crate) fn all_entries(&self) -> impl Iterator<Item = (Ino, &Name, Ino)> {
        self.dirs
            .iter()
            .flat_map(|(dir, entries)| entries.iter().map(|(name, ino)| (*dir, name, *ino)))
    }
}
