//! The watched directory as the program has left it so far: which inode is which file.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tracee::{FileId, Mapping, Stat};
use crate::content::Content;
use crate::trace::MicroOp;
use crate::tree::{Ino, Name, Tree};

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) dir: Ino,
    pub(super) name: Name,
}

/// The watched directory, kept equal to the real one call by call.
#[derive(Debug)]
pub(super) struct World {
    /// The directory's canonical path.
    root: PathBuf,
    root_id: FileId,
    /// Its names; of contents only what is not in `later`.
    tree: Tree,
    /// Changes of contents, in order, which next to nobody asks for.
    later: Vec<MicroOp>,
    /// The length in bytes of each file that was changed.
    lengths: BTreeMap<Ino, u64>,
    /// Every file and directory that was ever seen below the root, by what the system calls it.
    ids: BTreeMap<FileId, Ino>,
    /// The last name of each inode.
    spots: BTreeMap<Ino, Spot>,
    /// Paths that were asked for since a name last changed.
    paths: BTreeMap<Ino, Arc<str>>,
    /// How many names each file has; a file made without a name is not in it.
    links: BTreeMap<Ino, u64>,
    /// What changed since it was last synced.
    dirty: BTreeSet<Ino>,
    next: Ino,
}

impl World {
    /// Reads a directory, which must not change meanwhile.
    ///
    /// # Errors
    /// Whatever the file system says; [`io::ErrorKind::InvalidData`] for what a [`Tree`] cannot
    /// hold, and for a file with two names in it.
    pub(super) fn read(watched: &Path) -> io::Result<Self> {
        let root = watched.canonicalize()?;
        let tree = Tree::read_from(&root)?;
        let root_id = Stat::of(&root)?.id;
        let mut ids = BTreeMap::from([(root_id, Ino::ROOT)]);
        let mut spots = BTreeMap::new();
        let mut links = BTreeMap::new();
        for (path, ino) in tree.walk() {
            if ids.insert(Stat::of(&root.join(&path))?.id, ino).is_some() {
                let what = format!("{path}: has another name in the watched directory");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            if let Some(spot) = place(&tree, &path) {
                spots.insert(ino, spot);
                links.insert(ino, 1);
            }
        }
        let next = tree.next_ino();
        Ok(Self {
            root,
            root_id,
            tree,
            later: Vec::new(),
            lengths: BTreeMap::new(),
            ids,
            spots,
            paths: BTreeMap::new(),
            links,
            dirty: BTreeSet::new(),
            next,
        })
    }

    /// The directory as it is now.
    pub(super) fn tree(&mut self) -> &Tree {
        for op in self.later.drain(..) {
            self.tree.apply(&op);
        }
        &self.tree
    }

    /// The file or directory of a name in a directory.
    pub(super) fn entry(&self, spot: &Spot) -> Option<Ino> {
        self.tree.entry(spot.dir, &spot.name)
    }

    /// Whether it is a directory.
    pub(super) fn is_dir(&self, ino: Ino) -> bool {
        self.tree.is_dir(ino)
    }

    /// The length of a file in bytes.
    pub(super) fn len(&self, ino: Ino) -> u64 {
        let before = || self.tree.content(ino).map_or(0, Content::len);
        self.lengths.get(&ino).copied().unwrap_or_else(before)
    }

    /// The file the system means, if it is one of ours.
    ///
    /// A number whose file has lost all names may have been given to a new file elsewhere: that
    /// one has a name, ours has none.
    pub(super) fn known(&mut self, stat: &Stat) -> Option<Ino> {
        if stat.links > 0 && self.is_nameless(stat.id) {
            self.ids.remove(&stat.id);
        }
        self.file(stat.id)
    }

    /// The file of a number that was looked up before, if it is one of ours.
    pub(super) fn file(&self, id: FileId) -> Option<Ino> {
        self.ids.get(&id).copied()
    }

    /// Whether a number is of a file that has lost all its names.
    pub(super) fn is_nameless(&self, id: FileId) -> bool {
        self.file(id).is_some_and(|ino| self.links.get(&ino) == Some(&0))
    }

    /// The file of a mapping, if it is one of ours: by its number or, where file systems give
    /// mappings another device number than files, by its path.
    pub(super) fn mapped(&self, mapping: &Mapping) -> Option<Ino> {
        self.ids.get(&mapping.id).copied().or_else(|| {
            let spot = self.place(&mapping.path)?;
            self.tree.entry(spot.dir, &spot.name)
        })
    }

    /// Whether the watched directory is on the same file system.
    pub(super) fn same_device(&self, stat: &Stat) -> bool {
        stat.id.dev == self.root_id.dev
    }

    /// The place of a canonical path below the root whose directory exists.
    pub(super) fn place(&self, path: &Path) -> Option<Spot> {
        place(&self.tree, path.strip_prefix(&self.root).ok()?.to_str()?)
    }

    /// Whether a canonical path is below the root.
    pub(super) fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// Whether the root is what a canonical path names, or below it.
    pub(super) fn is_within(&self, path: &Path) -> bool {
        self.root.starts_with(path)
    }

    /// A number was given to a new file elsewhere: it is none of ours any more.
    pub(super) fn lost(&mut self, id: FileId) {
        self.ids.remove(&id);
    }

    /// A new inode for a file or directory that just came into being.
    pub(super) fn create(&mut self, id: FileId) -> Ino {
        let ino = self.next;
        self.next = Ino(ino.0 + 1);
        self.ids.insert(id, ino);
        ino
    }

    /// Follows an operation.
    pub(super) fn apply(&mut self, op: &MicroOp) {
        match op {
            MicroOp::Write { ino, offset, data } => {
                let end = offset.saturating_add(data.len() as u64);
                return self.changed(*ino, end.max(self.len(*ino)), op);
            }
            MicroOp::SetLen { ino, len } => return self.changed(*ino, *len, op),
            MicroOp::Link { dir, name, ino } | MicroOp::MakeDir { dir, name, ino } => {
                self.named(*dir, name, *ino);
                *self.links.entry(*ino).or_default() += 1;
            }
            MicroOp::Unlink { dir, ino, .. } => {
                self.dirty.insert(*dir);
                self.unlinked(*ino);
            }
            MicroOp::Rename { from_dir, to_dir, to, ino, .. } => {
                if let Some(replaced) = self.tree.entry(*to_dir, to) {
                    self.unlinked(replaced);
                }
                self.dirty.insert(*from_dir);
                self.named(*to_dir, to, *ino);
            }
            MicroOp::Sync { ino, .. } | MicroOp::SyncDir { dir: ino } => {
                self.dirty.remove(ino);
            }
            MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. } => {}
        }
        self.tree.apply(op);
    }

    fn changed(&mut self, ino: Ino, len: u64, op: &MicroOp) {
        self.dirty.insert(ino);
        self.lengths.insert(ino, len);
        self.later.push(op.clone());
    }

    fn named(&mut self, dir: Ino, name: &Name, ino: Ino) {
        self.paths.clear();
        self.dirty.insert(dir);
        self.spots.insert(ino, Spot { dir, name: name.clone() });
    }

    fn unlinked(&mut self, ino: Ino) {
        if let Some(links) = self.links.get_mut(&ino) {
            *links = links.saturating_sub(1);
        }
    }

    /// What a sync of everything does: a sync of whatever changed.
    pub(super) fn sync_all(&self) -> Vec<MicroOp> {
        let sync = |ino: &Ino| {
            if self.is_dir(*ino) {
                MicroOp::SyncDir { dir: *ino }
            } else {
                MicroOp::Sync { ino: *ino, kind: crate::trace::SyncKind::Full }
            }
        };
        self.dirty.iter().map(sync).collect()
    }

    /// The last path of a file, from the root; `None` for one that never had a name.
    pub(super) fn path(&mut self, ino: Ino) -> Option<Arc<str>> {
        if let Some(path) = self.paths.get(&ino) {
            return Some(Arc::clone(path));
        }
        let path = match ino {
            Ino::ROOT => Arc::from("."),
            _ => self.path_at(self.spots.get(&ino)?),
        };
        self.paths.insert(ino, Arc::clone(&path));
        Some(path)
    }

    /// The path of a place, from the root.
    pub(super) fn path_at(&self, spot: &Spot) -> Arc<str> {
        let mut parts = vec![spot.name.clone()];
        let mut dir = spot.dir;
        // A directory moved into one that was below it would never end; the kernel refuses that.
        while let Some(above) = self.spots.get(&dir).filter(|_| dir != Ino::ROOT) {
            parts.push(above.name.clone());
            dir = above.dir;
        }
        parts.reverse();
        Arc::from(parts.join("/"))
    }
}

/// The place of a path from the root: its directory must exist, its last name need not.
fn place(tree: &Tree, path: &str) -> Option<Spot> {
    let (parents, name) = path.rsplit_once('/').map_or((None, path), |(up, name)| (Some(up), name));
    let dir = match parents {
        Some(parents) => {
            parents.split('/').try_fold(Ino::ROOT, |dir, name| tree.entry(dir, name))?
        }
        None => Ino::ROOT,
    };
    (!name.is_empty() && tree.is_dir(dir)).then(|| Spot { dir, name: Arc::from(name) })
}
