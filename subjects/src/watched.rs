//! A medium whose syncs somebody watches.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::{File, LockGuard, Storage, SyncKind};

/// Called with the file's name before each sync of a file, not of a directory; it may wait.
type BeforeSync = Arc<dyn Fn(&str) + Send + Sync>;

/// A medium that says so before it syncs a file. Clones watch the same one.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    before_sync: BeforeSync,
}

impl<S: Storage> Watched<S> {
    /// Has `before_sync` called with the file's name before each sync of a file in `inner`.
    pub fn new(inner: S, before_sync: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { inner, before_sync: Arc::new(before_sync) }
    }

    fn watched(&self, inner: Arc<dyn File>, name: &str) -> Arc<dyn File> {
        let before_sync = Arc::clone(&self.before_sync);
        Arc::new(WatchedFile { inner, name: name.into(), before_sync })
    }
}

impl<S: Storage> Storage for Watched<S> {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.inner.open(name).map(|file| self.watched(file, name))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.inner.create(name).map(|file| self.watched(file, name))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.inner.create_dir(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        self.inner.lock(name)
    }
}

struct WatchedFile {
    inner: Arc<dyn File>,
    name: String,
    before_sync: BeforeSync,
}

impl File for WatchedFile {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.inner.view(range)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync(&self, kind: SyncKind) -> io::Result<()> {
        (self.before_sync)(&self.name);
        self.inner.sync(kind)
    }
}
