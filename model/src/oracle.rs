//! The oracle: what is due, computed in the plainest way there is.
//!
//! Ordered maps and clones; no log, no versions, no clever sharing beyond [`State`]'s own. It has
//! one client: the isolation of several is judged from histories, not by stepping along.

mod subject;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::op::{Collection, Entities, Id, Op, Slot};
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::Settings;
use crate::state::State;
use crate::subject::Capabilities;

pub use subject::{OraclePlace, OracleSubject};

/// The state machine that judges a subject's outcomes.
#[derive(Debug, Clone)]
pub struct Oracle {
    entropy: Vec<Id>,
    max_payload: usize,
    capabilities: Capabilities,
    committed: State,
    sequence: u64,
    events: u64,
    draws: u64,
    transaction: Option<Transaction>,
    slots: BTreeMap<Slot, State>,
}

/// An open transaction: what it reads, and what it will have written.
#[derive(Debug, Clone)]
struct Transaction {
    view: State,
    /// The last write to each entity: its content, or `None` if deleted.
    writes: BTreeMap<(Collection, Id), Option<Bytes>>,
}

impl Oracle {
    /// An empty store.
    pub fn new(settings: &Settings, capabilities: Capabilities) -> Self {
        Self::from_state(settings, capabilities, State::default(), 0)
    }

    /// A store that holds `state` and whose last commit took `sequence` (0: none did). Its events
    /// are counted from here.
    pub fn from_state(
        settings: &Settings,
        capabilities: Capabilities,
        state: State,
        sequence: u64,
    ) -> Self {
        Self {
            entropy: settings.entropy.clone(),
            max_payload: settings.max_payload as usize,
            capabilities,
            committed: state,
            sequence,
            events: 0,
            draws: 0,
            transaction: None,
            slots: BTreeMap::new(),
        }
    }

    /// What is committed.
    pub const fn state(&self) -> &State {
        &self.committed
    }

    /// How many events there were: collections created and commits that changed something.
    ///
    /// A put is a change even if the content stays the same. A transaction whose net effect is
    /// the deletion of absent entities changes nothing.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The sequence of the last commit that changed something; 0 if there was none. Dense:
    /// creating a collection takes none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many identities were drawn, skipped ones included; see [`Settings::after_draws`].
    pub const fn draws(&self) -> u64 {
        self.draws
    }

    /// Whether a transaction is open.
    pub const fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// What the client's reads see: its own writes included.
    pub fn view(&self) -> &State {
        self.transaction.as_ref().map_or(&self.committed, |transaction| &transaction.view)
    }

    /// What a snapshot slot holds.
    pub fn slot(&self, slot: Slot) -> Option<&State> {
        self.slots.get(&slot)
    }

    /// Carries out one operation and answers what is due.
    pub fn step(&mut self, op: &Op) -> Outcome {
        if !self.capabilities.offer(op) {
            return Outcome::Failed(ErrorClass::Unsupported);
        }
        self.answer(op).unwrap_or_else(Outcome::Failed)
    }

    fn answer(&mut self, op: &Op) -> Result<Outcome, ErrorClass> {
        Ok(match op {
            Op::CreateCollection { collection } => self.create(*collection)?,
            Op::Begin => self.begin()?,
            Op::Commit => self.commit()?,
            Op::Abort => {
                self.transaction.take().ok_or(ErrorClass::Misuse)?;
                Outcome::Done
            }
            Op::Put { collection, id, payload } => self.put(*collection, *id, payload)?,
            Op::Insert { collection, payload } => self.insert(*collection, payload)?,
            Op::Delete { collection, id } => self.delete(*collection, *id)?,
            Op::Get { collection, id } => {
                self.known(*collection)?;
                Outcome::Value(self.view().get(*collection, *id).cloned())
            }
            Op::GetMany { collection, ids } => {
                self.known(*collection)?;
                let view = self.view();
                Outcome::Values(ids.iter().map(|id| view.get(*collection, *id).cloned()).collect())
            }
            Op::Scan { collection } => {
                self.known(*collection)?;
                Outcome::Entities(self.view().scan(*collection))
            }
            Op::ScanRange { collection, from, to, descending } => {
                self.known(*collection)?;
                Outcome::Entities(range(self.view().scan(*collection), *from, *to, *descending))
            }
            Op::Snapshot { slot } => {
                self.slots.insert(*slot, self.committed.clone());
                Outcome::Done
            }
            Op::SnapshotGet { slot, collection, id } => {
                let snapshot = self.snapshot(*slot, *collection)?;
                Outcome::Value(snapshot.get(*collection, *id).cloned())
            }
            Op::SnapshotScan { slot, collection } => {
                Outcome::Entities(self.snapshot(*slot, *collection)?.scan(*collection))
            }
            Op::SnapshotRelease { slot } => {
                self.slots.remove(slot);
                Outcome::Done
            }
            Op::Checkpoint | Op::Compact | Op::CompactStep | Op::Scrub => {
                self.outside_transaction()?;
                Outcome::Done
            }
            Op::Reopen => {
                self.transaction = None;
                self.slots.clear();
                Outcome::Done
            }
        })
    }

    fn create(&mut self, collection: Collection) -> Result<Outcome, ErrorClass> {
        self.outside_transaction()?;
        if self.committed.has(collection) {
            return Err(ErrorClass::Conflict);
        }
        self.committed.create(collection);
        self.events += 1;
        Ok(Outcome::Done)
    }

    fn begin(&mut self) -> Result<Outcome, ErrorClass> {
        self.outside_transaction()?;
        let view = self.committed.clone();
        self.transaction = Some(Transaction { view, writes: BTreeMap::new() });
        Ok(Outcome::Done)
    }

    fn commit(&mut self) -> Result<Outcome, ErrorClass> {
        let transaction = self.transaction.take().ok_or(ErrorClass::Misuse)?;
        let changes = transaction.writes.iter().any(|((collection, id), content)| {
            content.is_some() || self.committed.get(*collection, *id).is_some()
        });
        if changes {
            self.committed = transaction.view;
            self.advance();
        }
        Ok(Outcome::Committed { sequence: self.shown_sequence() })
    }

    fn put(
        &mut self,
        collection: Collection,
        id: Id,
        payload: &Payload,
    ) -> Result<Outcome, ErrorClass> {
        let content = self.acceptable(collection, payload)?;
        if self.write(collection, id, content) {
            return Ok(Outcome::Done);
        }
        Ok(Outcome::Committed { sequence: self.shown_sequence() })
    }

    fn insert(&mut self, collection: Collection, payload: &Payload) -> Result<Outcome, ErrorClass> {
        let content = self.acceptable(collection, payload)?;
        let id = self.draw_absent(collection)?;
        let in_transaction = self.write(collection, id, content);
        let sequence = if in_transaction { None } else { self.shown_sequence() };
        Ok(Outcome::Inserted { id, sequence })
    }

    fn delete(&mut self, collection: Collection, id: Id) -> Result<Outcome, ErrorClass> {
        self.known(collection)?;
        if let Some(transaction) = &mut self.transaction {
            transaction.writes.insert((collection, id), None);
            return Ok(Outcome::Existed(transaction.view.delete(collection, id)));
        }
        if self.committed.delete(collection, id) {
            self.advance();
        }
        Ok(Outcome::Committed { sequence: self.shown_sequence() })
    }

    /// Writes into the transaction, if there is one, and says so; else commits the write.
    fn write(&mut self, collection: Collection, id: Id, content: Bytes) -> bool {
        if let Some(transaction) = &mut self.transaction {
            transaction.view.put(collection, id, content.clone());
            transaction.writes.insert((collection, id), Some(content));
            return true;
        }
        self.committed.put(collection, id, content);
        self.advance();
        false
    }

    /// The first draw that is not live, among as many draws as the list is long.
    fn draw_absent(&mut self, collection: Collection) -> Result<Id, ErrorClass> {
        for _ in 0..self.entropy.len() {
            let index = usize::try_from(self.draws % self.entropy.len() as u64).unwrap_or_default();
            self.draws += 1;
            let id = self.entropy[index];
            if self.view().get(collection, id).is_none() {
                return Ok(id);
            }
        }
        Err(ErrorClass::Conflict)
    }

    /// The content, if its collection is known and its size and form are acceptable: checked in
    /// this order.
    fn acceptable(&self, collection: Collection, payload: &Payload) -> Result<Bytes, ErrorClass> {
        self.known(collection)?;
        let content = payload.bytes();
        let canonical = payload.is_canonical() || !self.capabilities.canonical_payloads;
        if content.len() > self.max_payload || !canonical {
            return Err(ErrorClass::Invalid);
        }
        Ok(content)
    }

    fn known(&self, collection: Collection) -> Result<(), ErrorClass> {
        if self.committed.has(collection) { Ok(()) } else { Err(ErrorClass::NotFound) }
    }

    /// What a slot holds. The slot is checked first; then the collection must exist now: one that
    /// is younger than the snapshot is empty in it.
    fn snapshot(&self, slot: Slot, collection: Collection) -> Result<&State, ErrorClass> {
        let snapshot = self.slots.get(&slot).ok_or(ErrorClass::Misuse)?;
        self.known(collection)?;
        Ok(snapshot)
    }

    const fn outside_transaction(&self) -> Result<(), ErrorClass> {
        if self.in_transaction() { Err(ErrorClass::Misuse) } else { Ok(()) }
    }

    const fn advance(&mut self) {
        self.sequence += 1;
        self.events += 1;
    }

    fn shown_sequence(&self) -> Option<u64> {
        self.capabilities.sequences.then_some(self.sequence)
    }
}

/// Of entities in identity order, those from `from` on and before `to`.
pub(crate) fn range(
    mut entities: Entities,
    from: Option<Id>,
    to: Option<Id>,
    descending: bool,
) -> Entities {
    let is_within = |id: Id| from.is_none_or(|from| from <= id) && to.is_none_or(|to| id < to);
    entities.retain(|(id, _)| is_within(*id));
    if descending {
        entities.reverse();
    }
    entities
}

#[cfg(test)]
mod tests;
