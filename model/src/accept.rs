//! The acceptance rule: what a store may show after a crash.
//!
//! The recovered state must be the oracle's after `k` events, with
//! `acknowledged <= k <= issued`: an ordered prefix that holds everything acknowledged, nothing
//! that was never issued, and no part of a transaction without the rest. A subject that promises
//! less than to keep all acknowledged is due less: [`Window::promised`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::state::{Difference, State};
use crate::subject::{Kept, Refusal};

/// How far a run had come when it was stopped, in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The events that were acknowledged: these must be there.
    pub acknowledged: u64,
    /// The events that were begun: nothing beyond may be there. Not below `acknowledged`.
    pub issued: u64,
}

impl Window {
    /// What a promise makes of it: the events due are those the promise covers. `synced` is
    /// [`History::synced`] of the events issued. `None` if nothing is promised.
    pub fn promised(self, kept: Kept, synced: u64) -> Option<Self> {
        let acknowledged = kept.floor(self.acknowledged, synced)?;
        Some(Self { acknowledged, ..self })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} acknowledged, {} issued", self.acknowledged, self.issued)
    }
}

/// The smallest `k` in the window whose state is the one shown.
///
/// # Errors
/// The [`Violation`] that best tells what happened.
pub fn accept(history: &History, window: Window, shown: &State) -> Result<u64, Violation> {
    matching(history, window, shown).next().ok_or_else(|| explain(history, window, shown))
}

/// Every `k` in the window whose state is the one shown. There are several if later events undid
/// earlier ones; which of them happened shows only in the next commit's sequence.
pub fn matching<'a>(
    history: &'a History,
    window: Window,
    shown: &'a State,
) -> impl Iterator<Item = u64> + 'a {
    (window.acknowledged..=window.issued).filter(|k| history.state(*k) == Some(shown))
}

/// Tells a state that no `k` in the window has.
fn explain(history: &History, window: Window, shown: &State) -> Violation {
    let elsewhere = |(k, state): (u64, &State)| (state == shown).then_some(k);
    let matches: Vec<u64> = history.states().filter_map(elsewhere).collect();
    // What is nearest to the window is the likeliest story.
    if let Some(matches) = matches.iter().copied().rfind(|k| *k < window.acknowledged) {
        return Violation::Lost { matches, acknowledged: window.acknowledged };
    }
    if let Some(matches) = matches.first().copied() {
        return Violation::Ahead { matches, issued: window.issued };
    }
    let candidates = (window.acknowledged..=window.issued).filter_map(|k| {
        let differences = history.state(k)?.differences(shown);
        Some((k, differences))
    });
    let (nearest, differences) =
        candidates.min_by_key(|(_, differences)| differences.len()).unwrap_or_default();
    Violation::Partial { nearest, differences }
}

/// How a store broke the acceptance rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Violation {
    /// The store is as it was before something acknowledged.
    #[error("lost: shows the state after {matches} events, but {acknowledged} were acknowledged")]
    Lost {
        /// The events that are there.
        matches: u64,
        /// The events that had to be.
        acknowledged: u64,
    },
    /// The store is as it would be after something that was never asked.
    #[error("ahead: shows the state after {matches} events, but only {issued} were issued")]
    Ahead {
        /// The events that are there.
        matches: u64,
        /// The events that could be.
        issued: u64,
    },
    /// The store was never to be in this state.
    #[error(
        "partial: shows a state that never was; the nearest legal one, after {nearest} events, \
         differs: {}",
        Listed(.differences)
    )]
    Partial {
        /// The events of the state in the window that differs least.
        nearest: u64,
        /// In what the state shown differs from it.
        differences: Vec<Difference>,
    },
    /// Two ways of reading the same thing gave different answers.
    #[error("access paths disagree: {0}")]
    PathsDisagree(Disagreement),
    /// The store did not open, close or answer after a crash that it should have survived.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Opened again without any write between, the store shows something else.
    #[error("unstable: a second open shows something else: {}", Listed(.differences))]
    Unstable {
        /// In what the second state shown differs from the first.
        differences: Vec<Difference>,
    },
    /// The engine panicked.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// Which reading disagreed with which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reading} answered {got}, but {other} implies {due}")]
pub struct Disagreement {
    /// The reading at fault, or not: one of the two is wrong.
    pub reading: String,
    /// What it answered.
    pub got: String,
    /// The reading that it was compared with.
    pub other: String,
    /// What it should have answered by that.
    pub due: String,
}

/// The kind of a [`Violation`], by which it is attributed to a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// See [`Violation::Lost`].
    Lost,
    /// See [`Violation::Ahead`].
    Ahead,
    /// See [`Violation::Partial`].
    Partial,
    /// See [`Violation::PathsDisagree`].
    PathsDisagree,
    /// See [`Violation::Refused`].
    Refused,
    /// See [`Violation::Unstable`].
    Unstable,
    /// See [`Violation::Panicked`].
    Panicked,
}

impl Violation {
    /// Which kind this is.
    pub const fn kind(&self) -> ViolationKind {
        match self {
            Self::Lost { .. } => ViolationKind::Lost,
            Self::Ahead { .. } => ViolationKind::Ahead,
            Self::Partial { .. } => ViolationKind::Partial,
            Self::PathsDisagree(_) => ViolationKind::PathsDisagree,
            Self::Refused(_) => ViolationKind::Refused,
            Self::Unstable { .. } => ViolationKind::Unstable,
            Self::Panicked(_) => ViolationKind::Panicked,
        }
    }
}

/// The first few differences, and how many more there are.
struct Listed<'a>(&'a [Difference]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        for (index, difference) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{difference}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
