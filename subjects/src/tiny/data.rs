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
    /// The last content of what was deleted, for the flaw that brings it back.
    deleted: BTreeMap<(Collection, Id), Bytes>,
}

impl Data {
    pub(super) fn has(&self, collection: Collection) -> bool {
        self.collections.contains(&collection)
    }

    pub(super) fn get(&self, collection: Collection, id: Id) -> Option<&Bytes> {
        self.entities.get(&(collection, id))
    }

    pub(super) fn scan(&self, collection: Collection) -> Entities {
        let (first, last) = (Id([0; 16]), Id([0xff; 16]));
        let entities = self.entities.range((collection, first)..=(collection, last));
        entities.map(|((_, id), content)| (*id, content.clone())).collect()
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Create(collection) => {
                self.collections.insert(collection);
            }
            Change::Put(collection, id, content) => {
                self.deleted.remove(&(collection, id));
                self.entities.insert((collection, id), content);
            }
            Change::Delete(collection, id) => {
                let removed = self.entities.remove_entry(&(collection, id));
                self.deleted.extend(removed);
            }
        }
    }

    /// The changes that bring back what was deleted.
    pub(super) fn deleted(&self) -> Vec<Change> {
        let deleted = self.deleted.iter();
        deleted
            .map(|((collection, id), content)| Change::Put(*collection, *id, content.clone()))
            .collect()
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
}
