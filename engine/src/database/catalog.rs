//! Which collections there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::CollectionId;

/// Collections by name and by number. A change makes a new one.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    by_name: BTreeMap<String, CollectionId>,
    numbers: BTreeSet<CollectionId>,
}

impl Catalog {
    pub(super) fn new(by_name: BTreeMap<String, CollectionId>) -> Self {
        let numbers = by_name.values().copied().collect();
        Self { by_name, numbers }
    }

    pub(super) fn contains(&self, collection: CollectionId) -> bool {
        self.numbers.contains(&collection)
    }

    pub(super) fn by_name(&self) -> &BTreeMap<String, CollectionId> {
        &self.by_name
    }
}
