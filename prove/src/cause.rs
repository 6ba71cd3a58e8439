//! Causes: failing crash states sorted by what was lost and which order would have kept it.
//!
//! One missing sync makes thousands of states fail. A cause counts those that have the operation
//! and the missing order in common, and keeps one of them to be seen again.

#[cfg(test)]
mod tests;

use std::fmt;

use proofhouse_crash::{Choice, Class};
use proofhouse_model::Plan;
use serde::{Deserialize, Serialize};

/// What failing states have in common, and one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// What was lost, and what would have kept it.
    pub class: Class,
    /// How many distinct states it made fail.
    pub states: u64,
    /// One of them: the crash of each life, in order.
    pub choices: Vec<Choice>,
    /// The plan whose crashes these are, where it is not the one of the whole case.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::case::plan::serialize_some",
        deserialize_with = "crate::case::plan::deserialize_some"
    )]
    pub plan: Option<Plan>,
}

/// Causes in the order they were first met.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Causes(Vec<Cause>);

impl Causes {
    /// Counts a failing state; `choices` tells the first of each class.
    pub fn count(&mut self, class: Class, choices: impl FnOnce() -> Vec<Choice>) {
        match self.0.iter_mut().find(|cause| cause.class == class) {
            Some(cause) => cause.states += 1,
            None => self.0.push(Cause { class, states: 1, choices: choices(), plan: None }),
        }
    }

    /// Adds the causes of crashes of a plan.
    pub fn merge(&mut self, plan: &Plan, causes: &Self) {
        for cause in &causes.0 {
            match self.0.iter_mut().find(|known| known.class == cause.class) {
                Some(known) => known.states += cause.states,
                None => self.0.push(Cause { plan: Some(plan.clone()), ..cause.clone() }),
            }
        }
    }

    /// All of them, most frequent first; of equally frequent ones, the first met.
    pub fn by_frequency(self) -> Vec<Cause> {
        let mut causes = self.0;
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.states));
        causes
    }

    /// The classes, first met first.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.0.iter().map(|cause| &cause.class)
    }
}

impl fmt::Display for Cause {
    /// `12 states: write wal-#.log: content pending at acknowledgement`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.states == 1 { "" } else { "s" };
        write!(f, "{} state{plural}: {}", self.states, self.class)
    }
}
