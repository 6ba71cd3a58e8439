//! Snapshots: the store as of one commit.

use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::ids::{CollectionId, EntityId, Key};
use crate::readers::Reading;
use crate::scan::{Scan, keys};

use super::core::Core;

/// The store as of one commit sequence, for as long as it is held. It holds the memtable and
/// files it reads from; nobody waits for it and it waits for nobody.
pub struct Snapshot {
    core: Arc<Core>,
    reading: Arc<Reading>,
}

impl Snapshot {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::clone(core), reading: core.retain() }
    }

    /// The commit sequence this is a view of.
    pub fn sequence(&self) -> u64 {
        self.reading.sequence
    }

    /// The content of an entity.
    ///
    /// # Errors
    /// `UnknownCollection`; `Corrupt` if the stored record does not verify.
    pub fn get(&self, collection: CollectionId, id: EntityId) -> Result<Option<Bytes>> {
        self.core.require_collection(collection)?;
        self.reading.view.get(&Key { collection, entity: id }, self.reading.sequence)
    }

    /// The contents of several entities, in the order asked.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn get_many(
        &self,
        collection: CollectionId,
        ids: &[EntityId],
    ) -> Result<Vec<Option<Bytes>>> {
        self.core.require_collection(collection)?;
        let Reading { view, sequence, .. } = &*self.reading;
        ids.iter().map(|id| view.get(&Key { collection, entity: *id }, *sequence)).collect()
    }

    /// A whole collection in identity order, or backwards with [`Iterator::rev`]. The iterator may
    /// outlive the snapshot, and goes on showing the same state.
    ///
    /// # Errors
    /// `UnknownCollection`; the items report what turns up while reading.
    pub fn scan(&self, collection: CollectionId) -> Result<Scan> {
        self.scan_range(collection, ..)
    }

    /// The entities of a collection whose identities are within a range, as [`Snapshot::scan`].
    ///
    /// # Errors
    /// As [`Snapshot::scan`].
    pub fn scan_range(
        &self,
        collection: CollectionId,
        ids: impl RangeBounds<EntityId>,
    ) -> Result<Scan> {
        self.core.require_collection(collection)?;
        Ok(Scan::new(Arc::clone(&self.reading), Vec::new(), keys(collection, &ids)))
    }
}
