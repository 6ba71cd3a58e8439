//! Write transactions.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::codec::{self, Limits, Profile};
use crate::error::{Error, IoContext, Result};
use crate::ids::{CollectionId, EntityId, Key};
use crate::view::Scan;

use super::core::Permit;

/// The one open write transaction. It sees its own writes over the state at its beginning, which
/// stays the newest state while it is open. Dropping it abandons it: nothing was written yet.
pub struct WriteTxn {
    permit: Permit,
    /// Effective writes only: no deletion of what was not there at the beginning.
    writes: BTreeMap<Key, Option<Bytes>>,
    bytes: u64,
}

impl WriteTxn {
    pub(super) fn new(permit: Permit) -> Self {
        Self { permit, writes: BTreeMap::new(), bytes: 0 }
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
        let draws = self.permit.core.writer.lock().ids.attempts();
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
        let ids = &mut self.permit.core.writer.lock().ids;
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

    /// A whole collection in identity order, own writes so far included.
    ///
    /// # Errors
    /// `UnknownCollection`; the items report what turns up while reading.
    pub fn scan(
        &self,
        collection: CollectionId,
    ) -> Result<impl Iterator<Item = Result<(EntityId, Bytes)>>> {
        self.permit.core.require_collection(collection)?;
        let first = Key { collection, entity: EntityId::new([0; 16]) };
        let last = Key { collection, entity: EntityId::new([0xff; 16]) };
        let own: Vec<_> = self
            .writes
            .range(first..=last)
            .map(|(key, content)| (key.entity, content.clone()))
            .collect();
        Ok(Overlay {
            base: Scan::new(self.permit.core.retain(), collection).peekable(),
            own: own.into_iter().peekable(),
        })
    }

    /// Commits and answers the commit sequence. When this returns, the transaction is durable and
    /// visible. A transaction without effect takes no sequence: the answer is the last commit's.
    ///
    /// # Errors
    /// `Io`: nothing was written, the store goes on. `InDoubt`: the transaction may or may not
    /// survive, and the handle refuses writes until the store is opened again.
    pub fn commit(self) -> Result<u64> {
        self.permit.commit(self.writes.into_iter().collect())
    }

    /// Abandons the transaction.
    pub fn abort(self) {}

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
        let (view, sequence) = self.permit.core.current();
        view.get(key, sequence)
    }

    fn set(&mut self, key: Key, content: Option<Bytes>) -> Result<()> {
        let size = |content: &Option<Bytes>| content.as_ref().map_or(0, Bytes::len) as u64;
        let before = self.writes.get(&key).map_or(0, size);
        let bytes = self.bytes - before + size(&content);
        let limit = self.permit.core.options.max_transaction;
        if bytes > limit {
            return Err(Error::TooLarge { what: "the transaction", len: bytes, limit });
        }
        if content.is_none() && self.base(&key)?.is_none() {
            self.writes.remove(&key);
        } else {
            self.writes.insert(key, content);
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// A transaction's own writes over what was there.
struct Overlay {
    base: std::iter::Peekable<Scan>,
    own: std::iter::Peekable<std::vec::IntoIter<(EntityId, Option<Bytes>)>>,
}

impl Iterator for Overlay {
    type Item = Result<(EntityId, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let own = match (self.base.peek(), self.own.peek()) {
                (Some(Err(_)), _) | (Some(_), None) => return self.base.next(),
                (Some(Ok((below, _))), Some((above, _))) if below < above => {
                    return self.base.next();
                }
                (below, Some((above, _))) => {
                    if matches!(below, Some(Ok((below, _))) if below == above) {
                        self.base.next();
                    }
                    self.own.next()?
                }
                (None, None) => return None,
            };
            if let (id, Some(content)) = own {
                return Some(Ok((id, content)));
            }
        }
    }
}
