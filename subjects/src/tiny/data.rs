//! What the tiny store holds in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proofhouse_model::{Collection, Entities, Id};

use super::record::Change;

/// All entities in one ordered map.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    collections: BTreeSet<Collection>,
    entities: BTreeMap<(Collection, Id), Bytes>,
    /// The flaw of that name.
    key_without_collection: bool,
}

impl Data {
    pub(super) fn new(key_without_collection: bool) -> Self {
        Self { key_without_collection, ..Self::default() }
    }

    fn key(&self, collection: Collection, id: Id) -> (Collection, Id) {
        let part = if self.key_without_collection { Collection(0) } else { collection };
        (part, id)
    }

    pub(super) fn has(&self, collection: Collection) -> bool {
        self.collections.contains(&collection)
    }

    pub(super) fn get(&self, collection: Collection, id: Id) -> Option<&Bytes> {
        self.entities.get(&self.key(collection, id))
    }

    pub(super) fn scan(&self, collection: Collection) -> Entities {
        let first = self.key(collection, Id([0; 16]));
        let last = self.key(collection, Id([0xff; 16]));
        let entities = self.entities.range(first..=last);
        entities.map(|((_, id), content)| (*id, content.clone())).collect()
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Create(collection) => {
                self.collections.insert(collection);
            }
            Change::Put(collection, id, content) => {
                self.entities.insert(self.key(collection, id), content);
            }
            Change::Delete(collection, id) => {
                self.entities.remove(&self.key(collection, id));
            }
        }
    }

    /// The changes that make an empty store equal to this one.
    pub(super) fn as_changes(&self) -> Vec<Change> {
        let created = self.collections.iter().map(|collection| Change::Create(*collection));
        let put = self
            .entities
            .iter()
            .map(|((collection, id), content)| Change::Put(*collection, *id, content.clone()));
        created.chain(put).collect()
    }

    /// The flaw `id_changed_on_rewrite`.
    pub(super) fn change_first_ids(&mut self) {
        for collection in self.collections.clone() {
            if let Some((id, content)) = self.scan(collection).into_iter().next() {
                self.apply(Change::Delete(collection, id));
                let mut other = id;
                other.0[7] ^= 1;
                self.apply(Change::Put(collection, other, content));
            }
        }
    }
}
