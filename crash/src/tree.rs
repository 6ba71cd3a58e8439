//! A directory tree with inode identity, cheap to clone.

mod apply;
mod digest;
mod image;
mod inodes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::content::Content;

/// The identity of a file or directory; it outlives its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub u64);

impl Ino {
    /// The directory everything else is in.
    pub const ROOT: Self = Self(0);
}

impl fmt::Display for Ino {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inode {}", self.0)
    }
}

/// A name within a directory.
pub type Name = Arc<str>;

type Entries = BTreeMap<Name, Ino>;

/// A directory tree: what a process sees, or what a disk would show after a crash.
///
/// Inodes that no name reaches may be present (a removed file that is still open, a file whose
/// entry is not durable yet); they take part in no listing and in no [`Tree::digest`].
#[derive(Clone, Debug)]
pub struct Tree {
    files: BTreeMap<Ino, Arc<Content>>,
    /// Disjoint from `files`; the root is always there.
    dirs: BTreeMap<Ino, Arc<Entries>>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// An empty root directory.
    pub fn new() -> Self {
        Self { files: BTreeMap::new(), dirs: BTreeMap::from([(Ino::ROOT, Arc::default())]) }
    }

    /// What a name in a directory stands for.
    pub fn entry(&self, dir: Ino, name: &str) -> Option<Ino> {
        self.entries(dir)?.get(name).copied()
    }

    /// The content of a file.
    pub fn content(&self, file: Ino) -> Option<&Content> {
        self.files.get(&file).map(AsRef::as_ref)
    }

    /// Whether the inode is a directory.
    pub fn is_dir(&self, ino: Ino) -> bool {
        self.entries(ino).is_some()
    }

    /// The names in a directory, sorted as bytes.
    pub fn names(&self, dir: Ino) -> Option<impl Iterator<Item = &str>> {
        self.entries(dir).map(|entries| entries.keys().map(AsRef::as_ref))
    }

    /// The files that names reach: path from the root with `/`, and content; parents before
    /// children, names sorted as bytes.
    pub fn files(&self) -> impl Iterator<Item = (String, &Content)> {
        self.walk().into_iter().filter_map(|(path, ino)| Some((path, self.content(ino)?)))
    }

    /// The directories that names reach, the root left out; parents before children.
    pub fn dirs(&self) -> impl Iterator<Item = String> {
        self.walk().into_iter().filter(|(_, ino)| self.is_dir(*ino)).map(|(path, _)| path)
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&Content> {
        let ino = path.split('/').try_fold(Ino::ROOT, |dir, name| self.entry(dir, name))?;
        self.content(ino)
    }

    /// Everything names reach, the root left out, parents before children.
    pub(crate) fn walk(&self) -> Vec<(String, Ino)> {
        let mut found = Vec::new();
        self.walk_into(Ino::ROOT, "", &mut found);
        found
    }

    fn walk_into(&self, dir: Ino, prefix: &str, found: &mut Vec<(String, Ino)>) {
        for (name, ino) in self.entries(dir).into_iter().flatten() {
            let path = format!("{prefix}{name}");
            found.push((path.clone(), *ino));
            self.walk_into(*ino, &format!("{path}/"), found);
        }
    }

    /// Drops what neither the root nor `roots` reach.
    pub(crate) fn retain_reachable(&mut self, roots: impl Iterator<Item = Ino>) {
        let mut todo: Vec<Ino> = roots.chain([Ino::ROOT]).collect();
        let mut reached = BTreeSet::new();
        while let Some(ino) = todo.pop() {
            if reached.insert(ino) {
                todo.extend(self.entries(ino).into_iter().flat_map(|entries| entries.values()));
            }
        }
        self.files.retain(|ino, _| reached.contains(ino));
        self.dirs.retain(|ino, _| reached.contains(ino));
    }

    /// A number no inode of this tree has, nor any above it.
    pub(crate) fn next_ino(&self) -> Ino {
        let file = self.files.last_key_value().map_or(0, |(ino, _)| ino.0);
        let dir = self.dirs.last_key_value().map_or(0, |(ino, _)| ino.0);
        Ino(file.max(dir) + 1)
    }

    fn entries(&self, dir: Ino) -> Option<&Entries> {
        self.dirs.get(&dir).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
