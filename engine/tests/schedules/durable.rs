//! A medium in memory that remembers what was synced: power loss takes everything else.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::{File, LockGuard, MemStorage, ROOT, Storage, SyncKind};
use shuttle::sync::Mutex;

/// Files with two states each: what the process sees, and what a power loss leaves. Clones share
/// them.
#[derive(Clone, Default)]
pub(crate) struct Durable {
    seen: MemStorage,
    kept: Arc<Mutex<Kept>>,
}

/// What a power loss leaves, in the worst case the engine must live with: nothing of a file beyond
/// its last sync, no entry of a directory beyond the directory's.
#[derive(Default)]
struct Kept {
    /// Contents as of each file's last sync, by the file's identity.
    contents: BTreeMap<u64, Vec<u8>>,
    /// Which file stands under which name, as the process sees it and as it is durable.
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    files: u64,
    fails: bool,
}

impl Durable {
    /// The medium after a power loss now.
    pub(crate) fn after_power_loss(&self) -> Self {
        let (contents, names) = {
            let kept = self.kept.lock().unwrap();
            (kept.contents.clone(), kept.durable_names.clone())
        };
        let content = |file: &u64| contents.get(file).cloned().unwrap_or_default();
        let files: BTreeMap<String, Vec<u8>> =
            names.iter().map(|(name, file)| (name.clone(), content(file))).collect();
        let kept = Kept {
            contents,
            names: names.clone(),
            files: names.values().max().map_or(0, |most| most + 1),
            durable_names: names,
            fails: false,
        };
        Self { seen: MemStorage::restore(&files), kept: Arc::new(Mutex::new(kept)) }
    }

    /// The segments that are there, as the process sees it.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.seen.list("SEGMENTS").unwrap()
    }

    /// From now on, no sync of a WAL's content succeeds.
    pub(crate) fn fail_syncs_of_commits(&self) {
        self.kept.lock().unwrap().fails = true;
    }

    fn file(&self, inner: Arc<dyn File>, name: &str) -> Arc<dyn File> {
        let file = self.kept.lock().unwrap().names.get(name).copied().unwrap_or_default();
        let is_wal = name.starts_with("wal-");
        Arc::new(DurableFile { inner, file, is_wal, kept: Arc::clone(&self.kept) })
    }
}

impl Storage for Durable {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.seen.open(name).map(|file| self.file(file, name))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = self.seen.create(name)?;
        {
            let mut kept = self.kept.lock().unwrap();
            kept.files += 1;
            let number = kept.files;
            kept.names.insert(name.into(), number);
        }
        Ok(self.file(file, name))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.seen.create_dir(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.seen.rename(from, to)?;
        let mut kept = self.kept.lock().unwrap();
        if let Some(file) = kept.names.remove(from) {
            kept.names.insert(to.into(), file);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.seen.remove(name)?;
        self.kept.lock().unwrap().names.remove(name);
        Ok(())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.seen.list(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let within = |name: &str| name.rsplit_once('/').map_or(ROOT, |(parent, _)| parent) == dir;
        let mut kept = self.kept.lock().unwrap();
        kept.durable_names.retain(|name, _| !within(name));
        let now: Vec<_> = kept.names.clone().into_iter().filter(|(name, _)| within(name)).collect();
        kept.durable_names.extend(now);
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        self.seen.lock(name)
    }
}

struct DurableFile {
    inner: Arc<dyn File>,
    file: u64,
    is_wal: bool,
    kept: Arc<Mutex<Kept>>,
}

impl File for DurableFile {
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
        // Covers what was written before it began.
        let mut content = vec![0; usize::try_from(self.inner.len()?).unwrap_or_default()];
        self.inner.read_at(0, &mut content)?;
        let mut kept = self.kept.lock().unwrap();
        if kept.fails && self.is_wal && kind == SyncKind::Data {
            return Err(io::Error::other("this sync fails"));
        }
        kept.contents.insert(self.file, content);
        Ok(())
    }
}
