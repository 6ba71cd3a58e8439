//! Real files under a process that kills itself at a chosen storage call.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use entidb_engine::storage::{File, FileStorage, LockGuard, Storage, SyncKind};
use rustix::process::{Signal, getpid, kill_process};

/// Where the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillPoint {
    /// Nowhere: the calls are only counted.
    Never,
    /// Before the call of this index, counted from 0.
    Before(u64),
    /// After the call of this index, before its result is seen.
    After(u64),
}

/// Real files; the process is killed by `SIGKILL` before or after a chosen call that can change
/// them. Calls that only read change nothing a crash could show, and are not counted.
#[derive(Clone)]
pub struct KillStorage {
    files: FileStorage,
    calls: Calls,
}

#[derive(Clone)]
struct Calls {
    point: KillPoint,
    counted: Arc<AtomicU64>,
}

impl KillStorage {
    /// The store in directory `root`, to be killed at `point`.
    pub fn new(root: &Path, point: KillPoint) -> Self {
        let calls = Calls { point, counted: Arc::default() };
        Self { files: FileStorage::new(root), calls }
    }

    /// Mutating calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.counted.load(Ordering::SeqCst)
    }

    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(KillFile { file, calls: self.calls.clone() })
    }
}

impl Calls {
    fn around<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let index = self.counted.fetch_add(1, Ordering::SeqCst);
        if self.point == KillPoint::Before(index) {
            die()?;
        }
        let result = call();
        if self.point == KillPoint::After(index) {
            die()?;
        }
        result
    }
}

/// Ends this process at once, as an operator's `kill -9` would.
fn die() -> io::Result<()> {
    kill_process(getpid(), Signal::KILL)?;
    // The signal ends every thread before the call returns to user space.
    Err(io::Error::other("SIGKILL did not end the process"))
}

impl Storage for KillStorage {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(self.files.open(name)?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.calls.around(|| self.files.create(name)).map(|file| self.wrap(file))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.calls.around(|| self.files.create_dir(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.calls.around(|| self.files.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.calls.around(|| self.files.remove(name))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.files.list(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.calls.around(|| self.files.sync_dir(dir))
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        self.calls.around(|| self.files.lock(name))
    }
}

struct KillFile {
    file: Arc<dyn File>,
    calls: Calls,
}

impl File for KillFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.file.view(range)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.calls.around(|| self.file.write_at(offset, data))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.calls.around(|| self.file.set_len(len))
    }

    fn sync(&self, kind: SyncKind) -> io::Result<()> {
        self.calls.around(|| self.file.sync(kind))
    }
}
