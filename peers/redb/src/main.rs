//! redb behind the line protocol, with its default durability.
//!
//! redb documents that a commit with `Durability::Immediate` is "guaranteed to be persistent as
//! soon as `WriteTransaction::commit` returns". It says nothing of a commit that was in doubt when
//! a process died and that a later open shows, so that is not promised here either.

use std::collections::BTreeMap;
use std::io::{stdin, stdout};
use std::ops::RangeBounds;
use std::path::Path;

use proofhouse_model::protocol::{ServeError, serve};
use proofhouse_model::{
    About, Capabilities, Client, Collection, Entities, ErrorClass, Id, Kept, Op, Outcome, Payload,
    Promises, Refusal, Settings, Slot, Store, Subject,
};
use redb::{
    AccessGuard, Database, Durability, Error, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition, WriteTransaction,
};

/// The number of a collection and the identity of an entity in it, compared as bytes.
type Key = [u8; 17];

const COLLECTIONS: TableDefinition<u8, ()> = TableDefinition::new("collection");
const ENTITIES: TableDefinition<Key, &[u8]> = TableDefinition::new("entity");

fn main() -> Result<(), ServeError> {
    serve(&Redb::new(), stdin().lock(), stdout().lock())
}

struct Redb {
    about: About,
}

impl Redb {
    fn new() -> Self {
        let about = About {
            name: "redb 4.4".to_owned(),
            capabilities: Capabilities {
                transactions: true,
                snapshots: true,
                clients: false,
                checkpoint: false,
                compaction: false,
                ranges: true,
                scrub: false,
                insert: false,
                sequences: false,
                canonical_payloads: false,
            },
            promises: Promises {
                after_kill: Kept::AllAcknowledged,
                after_power_loss: Kept::AllAcknowledged,
                atomic: true,
                shown_after_kill: false,
                shown_after_power_loss: false,
            },
            is_entidb: false,
        };
        Self { about }
    }
}

impl Subject<Path> for Redb {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, dir: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let db = open(dir).map_err(|error| {
            let message = error.to_string();
            Refusal { class: class(error), message }
        })?;
        Ok(Box::new(RedbStore { db, max_payload: settings.max_payload as usize }))
    }
}

/// Opens the file; a new one gets its tables in a commit of their own.
fn open(dir: &Path) -> Result<Database, Error> {
    let db = Database::create(dir.join("store.redb"))?;
    if db.begin_read()?.list_tables()?.next().is_none() {
        let txn = db.begin_write()?;
        txn.open_table(COLLECTIONS)?;
        txn.open_table(ENTITIES)?;
        txn.commit()?;
    }
    Ok(db)
}

struct RedbStore {
    db: Database,
    max_payload: usize,
}

impl Store for RedbStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(RedbClient { store: self, txn: None, slots: BTreeMap::new() })
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        // redb closes when it is dropped, and tells nobody how that went.
        Ok(())
    }
}

struct RedbClient<'a> {
    store: &'a RedbStore,
    txn: Option<WriteTransaction>,
    slots: BTreeMap<Slot, ReadTransaction>,
}

type Answer = Result<Outcome, ErrorClass>;

impl Client for RedbClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        self.answer(op).unwrap_or_else(Outcome::Failed)
    }
}

impl RedbClient<'_> {
    fn answer(&mut self, op: &Op) -> Answer {
        match op {
            Op::CreateCollection { .. } | Op::Begin if self.txn.is_some() => {
                Err(ErrorClass::Misuse)
            }
            Op::CreateCollection { collection } => self.create(*collection),
            Op::Begin => {
                self.txn = Some(self.begin()?);
                Ok(Outcome::Done)
            }
            Op::Commit => commit(self.txn.take().ok_or(ErrorClass::Misuse)?),
            Op::Abort => {
                self.txn.take().ok_or(ErrorClass::Misuse)?.abort().map_err(class)?;
                Ok(Outcome::Done)
            }
            Op::Put { .. } | Op::Delete { .. } => self.write(op),
            Op::Get { .. } | Op::GetMany { .. } | Op::Scan { .. } | Op::ScanRange { .. } => {
                match &self.txn {
                    Some(txn) => {
                        read(&txn.open_table(ENTITIES).map_err(class)?, op, |c| self.known(c))
                    }
                    None => self.read_in(&self.read_transaction()?, op),
                }
            }
            Op::Snapshot { slot } => {
                self.slots.insert(*slot, self.read_transaction()?);
                Ok(Outcome::Done)
            }
            Op::SnapshotGet { slot, .. } | Op::SnapshotScan { slot, .. } => {
                self.read_in(self.slots.get(slot).ok_or(ErrorClass::Misuse)?, op)
            }
            Op::SnapshotRelease { slot } => {
                self.slots.remove(slot);
                Ok(Outcome::Done)
            }
            Op::Insert { .. }
            | Op::Checkpoint
            | Op::Compact
            | Op::CompactStep
            | Op::Scrub
            | Op::Reopen => Err(ErrorClass::Unsupported),
        }
    }

    fn begin(&self) -> Result<WriteTransaction, ErrorClass> {
        let mut txn = self.store.db.begin_write().map_err(class)?;
        txn.set_durability(Durability::Immediate).map_err(class)?;
        Ok(txn)
    }

    fn read_transaction(&self) -> Result<ReadTransaction, ErrorClass> {
        self.store.db.begin_read().map_err(class)
    }

    fn create(&self, Collection(number): Collection) -> Answer {
        let txn = self.begin()?;
        let before = {
            let mut collections = txn.open_table(COLLECTIONS).map_err(class)?;
            collections.insert(number, ()).map_err(class)?.is_some()
        };
        if before {
            return Err(ErrorClass::Conflict);
        }
        commit(txn).map(|_| Outcome::Done)
    }

    /// That the collection exists: transactions of this client create none.
    fn known(&self, Collection(number): Collection) -> Result<(), ErrorClass> {
        let txn = self.read_transaction()?;
        let collections = txn.open_table(COLLECTIONS).map_err(class)?;
        collections.get(number).map_err(class)?.map(drop).ok_or(ErrorClass::NotFound)
    }

    /// A write in the open transaction, or in one of its own.
    fn write(&self, op: &Op) -> Answer {
        if let Some(txn) = &self.txn {
            return self.write_in(txn, op);
        }
        let txn = self.begin()?;
        self.write_in(&txn, op)?;
        commit(txn)
    }

    fn write_in(&self, txn: &WriteTransaction, op: &Op) -> Answer {
        let mut entities = txn.open_table(ENTITIES).map_err(class)?;
        match op {
            Op::Put { collection, id, payload } => {
                self.known(*collection)?;
                let content = self.acceptable(payload)?;
                entities.insert(key(*collection, *id), content.as_slice()).map_err(class)?;
                Ok(Outcome::Done)
            }
            Op::Delete { collection, id } => {
                self.known(*collection)?;
                let before = entities.remove(key(*collection, *id)).map_err(class)?;
                Ok(Outcome::Existed(before.is_some()))
            }
            _ => Err(ErrorClass::Unsupported),
        }
    }

    fn acceptable(&self, payload: &Payload) -> Result<Vec<u8>, ErrorClass> {
        let content = payload.bytes();
        if content.len() > self.store.max_payload {
            return Err(ErrorClass::Invalid);
        }
        Ok(content.into())
    }

    fn read_in(&self, txn: &ReadTransaction, op: &Op) -> Answer {
        read(&txn.open_table(ENTITIES).map_err(class)?, op, |collection| self.known(collection))
    }
}

fn commit(txn: WriteTransaction) -> Answer {
    // Whether a commit that failed survives shows only after a reopen.
    txn.commit().map_err(|_| ErrorClass::InDoubt)?;
    Ok(Outcome::Committed { sequence: None })
}

/// A read in a transaction of either kind.
fn read(
    entities: &impl ReadableTable<Key, &'static [u8]>,
    op: &Op,
    known: impl Fn(Collection) -> Result<(), ErrorClass>,
) -> Answer {
    let find = |collection, id| {
        let found = entities.get(key(collection, id)).map_err(class)?;
        Ok(found.map(|content| content.value().to_vec().into()))
    };
    match op {
        Op::Get { collection, id } | Op::SnapshotGet { collection, id, .. } => {
            known(*collection)?;
            find(*collection, *id).map(Outcome::Value)
        }
        Op::GetMany { collection, ids } => {
            known(*collection)?;
            let values = ids.iter().map(|id| find(*collection, *id)).collect::<Result<_, _>>()?;
            Ok(Outcome::Values(values))
        }
        Op::Scan { collection } | Op::SnapshotScan { collection, .. } => {
            known(*collection)?;
            scan(entities, *collection).map(Outcome::Entities).map_err(class)
        }
        Op::ScanRange { collection, from, to, descending } => {
            known(*collection)?;
            let from = key(*collection, from.unwrap_or(Id([0; 16])));
            let found = match to {
                // redb refuses what ends before it begins.
                Some(to) if key(*collection, *to) <= from => Ok(Vec::new()),
                Some(to) => range(entities, from..key(*collection, *to), *descending),
                None => range(entities, from..=key(*collection, Id([0xff; 16])), *descending),
            };
            found.map(Outcome::Entities).map_err(class)
        }
        _ => Err(ErrorClass::Unsupported),
    }
}

fn scan(
    entities: &impl ReadableTable<Key, &'static [u8]>,
    collection: Collection,
) -> Result<Entities, Error> {
    let all = key(collection, Id([0; 16]))..=key(collection, Id([0xff; 16]));
    range(entities, all, false)
}

fn range(
    entities: &impl ReadableTable<Key, &'static [u8]>,
    keys: impl RangeBounds<Key>,
    descending: bool,
) -> Result<Entities, Error> {
    let found = entities.range(keys)?;
    let shown = |entity: Result<(AccessGuard<'_, Key>, AccessGuard<'_, &'static [u8]>), _>| {
        let (key, content) = entity?;
        let mut id = [0; 16];
        id.copy_from_slice(&key.value()[1..]);
        Ok((Id(id), content.value().to_vec().into()))
    };
    if descending { found.rev().map(shown).collect() } else { found.map(shown).collect() }
}

fn key(Collection(number): Collection, Id(id): Id) -> Key {
    let mut key = [number; 17];
    key[1..].copy_from_slice(&id);
    key
}

fn class(error: impl Into<Error>) -> ErrorClass {
    match error.into() {
        Error::DatabaseAlreadyOpen => ErrorClass::Locked,
        Error::Corrupted(_) => ErrorClass::Corrupt,
        Error::UpgradeRequired(_) => ErrorClass::Foreign,
        Error::ValueTooLarge(_) => ErrorClass::Invalid,
        Error::PreviousIo => ErrorClass::Poisoned,
        Error::Unsupported => ErrorClass::Unsupported,
        _ => ErrorClass::Io,
    }
}
