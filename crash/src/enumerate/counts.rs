//! How many states were made, and how many of them needed checking.

use std::collections::{BTreeMap, HashSet};
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::{CrashState, Tier};

/// Counts of crash states, each a part of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Choices a tier made.
    pub generated: u64,
    /// Those the medium's rules allow. A choice takes along what the rules order with it, so
    /// under a profile made of orders alone this is all of them.
    pub legal: u64,
    /// Those that no earlier state equals.
    pub distinct: u64,
    /// Those a judge looked at.
    pub checked: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.generated += other.generated;
        self.legal += other.legal;
        self.distinct += other.distinct;
        self.checked += other.checked;
    }
}

/// Counts by tier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TierCounts(BTreeMap<Tier, Counts>);

impl TierCounts {
    /// The counts of a tier, for counting.
    pub fn tier(&mut self, tier: Tier) -> &mut Counts {
        self.0.entry(tier).or_default()
    }

    /// Takes note of a state: generated, legal, and distinct if `seen` did not hold it. Whether it
    /// is distinct, and so is to be checked, is returned.
    pub fn count(&mut self, state: &CrashState, seen: &mut Dedup) -> bool {
        let distinct = seen.insert(state);
        *self.tier(state.choice.tier()) +=
            Counts { generated: 1, legal: 1, distinct: u64::from(distinct), checked: 0 };
        distinct
    }

    /// Takes note that a judge looked at a state.
    pub fn checked(&mut self, state: &CrashState) {
        self.tier(state.choice.tier()).checked += 1;
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        for (tier, counts) in &other.0 {
            *self.tier(*tier) += *counts;
        }
    }

    /// The tiers that were reached, in order, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Tier, Counts)> {
        self.0.iter().map(|(tier, counts)| (*tier, *counts))
    }

    /// The sum over all tiers.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.0.values().for_each(|counts| total += *counts);
        total
    }
}

/// The states seen so far, by [`CrashState::key`]: 16 bytes a distinct state, and as much again
/// while the set grows. What else an enumeration holds does not grow with the number of states.
#[derive(Debug, Clone, Default)]
pub struct Dedup(HashSet<u128>);

impl Dedup {
    /// Adds a state; false if an equal one is there.
    pub fn insert(&mut self, state: &CrashState) -> bool {
        self.0.insert(state.key())
    }

    /// How many states are there.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
