//! The reference engine as a subject, over its public API only.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::storage::Storage;
use entidb_engine::{
    AutoCheckpoint, CollectionId, Compaction, CompactionState, Database, EntityId, Error, IdSource,
    OpenMode, Options, ScrubFinding, Snapshot, WriteTxn,
};
use proofhouse_model::{
    About, Capabilities, Client, Collection, Entropy, ErrorClass, Id, Kept, Op, Outcome, Promises,
    Refusal, Settings, Slot, Store,
};

use crate::place::OnStorage;

/// Bytes of one step of a compaction or a scrub: less than the smallest segment, so that there are
/// several.
const STEP: u64 = 512;

/// The reference engine.
pub struct Reference {
    about: About,
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl Reference {
    /// The engine with all it promises.
    pub fn new() -> Self {
        let about = About {
            name: "reference".into(),
            capabilities: Capabilities::ALL,
            promises: Promises {
                after_kill: Kept::AllAcknowledged,
                after_power_loss: Kept::AllAcknowledged,
                atomic: true,
                shown_after_kill: true,
                shown_after_power_loss: true,
            },
            is_entidb: true,
        };
        Self { about }
    }
}

impl OnStorage for Reference {
    fn about(&self) -> &About {
        &self.about
    }

    fn open_on(
        &self,
        storage: Arc<dyn Storage>,
        settings: &Settings,
    ) -> Result<Box<dyn Store>, Refusal> {
        let options = Options {
            mode: OpenMode::Create,
            wal_reserve: settings.wal_reserve,
            max_segment: settings.max_segment,
            max_payload: settings.max_payload,
            // Low enough that plans meet checkpoints that nobody asked for, and not lower: the
            // commit that is due for one has outgrown the reserve, so that is met, too.
            auto_checkpoint: AutoCheckpoint::AtCommit { wal_bytes: settings.wal_reserve },
            ..Options::default()
        };
        let ids = Box::new(PlannedIds(Entropy::new(settings)));
        let db = Database::open_with(storage, ids, options).map_err(|error| refusal(&error))?;
        Ok(Box::new(OpenStore { db }))
    }
}

/// The plan's entropy as the engine's source of identities.
struct PlannedIds(Entropy);

impl IdSource for PlannedIds {
    fn next_id(&mut self) -> io::Result<EntityId> {
        let id = self.0.draw().ok_or_else(|| io::Error::other("the plan has no entropy"))?;
        Ok(EntityId::new(id.0))
    }

    fn attempts(&self) -> u32 {
        // One turn through the list tries every identity there is.
        u32::try_from(self.0.period()).unwrap_or(u32::MAX)
    }
}

struct OpenStore {
    db: Database,
}

impl Store for OpenStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(Session {
            db: self.db.clone(),
            txn: None,
            slots: BTreeMap::new(),
            compaction: None,
        })
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        self.db.close().map_err(|error| refusal(&error))
    }
}

struct Session {
    db: Database,
    txn: Option<WriteTxn>,
    slots: BTreeMap<Slot, Snapshot>,
    /// What was begun by a step.
    compaction: Option<Compaction>,
}

type Answer = Result<Outcome, Error>;

impl Client for Session {
    fn apply(&mut self, op: &Op) -> Outcome {
        self.answer(op).unwrap_or_else(|error| Outcome::Failed(class(&error)))
    }
}

impl Session {
    fn answer(&mut self, op: &Op) -> Answer {
        match op {
            Op::CreateCollection { collection } => {
                self.db.create_collection(&collection.to_string()).map(|_| Outcome::Done)
            }
            Op::Begin | Op::Commit | Op::Abort => self.transaction(op),
            Op::Put { .. } | Op::Insert { .. } | Op::Delete { .. } => self.write(op),
            Op::Get { .. } | Op::GetMany { .. } | Op::Scan { .. } | Op::ScanRange { .. } => {
                self.read(op)
            }
            Op::Snapshot { slot } => {
                let snapshot = self.db.snapshot()?;
                self.slots.insert(*slot, snapshot);
                Ok(Outcome::Done)
            }
            Op::SnapshotGet { slot, .. }
            | Op::SnapshotScan { slot, .. }
            | Op::SnapshotRelease { slot } => self.read_snapshot(*slot, op),
            Op::Checkpoint => self.db.checkpoint().map(|()| Outcome::Done),
            Op::Compact | Op::CompactStep => self.compact(op),
            Op::Scrub => self.scrub(),
            Op::Reopen => Ok(Outcome::Failed(ErrorClass::Unsupported)),
        }
    }

    /// All of a compaction, or the next step of it.
    fn compact(&mut self, op: &Op) -> Answer {
        if self.txn.is_some() {
            // It refuses; and what a step has begun goes on once the transaction has ended.
            return self.db.compact().map(|()| Outcome::Done);
        }
        let under_way = self.compaction.take();
        if matches!(op, Op::Compact) {
            under_way.map_or(Ok(CompactionState::Done), Compaction::run)?;
            return self.db.compact().map(|()| Outcome::Done);
        }
        let mut compaction = under_way.map_or_else(|| self.db.compaction(), Ok)?;
        if compaction.step(STEP)? == CompactionState::Running {
            self.compaction = Some(compaction);
        }
        Ok(Outcome::Done)
    }

    /// A sidecar that a crash took is no damage: nothing that is read depends on it.
    fn scrub(&self) -> Answer {
        let mut scrub = self.db.scrub()?;
        while scrub.step(STEP)? {}
        let is_damage = |finding: &ScrubFinding| matches!(finding, ScrubFinding::Damaged(_));
        let damaged = scrub.report().findings.iter().any(is_damage);
        Ok(if damaged { Outcome::Failed(ErrorClass::Corrupt) } else { Outcome::Done })
    }

    fn transaction(&mut self, op: &Op) -> Answer {
        if matches!(op, Op::Begin) {
            self.txn = Some(self.db.begin()?);
            return Ok(Outcome::Done);
        }
        let Some(txn) = self.txn.take() else {
            return Ok(Outcome::Failed(ErrorClass::Misuse));
        };
        if matches!(op, Op::Commit) {
            return txn.commit().map(committed);
        }
        txn.abort().map(|()| Outcome::Done)
    }

    /// A write in the open transaction, or in one of its own.
    fn write(&mut self, op: &Op) -> Answer {
        if let Some(txn) = &mut self.txn {
            return write_in(&self.db, txn, op);
        }
        let mut txn = self.db.begin()?;
        match write_in(&self.db, &mut txn, op)? {
            Outcome::Inserted { id, .. } => {
                Ok(Outcome::Inserted { id, sequence: Some(txn.commit()?) })
            }
            _ => txn.commit().map(committed),
        }
    }

    fn read(&self, op: &Op) -> Answer {
        match op {
            Op::Get { collection, id } => {
                let (collection, id) = (resolve(&self.db, *collection)?, entity(*id));
                let value = match &self.txn {
                    Some(txn) => txn.get(collection, id),
                    None => self.db.get(collection, id),
                };
                value.map(Outcome::Value)
            }
            Op::GetMany { collection, ids } => {
                let collection = resolve(&self.db, *collection)?;
                let ids: Vec<EntityId> = ids.iter().map(|id| entity(*id)).collect();
                let values = match &self.txn {
                    Some(txn) => txn.get_many(collection, &ids),
                    None => self.db.get_many(collection, &ids),
                };
                values.map(Outcome::Values)
            }
            Op::Scan { collection } => {
                let collection = resolve(&self.db, *collection)?;
                match &self.txn {
                    Some(txn) => entities(txn.scan(collection)?),
                    None => entities(self.db.scan(collection)?),
                }
            }
            Op::ScanRange { collection, from, to, descending } => {
                let collection = resolve(&self.db, *collection)?;
                let from = from.map_or(Bound::Unbounded, |id| Bound::Included(entity(id)));
                let to = to.map_or(Bound::Unbounded, |id| Bound::Excluded(entity(id)));
                let scan = match &self.txn {
                    Some(txn) => txn.scan_range(collection, (from, to))?,
                    None => self.db.scan_range(collection, (from, to))?,
                };
                if *descending { entities(scan.rev()) } else { entities(scan) }
            }
            _ => Ok(Outcome::Failed(ErrorClass::Unsupported)),
        }
    }

    fn read_snapshot(&mut self, slot: Slot, op: &Op) -> Answer {
        if matches!(op, Op::SnapshotRelease { .. }) {
            self.slots.remove(&slot);
            return Ok(Outcome::Done);
        }
        let Some(snapshot) = self.slots.get(&slot) else {
            return Ok(Outcome::Failed(ErrorClass::Misuse));
        };
        match op {
            Op::SnapshotGet { collection, id, .. } => {
                let collection = resolve(&self.db, *collection)?;
                snapshot.get(collection, entity(*id)).map(Outcome::Value)
            }
            Op::SnapshotScan { collection, .. } => {
                entities(snapshot.scan(resolve(&self.db, *collection)?)?)
            }
            _ => Ok(Outcome::Failed(ErrorClass::Unsupported)),
        }
    }
}

fn write_in(db: &Database, txn: &mut WriteTxn, op: &Op) -> Answer {
    match op {
        Op::Put { collection, id, payload } => {
            txn.put(resolve(db, *collection)?, entity(*id), payload.bytes())?;
            Ok(Outcome::Done)
        }
        Op::Insert { collection, payload } => {
            let id = txn.insert(resolve(db, *collection)?, payload.bytes())?;
            Ok(Outcome::Inserted { id: Id(*id.as_bytes()), sequence: None })
        }
        Op::Delete { collection, id } => {
            txn.delete(resolve(db, *collection)?, entity(*id)).map(Outcome::Existed)
        }
        _ => Ok(Outcome::Failed(ErrorClass::Unsupported)),
    }
}

fn resolve(db: &Database, collection: Collection) -> Result<CollectionId, Error> {
    let name = collection.to_string();
    // A name that is not there has no number to report; the class is what counts here.
    db.collection(&name).ok_or(Error::NoStore)
}

fn entity(id: Id) -> EntityId {
    EntityId::new(id.0)
}

fn committed(sequence: u64) -> Outcome {
    Outcome::Committed { sequence: Some(sequence) }
}

fn entities(scan: impl Iterator<Item = Result<(EntityId, Bytes), Error>>) -> Answer {
    let found = scan.map(|item| item.map(|(id, content)| (Id(*id.as_bytes()), content)));
    Ok(Outcome::Entities(found.collect::<Result<_, _>>()?))
}

fn refusal(error: &Error) -> Refusal {
    Refusal { class: class(error), message: error.to_string() }
}

fn class(error: &Error) -> ErrorClass {
    use entidb_engine::ErrorClass as Engine;
    match error.class() {
        Engine::NotFound => ErrorClass::NotFound,
        Engine::Conflict => ErrorClass::Conflict,
        Engine::Invalid => ErrorClass::Invalid,
        Engine::Misuse => ErrorClass::Misuse,
        Engine::Corrupt => ErrorClass::Corrupt,
        Engine::Foreign => ErrorClass::Foreign,
        Engine::NewerVersion => ErrorClass::NewerVersion,
        Engine::Locked => ErrorClass::Locked,
        Engine::Io => ErrorClass::Io,
        Engine::InDoubt => ErrorClass::InDoubt,
        Engine::Poisoned => ErrorClass::Poisoned,
        Engine::NeedsRecovery => ErrorClass::NeedsRecovery,
        Engine::ReadOnly => ErrorClass::ReadOnly,
        _ => ErrorClass::Unsupported,
    }
}
