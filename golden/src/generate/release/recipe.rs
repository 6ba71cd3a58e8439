//! How the stores of a release come about: a fixed sequence of acts, on memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use entidb_engine::storage::{File, LockGuard, MemStorage, Storage};
use entidb_engine::{AutoCheckpoint, Database, EntityId, Error, IdSource, Options};
use proofhouse_model::Payload;

/// A store, and what is due of it.
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) closed: bool,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) due: Content,
}

/// What a store holds: by name of the collection, by identity.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) sequence: u64,
    pub(super) collections: BTreeMap<&'static str, BTreeMap<[u8; 16], Vec<u8>>>,
}

/// All stores of a release.
pub(super) fn all() -> Result<Vec<Made>, Error> {
    Ok(vec![empty()?, clean()?, compacted()?, killed()?, two_logs()?])
}

fn empty() -> Result<Made, Error> {
    Acts::begin()?.close("empty", "created, a collection made, closed")
}

fn clean() -> Result<Made, Error> {
    let mut acts = Acts::begin()?;
    acts.history()?;
    acts.db.checkpoint()?;
    acts.commit(&[("c0", 1, Some(60)), ("c1", 1, None)])?;
    acts.close("clean", "commits of one and of several entities, a checkpoint, more, closed")
}

fn compacted() -> Result<Made, Error> {
    let mut acts = Acts::begin()?;
    for _ in 0..3 {
        acts.history()?;
        acts.db.checkpoint()?;
    }
    acts.commit(&[("c0", 2, None), ("c1", 9, Some(300))])?;
    acts.db.checkpoint()?;
    acts.db.compact()?;
    acts.close(
        "compacted",
        "several segments, then one version of each key and no tombstone, closed",
    )
}

fn killed() -> Result<Made, Error> {
    let mut acts = Acts::begin()?;
    acts.history()?;
    acts.db.checkpoint()?;
    acts.commit(&[("c0", 3, Some(40)), ("c0", 1, None)])?;
    acts.commit(&[("c1", 7, Some(700))])?;
    Ok(acts.kill("killed", "killed with a checkpoint behind it and commits in its log"))
}

fn two_logs() -> Result<Made, Error> {
    let mut acts = Acts::begin()?;
    acts.history()?;
    acts.db.checkpoint()?;
    acts.commit(&[("c0", 5, Some(90)), ("c1", 1, Some(50))])?;
    // Commits have moved on to the next log when sealing the earlier ones fails.
    acts.storage.refuses_segments.store(true, Ordering::Relaxed);
    let _ = acts.db.checkpoint();
    acts.commit(&[("c0", 5, None), ("c0", 6, Some(45))])?;
    acts.commit(&[("c1", 2, Some(30))])?;
    Ok(acts.kill("two-logs", "killed between the cut of a checkpoint and its end: two live logs"))
}

/// An open store, and beside it what it must hold.
struct Acts {
    storage: Memory,
    db: Database,
    due: Content,
    tag: u32,
}

impl Acts {
    fn begin() -> Result<Self, Error> {
        let storage = Memory::default();
        let options = Options {
            wal_reserve: 512,
            max_segment: 1024,
            auto_checkpoint: AutoCheckpoint::Never,
            ..Options::default()
        };
        let db = Database::open_with(Arc::new(storage.clone()), Box::new(NoIds), options)?;
        let mut acts = Self { storage, db, due: Content::default(), tag: 0 };
        for name in ["c0", "c1"] {
            acts.db.create_collection(name)?;
            acts.due.collections.insert(name, BTreeMap::new());
        }
        Ok(acts)
    }

    /// Puts that replace, a transaction over both collections, a deletion, a content of two pages.
    fn history(&mut self) -> Result<(), Error> {
        for number in 0..4 {
            self.commit(&[("c0", number, Some(30 + 20 * u32::from(number)))])?;
        }
        self.commit(&[("c0", 0, Some(64)), ("c1", 0, Some(64)), ("c1", 1, Some(20))])?;
        self.commit(&[("c0", 3, None)])?;
        self.commit(&[("c1", 4, Some(4500))])
    }

    /// One transaction: puts of so many bytes, and deletions.
    fn commit(&mut self, writes: &[(&'static str, u8, Option<u32>)]) -> Result<(), Error> {
        let mut txn = self.db.begin()?;
        for (name, number, size) in writes {
            let id = proofhouse_model::Id::nth(*number).0;
            let collection = self.db.collection(name).ok_or(Error::NoStore)?;
            let entities = self.due.collections.entry(name).or_default();
            if let Some(size) = size {
                self.tag += 1;
                let content = Payload::Entity { tag: self.tag, size: *size }.bytes();
                txn.put(collection, EntityId::new(id), content.clone())?;
                entities.insert(id, content.to_vec());
            } else {
                txn.delete(collection, EntityId::new(id))?;
                entities.remove(&id);
            }
        }
        txn.commit()?;
        self.due.sequence += 1;
        Ok(())
    }

    fn close(self, name: &'static str, meaning: &'static str) -> Result<Made, Error> {
        self.db.close()?;
        Ok(Made { name, meaning, closed: true, files: self.storage.files.dump(), due: self.due })
    }

    /// A kill leaves what was written: memory forgets nothing.
    fn kill(self, name: &'static str, meaning: &'static str) -> Made {
        Made { name, meaning, closed: false, files: self.storage.files.dump(), due: self.due }
    }
}

/// Nothing here is inserted under an identity of the engine's choosing.
struct NoIds;

impl IdSource for NoIds {
    fn next_id(&mut self) -> io::Result<EntityId> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Memory that can refuse new segments.
#[derive(Clone, Default)]
struct Memory {
    files: MemStorage,
    refuses_segments: Arc<AtomicBool>,
}

impl Storage for Memory {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.files.open(name)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        if name.starts_with("SEGMENTS/") && self.refuses_segments.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.files.create(name)
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.files.create_dir(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.files.list(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.files.sync_dir(dir)
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn LockGuard>> {
        self.files.lock(name)
    }
}
