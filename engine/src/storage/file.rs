//! Real files. The one place in the engine that touches the file system and system entropy.

use std::fs::{DirBuilder, File as OsFile, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use memmap2::MmapOptions;

use super::{File, LockGuard, ROOT, Storage, SyncKind};
use crate::ids::{EntityId, IdSource};

/// A store's directory on a local file system.
///
/// Files are created with mode 0600 and directories with 0700: only the owner reads the data.
#[derive(Debug, Clone)]
pub struct FileStorage {
    root: PathBuf,
}

impl FileStorage {
    /// The store in directory `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The store's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, name: &str) -> PathBuf {
        // Joining "." would ask for an entry inside a root that may not exist yet.
        if name == ROOT { self.root.clone() } else { self.root.join(name) }
    }

    fn take_lock(&self, name: &str) -> io::Result<HeldLock> {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = match options.open(&path) {
            // Where nothing may be written, a lock file that is there will do.
            Err(e) if is_write_refusal(&e) => {
                OpenOptions::new().read(true).open(&path).map_err(|_| e)?
            }
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(HeldLock { file }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

impl Storage for FileStorage {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let path = self.path(name);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(e) if is_write_refusal(&e) => OpenOptions::new().read(true).open(&path)?,
            opened => opened?,
        };
        Ok(Arc::new(DiskFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Arc::new(DiskFile(options.open(self.path(name))?)))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        let path = self.path(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                if path.is_dir() {
                    Ok(())
                } else {
                    Err(io::ErrorKind::NotADirectory.into())
                }
            }
            created => created,
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.path(dir))? {
            // A name that is not UTF-8 is not one of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        OsFile::open(self.path(dir))?.sync_all()
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        Ok(Box::new(self.take_lock(name)?))
    }
}

/// The medium or its permissions refuse writing, which an open for reading can live with.
fn is_write_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// An advisory lock (`flock(2)`). It belongs to the open file description, which a child process
/// that is just being started shares for a moment: closing our descriptor would not release it.
struct HeldLock {
    file: OsFile,
}

impl LockGuard for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // If this fails, closing the descriptor is left to do the same.
        let _ = self.file.unlock();
    }
}

struct DiskFile(OsFile);

impl File for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        let file_len = self.len()?;
        if range.end > file_len || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let len = usize::try_from(range.end - range.start)
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if len == 0 {
            return Ok(Bytes::new());
        }
        // SAFETY: the engine views sealed files only. They are created exclusively by the holder
        // of LOCK, never written or shortened after sealing, and removal keeps the mapped inode.
        // Another program that shortens a mapped file is outside what the engine can defend
        // against (documented in `docs/format.md`).
        let map = unsafe { MmapOptions::new().offset(range.start).len(len).map(&self.0)? };
        Ok(Bytes::from_owner(map))
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self, kind: SyncKind) -> io::Result<()> {
        match kind {
            SyncKind::Data => self.0.sync_data(),
            SyncKind::Full => self.0.sync_all(),
        }
    }
}

/// Identities from the operating system's entropy: 128 random bits each.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl IdSource for OsEntropy {
    fn next_id(&mut self) -> io::Result<EntityId> {
        let mut bytes = [0; 16];
        OsFile::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(EntityId::new(bytes))
    }
}

#[cfg(test)]
mod tests;
