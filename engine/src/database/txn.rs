//! Write transactions.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use bytes::Bytes;

use crate::codec::{self, Limits, Profile};
use crate::error::{Error, IoContext, Result};
use crate::ids::{CollectionId, EntityId, Key};
use crate::memtable::Version;
use crate::range::{KeyRange, is_empty};
use crate::scan::{Scan, keys};

use super::core::Permit;
use super::log::Base;
use super::writes::{self, Writes};

/// Above every sequence a commit can have: a transaction's own writes hide all others.
const OWN: u64 = u64::MAX;

/// The one open write transaction. It sees its own writes over the state at its beginning, which
/// stays the newest state while it is open. Dropping it abandons it: nothing was written yet.
///
/// The state at its beginning may hold commits of other threads that are not synced yet. So what
/// a transaction reads is certain only once [`WriteTxn::commit`] or [`WriteTxn::abort`] has
/// answered: both wait until that state is durable, and say so if it will not be.
pub struct WriteTxn {
    permit: Permit,
    base: Base,
    /// Effective writes only: no deletion of what was not there at the beginning.
    writes: Writes,
    bytes: u64,
}

impl WriteTxn {
    pub(super) fn new(permit: Permit) -> Self {
        let base = permit.core.log.base();
        Self { permit, base, writes: Writes::default(), bytes: 0 }
    }

    /// Inserts or replaces an entity.
    ///
    /// # Errors
    /// `UnknownCollection`, `TooLarge`, `Payload` if it is not strict canonical CBOR. The
    /// transaction stays open and unchanged.
    pub fn put(&mut self, collection: CollectionId, id: EntityId, payload: Bytes) -> Result<()> {
        self.check_payload(collection, &payload)?;
        self.set(Key { collection, entity: id }, Some(payload))
    }

    /// Stores an entity under a new identity from the store's [`crate::IdSource`], never one that
    /// is live in the collection.
    ///
    /// # Errors
    /// As [`WriteTxn::put`]; `IdsExhausted` if the source kept repeating live identities; `Io` if
    /// the source failed.
    pub fn insert(&mut self, collection: CollectionId, payload: Bytes) -> Result<EntityId> {
        self.check_payload(collection, &payload)?;
        let draws = self.permit.core.ids.lock().attempts();
        for _ in 0..draws {
            let id = self.draw()?;
            if self.get(collection, id)?.is_none() {
                self.set(Key { collection, entity: id }, Some(payload))?;
                return Ok(id);
            }
        }
        Err(Error::IdsExhausted { draws })
    }

    fn draw(&self) -> Result<EntityId> {
        let mut ids = self.permit.core.ids.lock();
        ids.next_id().at("draw an identity", "entropy source")
    }

    /// Deletes an entity and answers whether it was there.
    ///
    /// # Errors
    /// `UnknownCollection`; `Corrupt` if the stored record does not verify.
    pub fn delete(&mut self, collection: CollectionId, id: EntityId) -> Result<bool> {
        let existed = self.get(collection, id)?.is_some();
        if existed {
            self.set(Key { collection, entity: id }, None)?;
        }
        Ok(existed)
    }

    /// The content of an entity, own writes included.
    ///
    /// # Errors
    /// `UnknownCollection`; `Corrupt` if the stored record does not verify.
    pub fn get(&self, collection: CollectionId, id: EntityId) -> Result<Option<Bytes>> {
        self.permit.core.require_collection(collection)?;
        self.read(&Key { collection, entity: id })
    }

    /// The contents of several entities, in the order asked, own writes included.
    ///
    /// # Errors
    /// As [`WriteTxn::get`].
    pub fn get_many(
        &self,
        collection: CollectionId,
        ids: &[EntityId],
    ) -> Result<Vec<Option<Bytes>>> {
        self.permit.core.require_collection(collection)?;
        ids.iter().map(|id| self.read(&Key { collection, entity: *id })).collect()
    }

    /// A whole collection in identity order, or backwards with [`Iterator::rev`], own writes so
    /// far included. Later ones do not show.
    ///
    /// # Errors
    /// `UnknownCollection`; the items report what turns up while reading.
    pub fn scan(&self, collection: CollectionId) -> Result<Scan> {
        self.scan_range(collection, ..)
    }

    /// The entities of a collection whose identities are within a range, as [`WriteTxn::scan`].
    ///
    /// # Errors
    /// As [`WriteTxn::scan`].
    pub fn scan_range(
        &self,
        collection: CollectionId,
        ids: impl RangeBounds<EntityId>,
    ) -> Result<Scan> {
        self.permit.core.require_collection(collection)?;
        let range = keys(collection, &ids);
        // Commits become visible meanwhile, but none that is not in `base`: what is laid over
        // them makes the same of every key, however many of them the scan shows already.
        Ok(Scan::new(self.permit.core.retain(), self.above_readers(range), range))
    }

    /// What this transaction sees within a range and readers may not: commits on their way, and
    /// its own writes above them.
    fn above_readers(&self, range: KeyRange) -> Vec<(Key, Version)> {
        if is_empty(&range) {
            return Vec::new();
        }
        let commits = self.base.unsynced.iter().flat_map(|commit| &commit.writes);
        let commits = commits.map(|(key, content)| (key, content));
        let commits = commits.filter(|(key, _)| range.contains(*key));
        let mut newest = BTreeMap::new();
        for (key, content) in commits.chain(self.writes.range(range)) {
            newest.insert(*key, Version { sequence: OWN, content: content.clone() });
        }
        newest.into_iter().collect()
    }

    /// Commits and answers the commit sequence. When this returns, the transaction is durable and
    /// visible. A transaction without effect takes no sequence: the answer is the last commit's.
    /// The next write transaction can begin while this waits for the medium.
    ///
    /// # Errors
    /// `Io`: nothing was written, the store goes on. `InDoubt`: the transaction, or a commit it was
    /// begun on, may or may not survive, and the handle refuses writes until the store is opened
    /// again.
    pub fn commit(self) -> Result<u64> {
        let Self { permit, base, writes, .. } = self;
        permit.commit(&base, writes.into_ascending())
    }

    /// Abandons the transaction, and returns once the commits it was begun on are durable.
    ///
    /// # Errors
    /// `InDoubt`: one of them may or may not survive, and so what this transaction has read.
    pub fn abort(self) -> Result<()> {
        let Self { permit, base, .. } = self;
        permit.commit(&base, Vec::new()).map(drop)
    }

    fn check_payload(&self, collection: CollectionId, payload: &[u8]) -> Result<()> {
        self.permit.core.require_collection(collection)?;
        let limit = self.permit.core.options.max_payload;
        if payload.len() > limit as usize {
            let (what, len) = ("an entity", payload.len() as u64);
            return Err(Error::TooLarge { what, len, limit: limit.into() });
        }
        codec::validate(payload, Profile::Standard, &Limits::default())?;
        Ok(())
    }

    fn read(&self, key: &Key) -> Result<Option<Bytes>> {
        match self.writes.get(key) {
            Some(content) => Ok(content.clone()),
            None => self.base(key),
        }
    }

    fn base(&self, key: &Key) -> Result<Option<Bytes>> {
        match self.base.content(key) {
            Some(content) => Ok(content.clone()),
            // Nothing but what `base` holds can become visible while this transaction is open.
            None => self.permit.core.front().view.newest(key),
        }
    }

    fn set(&mut self, key: Key, content: Option<Bytes>) -> Result<()> {
        if content.is_none() && self.base(&key)?.is_none() {
            self.bytes -= self.writes.content_len(&key);
            self.writes.remove(&key);
            return Ok(());
        }
        let limit = self.permit.core.options.max_transaction;
        let bytes = self.bytes + writes::len(content.as_ref());
        if bytes > limit {
            // It may still fit in the place of what it replaces.
            let bytes = bytes - self.writes.content_len(&key);
            if bytes > limit {
                return Err(Error::TooLarge { what: "the transaction", len: bytes, limit });
            }
        }
        self.bytes = bytes - self.writes.set(key, content);
        Ok(())
    }
}
