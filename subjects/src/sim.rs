//! The simulated disk as a storage.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::{File, LockGuard, Storage, SyncKind};
use proofhouse_crash::{SimDisk, SimFile, SimLock};

/// Makes a [`SimDisk`] the engine's storage.
#[derive(Clone)]
pub struct SimStorage(SimDisk);

impl SimStorage {
    /// The storage on `disk`.
    pub fn new(disk: SimDisk) -> Self {
        Self(disk)
    }
}

impl Storage for SimStorage {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(OpenFile(self.0.open(name)?)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(OpenFile(self.0.create(name)?)))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.0.create_dir(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.0.list(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.0.sync_dir(dir)
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        Ok(Box::new(HeldLock { _lock: self.0.try_lock(name)? }))
    }
}

struct HeldLock {
    _lock: SimLock,
}

impl LockGuard for HeldLock {}

struct OpenFile(SimFile);

impl File for OpenFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.0.view(range)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self, kind: SyncKind) -> io::Result<()> {
        self.0.sync(match kind {
            SyncKind::Data => proofhouse_crash::SyncKind::Data,
            SyncKind::Full => proofhouse_crash::SyncKind::Full,
        })
    }
}
