//! Trees outside of memory: in a case file, and in a real directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Ino, Tree};
use crate::content::PAGE;
use crate::trace::MicroOp;

/// What a case file holds of a tree.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    /// Paths of directories.
    dirs: BTreeSet<String>,
    /// Files by path.
    files: BTreeMap<String, FileImage>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileImage {
    /// Length in bytes; what no extent covers is zero.
    len: u64,
    extents: Vec<Extent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extent {
    /// First byte, from the file's start.
    at: u64,
    /// The bytes as lower-case hex.
    #[serde(with = "hex::serde")]
    hex: Vec<u8>,
}

impl Extent {
    /// An extent without the zeros it begins and ends with.
    fn of((at, bytes): (u64, &[u8])) -> Self {
        let is_data = |byte: &u8| *byte != 0;
        let first = bytes.iter().position(is_data).unwrap_or(0);
        let end = bytes.iter().rposition(is_data).map_or(first, |last| last + 1);
        Self { at: at + first as u64, hex: bytes[first..end].to_vec() }
    }
}

impl Serialize for Tree {
    /// As `{dirs: [path], files: {path: {len, extents: [{at, hex}]}}}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let files = self.files().map(|(path, content)| {
            (
                path,
                FileImage {
                    len: content.len(),
                    extents: content.extents().map(Extent::of).collect(),
                },
            )
        });
        Image { dirs: self.dirs().collect(), files: files.collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let image = Image::deserialize(deserializer)?;
        let mut builder = Builder::new();
        for path in &image.dirs {
            builder.dir(path).map_err(D::Error::custom)?;
        }
        for (path, file) in &image.files {
            let ino = builder.file(path, file.len).map_err(D::Error::custom)?;
            for extent in &file.extents {
                let end = extent.at.checked_add(extent.hex.len() as u64);
                if end.is_none_or(|end| end > file.len) {
                    let at = extent.at;
                    return Err(D::Error::custom(format!(
                        "{path}: extent at {at} ends past {}",
                        file.len
                    )));
                }
                builder.tree.content_mut(ino).put(extent.at, &extent.hex);
            }
        }
        Ok(builder.tree)
    }
}

impl Tree {
    /// Writes the tree into an existing directory; files are sparse where the tree is.
    ///
    /// # Errors
    /// Whatever the file system says; a name that is taken is an error.
    pub fn write_to(&self, dir: &Path) -> io::Result<()> {
        for path in self.dirs() {
            fs::create_dir(dir.join(path))?;
        }
        for (path, content) in self.files() {
            let mut file = File::create_new(dir.join(path))?;
            file.set_len(content.len())?;
            for (at, bytes) in content.extents() {
                file.seek(SeekFrom::Start(at))?;
                file.write_all(bytes)?;
            }
        }
        Ok(())
    }

    /// Reads a directory with everything below it.
    ///
    /// # Errors
    /// Whatever the file system says; [`io::ErrorKind::InvalidData`] for anything that is neither
    /// file nor directory and for names that are not UTF-8.
    pub fn read_from(dir: &Path) -> io::Result<Self> {
        let mut builder = Builder::new();
        builder.read_dir(dir, "")?;
        Ok(builder.tree)
    }
}

/// Builds a tree path by path, parents before children.
struct Builder {
    tree: Tree,
}

impl Builder {
    fn new() -> Self {
        Self { tree: Tree::new() }
    }

    fn dir(&mut self, path: &str) -> Result<Ino, String> {
        let (dir, name, ino) = self.place(path)?;
        self.tree.apply(&MicroOp::MakeDir { dir, name, ino });
        Ok(ino)
    }

    fn file(&mut self, path: &str, len: u64) -> Result<Ino, String> {
        let (dir, name, ino) = self.place(path)?;
        self.tree.apply(&MicroOp::Link { dir, name, ino });
        self.tree.content_mut(ino).set_len(len);
        Ok(ino)
    }

    /// The directory, the name and a fresh inode for a path that is not taken.
    fn place(&self, path: &str) -> Result<(Ino, Arc<str>, Ino), String> {
        let (parents, name) =
            path.rsplit_once('/').map_or((None, path), |(dir, name)| (Some(dir), name));
        let parent = parents.map_or(Some(Ino::ROOT), |parents| {
            parents.split('/').try_fold(Ino::ROOT, |dir, name| self.tree.entry(dir, name))
        });
        let Some(parent) = parent.filter(|parent| self.tree.is_dir(*parent)) else {
            return Err(format!("{path}: no such directory"));
        };
        if matches!(name, "" | "." | "..") || self.tree.entry(parent, name).is_some() {
            return Err(format!("{path}: not a name, or taken"));
        }
        Ok((parent, Arc::from(name), self.tree.next_ino()))
    }

    fn read_dir(&mut self, dir: &Path, prefix: &str) -> io::Result<()> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        // In an order of its own: a directory's order differs from machine to machine, and inodes
        // are numbered on the way.
        let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name =
                name.to_str().ok_or_else(|| invalid(format!("{}", entry.path().display())))?;
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.dir(&path).map_err(invalid)?;
                self.read_dir(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.read_file(&entry.path(), &path)?;
            } else {
                return Err(invalid(format!("{path}: neither file nor directory")));
            }
        }
        Ok(())
    }

    fn read_file(&mut self, real: &Path, path: &str) -> io::Result<()> {
        let mut file = File::open(real)?;
        let len = file.metadata()?.len();
        let ino = self
            .file(path, len)
            .map_err(|what| io::Error::new(io::ErrorKind::InvalidData, what))?;
        let content = self.tree.content_mut(ino);
        let mut at = 0;
        let mut page = Vec::new();
        while let Some(data) = next_data(&mut file, at, len)? {
            at = data / PAGE * PAGE;
            page.clear();
            file.seek(SeekFrom::Start(at))?;
            (&mut file).take(PAGE.min(len - at)).read_to_end(&mut page)?;
            content.put(at, &page);
            at += PAGE;
        }
        content.clip();
        Ok(())
    }
}

/// Where data begins at or after `at`: holes are skipped where the file system reports them.
fn next_data(file: &mut File, at: u64, len: u64) -> io::Result<Option<u64>> {
    if at >= len {
        return Ok(None);
    }
    match rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(at)) {
        Ok(data) => Ok(Some(data).filter(|data| *data < len)),
        Err(rustix::io::Errno::NXIO) => Ok(None),
        Err(rustix::io::Errno::INVAL) => Ok(Some(at)),
        Err(error) => Err(error.into()),
    }
}
