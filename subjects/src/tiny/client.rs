//! One client of the tiny store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use parking_lot::MutexGuard;
use proofhouse_model::{Client, Collection, Entities, ErrorClass, Id, Op, Outcome, Payload, Slot};

use super::data::Data;
use super::log::Log;
use super::record::Change;
use super::store::{TinyStore, Visible};

/// A client, with its transaction and its snapshots.
pub(super) struct TinyClient<'a> {
    store: &'a TinyStore,
    transaction: Option<Transaction<'a>>,
    slots: BTreeMap<Slot, Visible>,
}

/// An open write transaction: it keeps other writers out by holding the log.
struct Transaction<'a> {
    log: MutexGuard<'a, Log>,
    /// Cannot change meanwhile: all writers hold the log.
    committed: Arc<Data>,
    /// The last write to each entity; `None` deletes.
    writes: BTreeMap<(Collection, Id), Option<Bytes>>,
}

impl<'a> Transaction<'a> {
    /// Waits for its turn.
    fn begin(store: &'a TinyStore) -> Self {
        let log = store.writer();
        Self { log, committed: store.visible().data, writes: BTreeMap::new() }
    }

    fn get(&self, collection: Collection, id: Id) -> Option<Bytes> {
        match self.writes.get(&(collection, id)) {
            Some(written) => written.clone(),
            None => self.committed.get(collection, id).cloned(),
        }
    }

    fn scan(&self, collection: Collection) -> Entities {
        let mut entities: BTreeMap<Id, Bytes> =
            self.committed.scan(collection).into_iter().collect();
        for ((written_to, id), content) in &self.writes {
            match content {
                _ if *written_to != collection => continue,
                Some(content) => entities.insert(*id, content.clone()),
                None => entities.remove(id),
            };
        }
        entities.into_iter().collect()
    }

    /// Commits in (collection, identity) order; deletes of what is not there write nothing.
    fn commit(self, store: &TinyStore) -> Result<u64, ErrorClass> {
        let Self { mut log, committed, writes } = self;
        let changes = writes.into_iter().filter_map(|((collection, id), content)| match content {
            Some(content) => Some(Change::Put(collection, id, content)),
            None => committed.get(collection, id).map(|_| Change::Delete(collection, id)),
        });
        let changes = changes.collect();
        // Unless a snapshot shares the data, they can now be changed in place.
        drop(committed);
        let sequence = store.commit(&mut log, changes)?;
        if store.flaws.sequence_read_late {
            drop(log);
            thread::yield_now();
            return Ok(store.writer().sequence);
        }
        Ok(sequence)
    }
}

impl<'a> TinyClient<'a> {
    pub(super) const fn new(store: &'a TinyStore) -> Self {
        Self { store, transaction: None, slots: BTreeMap::new() }
    }

    fn answer(&mut self, op: &Op) -> Result<Outcome, ErrorClass> {
        match op {
            Op::CreateCollection { collection } => self.create(*collection),
            Op::Begin => {
                self.outside_transaction()?;
                self.transaction = Some(Transaction::begin(self.store));
                Ok(Outcome::Done)
            }
            Op::Commit => {
                let transaction = self.transaction.take().ok_or(ErrorClass::Misuse)?;
                Ok(Outcome::Committed { sequence: Some(transaction.commit(self.store)?) })
            }
            Op::Abort => {
                let mut transaction = self.transaction.take().ok_or(ErrorClass::Misuse)?;
                transaction.log.sequence += u64::from(self.store.flaws.sequence_skips_on_abort);
                Ok(Outcome::Done)
            }
            Op::Put { .. } | Op::Insert { .. } | Op::Delete { .. } => self.write(op),
            Op::Get { collection, id } => {
                self.known(*collection)?;
                Ok(Outcome::Value(self.get(*collection, *id)))
            }
            Op::GetMany { collection, ids } => {
                self.known(*collection)?;
                Ok(Outcome::Values(ids.iter().map(|id| self.get(*collection, *id)).collect()))
            }
            Op::Scan { collection } => {
                self.known(*collection)?;
                Ok(Outcome::Entities(self.scan(*collection)))
            }
            Op::ScanRange { collection, from, to, descending } => {
                self.known(*collection)?;
                Ok(Outcome::Entities(self.range(*collection, (*from, *to), *descending)))
            }
            Op::Snapshot { slot } => {
                self.slots.insert(*slot, self.store.visible());
                Ok(Outcome::Done)
            }
            Op::SnapshotGet { slot, collection, id } => {
                let data = self.snapshot(*slot, *collection)?;
                Ok(Outcome::Value(data.get(*collection, *id).cloned()))
            }
            Op::SnapshotScan { slot, collection } => {
                Ok(Outcome::Entities(self.snapshot(*slot, *collection)?.scan(*collection)))
            }
            Op::SnapshotRelease { slot } => {
                self.slots.remove(slot);
                Ok(Outcome::Done)
            }
            Op::Checkpoint => {
                self.outside_transaction()?;
                self.store.checkpoint(&mut self.store.writer())?;
                Ok(Outcome::Done)
            }
            Op::Compact | Op::CompactStep => {
                self.outside_transaction()?;
                self.store.compact(&mut self.store.writer())?;
                Ok(Outcome::Done)
            }
            Op::Scrub | Op::Reopen => Err(ErrorClass::Unsupported),
        }
    }

    /// Entities in identity order, or against it.
    fn range(
        &self,
        collection: Collection,
        (from, to): (Option<Id>, Option<Id>),
        descending: bool,
    ) -> Entities {
        let mut entities = self.scan(collection);
        let ends_early = descending && self.store.flaws.range_ends_early;
        let begins =
            |id: &Id| from.is_none_or(|from| if ends_early { from < *id } else { from <= *id });
        entities.retain(|(id, _)| begins(id) && to.is_none_or(|to| *id < to));
        if descending {
            entities.reverse();
        }
        entities
    }

    fn scan(&self, collection: Collection) -> Entities {
        match &self.transaction {
            Some(transaction) => transaction.scan(collection),
            None => self.store.visible().read().scan(collection),
        }
    }

    fn create(&self, collection: Collection) -> Result<Outcome, ErrorClass> {
        self.outside_transaction()?;
        let mut log = self.store.writer();
        if self.store.visible().data.has(collection) {
            return Err(ErrorClass::Conflict);
        }
        self.store.create(&mut log, collection)?;
        Ok(Outcome::Done)
    }

    /// Writes in the open transaction, or in one for this write alone.
    fn write(&mut self, op: &Op) -> Result<Outcome, ErrorClass> {
        if let Some(transaction) = &mut self.transaction {
            return write_in(self.store, transaction, op);
        }
        let mut transaction = Transaction::begin(self.store);
        let outcome = write_in(self.store, &mut transaction, op)?;
        let sequence = Some(transaction.commit(self.store)?);
        Ok(match outcome {
            Outcome::Inserted { id, .. } => Outcome::Inserted { id, sequence },
            _ => Outcome::Committed { sequence },
        })
    }

    fn get(&self, collection: Collection, id: Id) -> Option<Bytes> {
        match &self.transaction {
            Some(transaction) if self.store.flaws.key_without_collection => {
                let mut own = transaction.writes.iter().filter(|((_, written), _)| *written == id);
                own.next().map_or_else(|| transaction.get(collection, id), |(_, own)| own.clone())
            }
            Some(transaction) => transaction.get(collection, id),
            None => self.store.visible().read().get(collection, id).cloned(),
        }
    }

    /// What a snapshot holds of a collection that exists now.
    fn snapshot(&self, slot: Slot, collection: Collection) -> Result<Arc<Data>, ErrorClass> {
        let snapshot = self.slots.get(&slot).ok_or(ErrorClass::Misuse)?;
        self.known(collection)?;
        let current = self.store.visible();
        let flaws = &self.store.flaws;
        let broken = flaws.snapshot_broken_by_checkpoint
            && snapshot.checkpoints < current.checkpoints
            || flaws.compaction_ignores_snapshots && snapshot.compactions < current.compactions;
        Ok(if broken { current.data } else { Arc::clone(&snapshot.data) })
    }

    fn known(&self, collection: Collection) -> Result<(), ErrorClass> {
        known(&self.store.visible().data, collection)
    }

    const fn outside_transaction(&self) -> Result<(), ErrorClass> {
        if self.transaction.is_some() { Err(ErrorClass::Misuse) } else { Ok(()) }
    }
}

impl Client for TinyClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        self.answer(op).unwrap_or_else(Outcome::Failed)
    }
}

fn known(data: &Data, collection: Collection) -> Result<(), ErrorClass> {
    if data.has(collection) { Ok(()) } else { Err(ErrorClass::NotFound) }
}

/// Carries out a put, an insert or a delete in a transaction.
fn write_in(
    store: &TinyStore,
    transaction: &mut Transaction<'_>,
    op: &Op,
) -> Result<Outcome, ErrorClass> {
    match op {
        Op::Put { collection, id, payload } => {
            let content = acceptable(store, transaction, *collection, payload)?;
            transaction.writes.insert((*collection, *id), Some(content));
            Ok(Outcome::Done)
        }
        Op::Insert { collection, payload } => {
            let content = acceptable(store, transaction, *collection, payload)?;
            let id = draw(store, transaction, *collection)?;
            transaction.writes.insert((*collection, id), Some(content));
            Ok(Outcome::Inserted { id, sequence: None })
        }
        Op::Delete { collection, id } => {
            known(&transaction.committed, *collection)?;
            let existed = transaction.get(*collection, *id).is_some();
            transaction.writes.insert((*collection, *id), None);
            Ok(Outcome::Existed(existed))
        }
        _ => Err(ErrorClass::Unsupported),
    }
}

fn acceptable(
    store: &TinyStore,
    transaction: &Transaction<'_>,
    collection: Collection,
    payload: &Payload,
) -> Result<Bytes, ErrorClass> {
    known(&transaction.committed, collection)?;
    let content = payload.bytes();
    if content.len() > store.max_payload { Err(ErrorClass::Invalid) } else { Ok(content) }
}

/// The first identity drawn that is not live, before the entropy repeats itself.
fn draw(
    store: &TinyStore,
    transaction: &Transaction<'_>,
    collection: Collection,
) -> Result<Id, ErrorClass> {
    (0..store.entropy.period())
        .filter_map(|_| store.entropy.draw())
        .find(|id| store.flaws.insert_overwrites_live || transaction.get(collection, *id).is_none())
        .ok_or(ErrorClass::Conflict)
}
