//! A medium that remembers every call and can be told to fail one of them.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::Files;
use bytes::Bytes;
use entidb_engine::storage::{File, LockGuard, MemStorage, Storage, SyncKind};

/// What happens to the call that fails, and to the ones after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Index of the first call that fails.
    pub(crate) at: usize,
    /// The system's number for the error.
    pub(crate) errno: i32,
    /// Whether every later call fails, too.
    pub(crate) forever: bool,
    /// Whether the call is carried out (a write by half) before it answers with the error.
    pub(crate) carried_out: bool,
}

/// Called before each call with its verb and file, while no lock is held: it may wait, use the
/// store, or answer the error that the call then fails with.
pub(crate) type Hook = Arc<dyn Fn(&str, &str) -> io::Result<()> + Send + Sync>;

#[derive(Default)]
struct Log {
    calls: Vec<String>,
    fault: Option<Fault>,
    hook: Option<Hook>,
}

/// A medium in memory, watched. Clones share files, calls and fault.
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    inner: MemStorage,
    log: Arc<Mutex<Log>>,
}

impl Faulty {
    pub(crate) fn new(inner: MemStorage) -> Self {
        Self { inner, log: Arc::default() }
    }

    pub(crate) fn failing(inner: MemStorage, fault: Fault) -> Self {
        let faulty = Self::new(inner);
        faulty.fail(fault);
        faulty
    }

    /// Fails a call, counted from the last time calls were taken.
    pub(crate) fn fail(&self, fault: Fault) {
        self.log.lock().unwrap().fault = Some(fault);
    }

    /// Fails no call any more.
    pub(crate) fn mend(&self) {
        self.log.lock().unwrap().fault = None;
    }

    /// Fails one call, after this many more.
    pub(crate) fn fail_once_after(&self, calls: usize, errno: i32) {
        let mut log = self.log.lock().unwrap();
        let at = log.calls.len() + calls;
        log.fault = Some(Fault { at, errno, forever: false, carried_out: false });
    }

    /// Has every call from now on wait for `hook`, or for none.
    pub(crate) fn set_hook(&self, hook: Option<Hook>) {
        // A hook that is dropped may drop a store, whose lock is a call.
        let _before = std::mem::replace(&mut self.log.lock().unwrap().hook, hook);
    }

    /// Every file with its content.
    pub(crate) fn files(&self) -> Files {
        self.inner.dump()
    }

    /// Fails every call from now on.
    pub(crate) fn fail_from_now_on(&self, errno: i32) {
        let mut log = self.log.lock().unwrap();
        let at = log.calls.len();
        log.fault = Some(Fault { at, errno, forever: true, carried_out: false });
    }

    /// The calls since the last time this was asked, as `verb file`.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap().calls)
    }

    fn call<T>(
        &self,
        verb: &str,
        file: &str,
        act: impl FnOnce(bool) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut log = self.log.lock().unwrap();
        let index = log.calls.len();
        log.calls.push(format!("{verb} {file}"));
        let failing = log
            .fault
            .filter(|fault| if fault.forever { index >= fault.at } else { index == fault.at });
        let hook = log.hook.clone();
        drop(log);
        if let Some(hook) = hook {
            hook(verb, file)?;
        }
        match failing {
            None => act(false),
            Some(fault) => {
                if fault.carried_out {
                    act(true)?;
                }
                Err(io::Error::from_raw_os_error(fault.errno))
            }
        }
    }
}

impl Storage for Faulty {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = self.call("open", name, |_| self.inner.open(name))?;
        Ok(Arc::new(FaultyFile { name: name.into(), inner: file, storage: self.clone() }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = self.call("create", name, |_| self.inner.create(name))?;
        Ok(Arc::new(FaultyFile { name: name.into(), inner: file, storage: self.clone() }))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.call("create_dir", name, |_| self.inner.create_dir(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call("rename", from, |_| self.inner.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call("remove", name, |_| self.inner.remove(name))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.call("list", dir, |_| self.inner.list(dir))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.call("sync_dir", dir, |_| self.inner.sync_dir(dir))
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        self.call("lock", name, |_| self.inner.lock(name))
    }
}

struct FaultyFile {
    name: String,
    inner: Arc<dyn File>,
    storage: Faulty,
}

impl File for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.storage.call("len", &self.name, |_| self.inner.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.storage.call("read", &self.name, |_| self.inner.read_at(offset, buf))
    }

    fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.storage.call("view", &self.name, |_| self.inner.view(range))
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.storage.call("write", &self.name, |by_half| {
            let len = if by_half { data.len() / 2 } else { data.len() };
            self.inner.write_at(offset, &data[..len])
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.storage.call("set_len", &self.name, |_| self.inner.set_len(len))
    }

    fn sync(&self, kind: SyncKind) -> io::Result<()> {
        let verb = match kind {
            SyncKind::Data => "sync_data",
            SyncKind::Full => "sync_full",
        };
        self.storage.call(verb, &self.name, |_| self.inner.sync(kind))
    }
}
