//! What a store holds at one moment: collections of entities, as plain ordered maps.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::op::{Collection, Entities, Id};

/// The entities of one collection.
pub type Entry = BTreeMap<Id, Bytes>;

/// All collections and their entities. Clones share the collections that neither side changed.
///
/// As JSON: an object of objects, identities and contents in hex.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct State(BTreeMap<Collection, Arc<Entry>>);

impl State {
    /// The names of the collections, in order.
    pub fn collections(&self) -> impl Iterator<Item = Collection> {
        self.0.keys().copied()
    }

    /// Whether the collection exists, be it empty.
    pub fn has(&self, collection: Collection) -> bool {
        self.0.contains_key(&collection)
    }

    /// The entities of a collection, if it exists.
    pub fn collection(&self, collection: Collection) -> Option<&Entry> {
        self.0.get(&collection).map(AsRef::as_ref)
    }

    /// One entity; `None` also if its collection does not exist.
    pub fn get(&self, collection: Collection, id: Id) -> Option<&Bytes> {
        self.collection(collection)?.get(&id)
    }

    /// The entities of a collection in identity order; none if it does not exist.
    pub fn scan(&self, collection: Collection) -> Entities {
        let entities = self.collection(collection).into_iter().flatten();
        entities.map(|(id, bytes)| (*id, bytes.clone())).collect()
    }

    /// How many entities there are in all collections together.
    pub fn len(&self) -> usize {
        self.0.values().map(|entities| entities.len()).sum()
    }

    /// Whether there is no entity; there may be collections.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an empty collection; one that exists keeps its entities.
    pub fn create(&mut self, collection: Collection) {
        self.0.entry(collection).or_default();
    }

    /// Inserts or replaces an entity, creating its collection if need be.
    pub fn put(&mut self, collection: Collection, id: Id, bytes: Bytes) {
        Arc::make_mut(self.0.entry(collection).or_default()).insert(id, bytes);
    }

    /// Deletes an entity and says whether it was there.
    pub fn delete(&mut self, collection: Collection, id: Id) -> bool {
        self.0.get_mut(&collection).is_some_and(|entities| {
            entities.contains_key(&id) && Arc::make_mut(entities).remove(&id).is_some()
        })
    }

    /// In what the other state differs from this one, in (collection, identity) order.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut all: Vec<Collection> = self.collections().chain(other.collections()).collect();
        all.sort_unstable();
        all.dedup();
        let none = Entry::new();
        let mut differences = Vec::new();
        for collection in all {
            let ours = self.collection(collection);
            let theirs = other.collection(collection);
            if ours.is_some() != theirs.is_some() {
                let change = if ours.is_some() { Change::Missing } else { Change::Extra };
                differences.push(Difference { collection, id: None, change });
            }
            let (ours, theirs) = (ours.unwrap_or(&none), theirs.unwrap_or(&none));
            let mut ids: Vec<Id> = ours.keys().chain(theirs.keys()).copied().collect();
            ids.sort_unstable();
            ids.dedup();
            differences.extend(ids.into_iter().filter_map(|id| {
                let change = Change::between(ours.get(&id), theirs.get(&id))?;
                Some(Difference { collection, id: Some(id), change })
            }));
        }
        differences
    }
}

/// One respect in which a state differs from the one that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where.
    pub collection: Collection,
    /// Which entity; `None` for the collection itself.
    pub id: Option<Id>,
    /// How.
    pub change: Change,
}

/// How something differs from what was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Due, but not there.
    Missing,
    /// There, but not due.
    Extra,
    /// There with another content.
    Changed,
}

impl Change {
    fn between(due: Option<&Bytes>, shown: Option<&Bytes>) -> Option<Self> {
        match (due, shown) {
            (Some(_), None) => Some(Self::Missing),
            (None, Some(_)) => Some(Self::Extra),
            (Some(due), Some(shown)) if due != shown => Some(Self::Changed),
            _ => None,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{}/{id} ", self.collection)?,
            None => write!(f, "collection {} ", self.collection)?,
        }
        f.write_str(match self.change {
            Change::Missing => "is missing",
            Change::Extra => "should not be there",
            Change::Changed => "has another content",
        })
    }
}

/// The shape of a state in JSON.
type Text = BTreeMap<Collection, BTreeMap<Id, String>>;

impl From<State> for Text {
    fn from(state: State) -> Self {
        let collections = state.0.into_iter();
        collections
            .map(|(collection, entities)| {
                (collection, entities.iter().map(|(id, bytes)| (*id, hex::encode(bytes))).collect())
            })
            .collect()
    }
}

impl TryFrom<Text> for State {
    type Error = hex::FromHexError;

    fn try_from(text: Text) -> Result<Self, Self::Error> {
        let mut state = Self::default();
        for (collection, entities) in text {
            state.create(collection);
            for (id, content) in entities {
                state.put(collection, id, hex::decode(content)?.into());
            }
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
