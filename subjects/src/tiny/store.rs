//! The open tiny store: one writer at a time, readers that never wait for it.

use std::sync::Arc;

use entidb_engine::storage::LockGuard;
use parking_lot::{Mutex, MutexGuard};
use proofhouse_model::{Client, Collection, Entropy, ErrorClass, Refusal, Settings, Store};

use super::client::TinyClient;
use super::data::Data;
use super::flaws::Flaws;
use super::log::{Log, logged_order};
use super::record::{Change, Record};

/// What all clients share.
pub(super) struct TinyStore {
    /// Held by the one write transaction from its begin to its end.
    log: Mutex<Log>,
    /// What is committed and durable. Locked for moments only, never during a call to storage.
    visible: Mutex<Visible>,
    pub(super) flaws: Flaws,
    pub(super) entropy: Entropy,
    pub(super) max_payload: usize,
    _lock: Box<dyn LockGuard>,
}

#[derive(Clone)]
pub(super) struct Visible {
    pub(super) data: Arc<Data>,
    /// The same with a part of the commit under way, for the flaw that publishes early.
    early: Option<Arc<Data>>,
    /// How many checkpoints there were, for the flaw that breaks snapshots at one.
    pub(super) checkpoints: u64,
    /// How many compactions there were, for the flaw that breaks snapshots at one.
    pub(super) compactions: u64,
}

impl Visible {
    /// What reads outside of transactions and snapshots see.
    pub(super) fn read(&self) -> &Arc<Data> {
        self.early.as_ref().unwrap_or(&self.data)
    }
}

impl TinyStore {
    pub(super) fn new(
        log: Log,
        lock: Box<dyn LockGuard>,
        data: Data,
        flaws: Flaws,
        settings: &Settings,
    ) -> Self {
        Self {
            log: Mutex::new(log),
            visible: Mutex::new(Visible {
                data: Arc::new(data),
                early: None,
                checkpoints: 0,
                compactions: 0,
            }),
            flaws,
            entropy: Entropy::new(settings),
            max_payload: settings.max_payload as usize,
            _lock: lock,
        }
    }

    /// What is committed now.
    pub(super) fn visible(&self) -> Visible {
        self.visible.lock().clone()
    }

    /// Waits until no other client writes.
    pub(super) fn writer(&self) -> MutexGuard<'_, Log> {
        self.log.lock()
    }

    /// Commits changes of entities, if there are any; answers the last sequence.
    pub(super) fn commit(&self, log: &mut Log, changes: Vec<Change>) -> Result<u64, ErrorClass> {
        if changes.is_empty() {
            return Ok(log.sequence);
        }
        let sequence = log.sequence + 1;
        self.log_and_publish(log, sequence, logged_order(self.flaws, changes))?;
        log.sequence = sequence;
        Ok(sequence)
    }

    /// Commits the creation of a collection, which takes no sequence.
    pub(super) fn create(&self, log: &mut Log, collection: Collection) -> Result<(), ErrorClass> {
        self.log_and_publish(log, log.sequence, vec![Change::Create(collection)])
    }

    /// One append, one sync, then visible.
    fn log_and_publish(
        &self,
        log: &mut Log,
        sequence: u64,
        changes: Vec<Change>,
    ) -> Result<(), ErrorClass> {
        if self.flaws.record_per_change {
            for change in &changes {
                log.append(&encode(sequence, vec![change.clone()])?)?;
            }
        } else if self.flaws.publish_before_complete && changes.len() > 1 {
            let bytes = encode(sequence, changes.clone())?;
            let mut pieces = bytes.chunks(bytes.len().div_ceil(changes.len()));
            for change in &changes {
                self.publish_early(change.clone());
                log.append(pieces.next().unwrap_or_default())?;
            }
        } else {
            log.append(&encode(sequence, changes.clone())?)?;
        }
        if !self.flaws.ack_before_sync {
            log.sync()?;
        }
        self.publish(changes);
        Ok(())
    }

    /// Makes changes visible, all at once.
    fn publish(&self, changes: Vec<Change>) {
        let mut visible = self.visible.lock();
        visible.early = None;
        let data = Arc::make_mut(&mut visible.data);
        for change in changes {
            data.apply(change);
        }
    }

    /// Makes a change visible to reads, but not yet to snapshots.
    fn publish_early(&self, change: Change) {
        let mut visible = self.visible.lock();
        let mut early = visible.early.take().unwrap_or_else(|| Arc::clone(&visible.data));
        Arc::make_mut(&mut early).apply(change);
        visible.early = Some(early);
    }

    /// Writes the store into a new log.
    pub(super) fn checkpoint(&self, log: &mut Log) -> Result<(), ErrorClass> {
        log.replace(&self.visible().data, true)?;
        self.visible.lock().checkpoints += 1;
        Ok(())
    }

    /// Writes the store into a new log: it is what a checkpoint does, and leaves out all that is
    /// not needed any more.
    pub(super) fn compact(&self, log: &mut Log) -> Result<(), ErrorClass> {
        if self.flaws.compaction_resurrects {
            let deleted = self.visible().data.deleted();
            self.publish(deleted);
        }
        log.replace(&self.visible().data, !self.flaws.compaction_not_synced)?;
        self.visible.lock().compactions += 1;
        Ok(())
    }
}

fn encode(sequence: u64, changes: Vec<Change>) -> Result<Vec<u8>, ErrorClass> {
    Record { sequence, changes }.encode().ok_or(ErrorClass::Invalid)
}

impl Store for TinyStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(TinyClient::new(self))
    }

    /// Nothing is left to do: every commit was synced.
    fn close(self: Box<Self>) -> Result<(), Refusal> {
        Ok(())
    }
}
