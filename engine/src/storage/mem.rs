//! A store in memory: for tests, tools and data that need not outlive the process.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{File, LockGuard, ROOT, Storage, SyncKind};
use crate::sync::{Mutex, RwLock};

/// Files in memory. Clones share the same files, so a store can be closed and opened again.
#[derive(Debug, Clone, Default)]
pub struct MemStorage {
    shared: Arc<Mutex<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    files: BTreeMap<String, Arc<MemFile>>,
    dirs: BTreeSet<String>,
    locked: BTreeSet<String>,
}

impl MemStorage {
    /// A medium without even the store's directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every file with its content, by name.
    pub fn dump(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.shared.lock();
        names.files.iter().map(|(name, file)| (name.clone(), file.0.read().clone())).collect()
    }

    /// A medium holding exactly these files, with the directories their names need.
    pub fn restore(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut names = Names::default();
        names.dirs.insert(ROOT.into());
        for (name, content) in files {
            if let Some((dir, _)) = name.rsplit_once('/') {
                names.dirs.insert(dir.into());
            }
            names.files.insert(name.clone(), Arc::new(MemFile(RwLock::new(content.clone()))));
        }
        Self { shared: Arc::new(Mutex::new(names)) }
    }
}

impl Names {
    fn require_parent(&self, name: &str) -> io::Result<()> {
        let parent = name.rsplit_once('/').map_or(ROOT, |(dir, _)| dir);
        if self.dirs.contains(parent) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

impl Storage for MemStorage {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        match self.shared.lock().files.get(name) {
            Some(file) => Ok(Arc::<MemFile>::clone(file)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut names = self.shared.lock();
        names.require_parent(name)?;
        if names.files.contains_key(name) || names.dirs.contains(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = Arc::new(MemFile::default());
        names.files.insert(name.into(), Arc::clone(&file));
        Ok(file)
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        let mut names = self.shared.lock();
        if names.files.contains_key(name) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        names.dirs.insert(name.into());
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut names = self.shared.lock();
        names.require_parent(to)?;
        let file = names.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        names.files.insert(to.into(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match self.shared.lock().files.remove(name) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let names = self.shared.lock();
        if !names.dirs.contains(dir) {
            let is_file = names.files.contains_key(dir);
            let kind = if is_file { io::ErrorKind::NotADirectory } else { io::ErrorKind::NotFound };
            return Err(kind.into());
        }
        let mut found: Vec<String> = names
            .files
            .keys()
            .chain(names.dirs.iter().filter(|name| *name != ROOT))
            .filter_map(|name| match name.rsplit_once('/') {
                None => (dir == ROOT).then(|| name.clone()),
                Some((parent, rest)) => (parent == dir).then(|| rest.into()),
            })
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    fn sync_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        let mut names = self.shared.lock();
        names.require_parent(name)?;
        if !names.locked.insert(name.into()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        names.files.entry(name.into()).or_default();
        Ok(Box::new(HeldLock { shared: Arc::clone(&self.shared), name: name.into() }))
    }
}

struct HeldLock {
    shared: Arc<Mutex<Names>>,
    name: String,
}

impl LockGuard for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.shared.lock().locked.remove(&self.name);
    }
}

#[derive(Debug, Default)]
struct MemFile(RwLock<Vec<u8>>);

impl MemFile {
    fn range(content: &[u8], range: Range<u64>) -> io::Result<&[u8]> {
        let start = usize::try_from(range.start).ok();
        let end = usize::try_from(range.end).ok();
        start
            .zip(end)
            .and_then(|(start, end)| content.get(start..end))
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn in_memory(len: u64) -> io::Result<usize> {
    usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

impl File for MemFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.read().len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let content = self.0.read();
        buf.copy_from_slice(Self::range(&content, offset..offset + buf.len() as u64)?);
        Ok(())
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        Ok(Bytes::copy_from_slice(Self::range(&self.0.read(), range)?))
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = in_memory(offset)?;
        let mut content = self.0.write();
        let end = start + data.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(data);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = in_memory(len)?;
        self.0.write().resize(len, 0);
        Ok(())
    }

    fn sync(&self, _kind: SyncKind) -> io::Result<()> {
        Ok(())
    }
}
