//! Every state the tiers ask for that a crash during a trace could leave, in a fixed order.

mod choice;
mod class;
mod counts;
mod fared;
mod frontier;
mod minimise;
mod tiers;

use std::collections::VecDeque;

use xxhash_rust::xxh3::xxh3_128;

pub use choice::{BadChoice, Choice, Exception, Explained, Fate, Part, Rest};
pub use class::{Class, Missing, Site};
pub use counts::{Counts, Dedup, TierCounts};
pub use fared::Fared;
pub use minimise::minimise;
pub use tiers::{PowerLoss, Random, Tier, Tiers};

use crate::media::Profile;
use crate::trace::{MicroOp, Trace};
use crate::tree::Tree;
use frontier::Frontier;

/// What ended a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashKind {
    /// The process died; what it wrote is still in the page cache, as little durable as before.
    ProcessKill,
    /// The machine lost power; what was not durable may be gone.
    PowerLoss,
}

/// What the next life finds.
#[derive(Debug, Clone)]
pub struct CrashState {
    /// How many operations of this life had happened.
    pub at: usize,
    /// What ended it.
    pub kind: CrashKind,
    /// What is durable; after a power loss also what is visible.
    pub base: Tree,
    /// What is visible and not durable: operations in order; none after a power loss.
    pub pending: Vec<MicroOp>,
    /// The largest event acknowledged before the crash.
    pub acked: u64,
    /// The largest event issued before the crash.
    pub issued: u64,
    /// How many events an open of this life had shown, if one had returned.
    pub shown: Option<u64>,
    /// What rebuilds this state from the trace.
    pub choice: Choice,
}

impl CrashState {
    /// What the next life sees.
    pub fn visible(&self) -> Tree {
        let mut tree = self.base.clone();
        self.pending.iter().for_each(|op| tree.apply(op));
        tree
    }

    /// A digest of all the next life can find out and all that is due of it; equal for states
    /// that need to be checked only once.
    pub fn key(&self) -> u128 {
        let mut seen = Vec::with_capacity(256);
        if self.pending.is_empty() {
            seen.extend(self.base.digest().to_le_bytes());
        } else {
            // What pending operations meet depends on inodes, named or not.
            seen.extend(self.base.identity_digest().to_le_bytes());
            for op in &self.pending {
                op.digest_into(&mut seen);
            }
        }
        seen.extend(self.acked.to_le_bytes());
        seen.extend(self.issued.to_le_bytes());
        seen.push(u8::from(self.shown.is_some()));
        seen.extend(self.shown.unwrap_or_default().to_le_bytes());
        xxh3_128(&seen)
    }
}

/// Enumerates the states `tiers` ask for: by crash point, and there by tier and operation.
pub fn enumerate(trace: &Trace, profile: Profile, tiers: Tiers) -> Enumeration<'_> {
    let frontier = Frontier::new(trace, profile);
    let choices = VecDeque::new();
    let mut enumeration = Enumeration { frontier, profile, tiers, choices, position: 0 };
    enumeration.fill();
    enumeration
}

/// A lazy enumeration of crash states; see [`enumerate()`].
///
/// The order is always the same, so a state is also named by its position. Skipping builds no
/// state: part `k` of `n` is `enumerate(..).skip(k).step_by(n)`, and a run that was cut short goes
/// on after [`Enumeration::skip_to`]. Held in memory are the choices of one crash point, not those
/// of the trace.
pub struct Enumeration<'t> {
    frontier: Frontier<'t>,
    profile: Profile,
    tiers: Tiers,
    /// What is still to be made at the current crash point.
    choices: VecDeque<Choice>,
    /// Of the next state.
    position: u64,
}

impl Enumeration<'_> {
    /// How many states come before the next one.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes on to the state that has so many before it, without building those between; does
    /// nothing if that has passed.
    pub fn skip_to(&mut self, position: u64) {
        while self.position < position && self.reach() {
            let ahead = usize::try_from(position - self.position).unwrap_or(usize::MAX);
            let skipped = ahead.min(self.choices.len());
            self.choices.drain(..skipped);
            self.position += skipped as u64;
        }
    }

    fn fill(&mut self) {
        self.choices.extend(tiers::choices(&self.frontier, self.profile, self.tiers));
    }

    /// Moves to a crash point where something is to be made; false at the end.
    fn reach(&mut self) -> bool {
        while self.choices.is_empty() {
            if !self.frontier.advance() {
                return false;
            }
            self.fill();
        }
        true
    }
}

impl Iterator for Enumeration<'_> {
    type Item = CrashState;

    fn next(&mut self) -> Option<CrashState> {
        if !self.reach() {
            return None;
        }
        self.position += 1;
        self.choices.pop_front().map(|choice| self.frontier.state(choice))
    }

    fn nth(&mut self, n: usize) -> Option<CrashState> {
        self.skip_to(self.position.saturating_add(n as u64));
        self.next()
    }
}

impl Trace {
    /// Rebuilds the state a choice stands for; after a kill what is durable is what the default
    /// profile says.
    ///
    /// # Errors
    /// [`BadChoice`] if the choice does not fit this trace.
    pub fn state(&self, choice: &Choice) -> Result<CrashState, BadChoice> {
        self.state_under(choice, Profile::default())
    }

    /// Rebuilds the state a choice stands for. A power loss names its profile itself; what the
    /// next life sees after a kill is the same under every profile, but what of it is durable is
    /// not: that is what `profile` says.
    ///
    /// # Errors
    /// [`BadChoice`] if the choice does not fit this trace.
    pub fn state_under(&self, choice: &Choice, profile: Profile) -> Result<CrashState, BadChoice> {
        let frontier = self.frontier(choice, profile)?;
        Ok(frontier.state(choice.clone()))
    }

    /// The frontier a choice is made at, once the choice is known to fit it.
    fn frontier(&self, choice: &Choice, kill: Profile) -> Result<Frontier<'_>, BadChoice> {
        let profile = choice.profile().unwrap_or(kill);
        let frontier = Frontier::at_point(self, profile, choice.at);
        if frontier.at() < choice.at {
            return Err(BadChoice::PastEnd { at: choice.at, ops: self.ops.len() });
        }
        frontier.check(choice)?;
        Ok(frontier)
    }

    /// The base-2 logarithm of the number of ways power loss can strike this trace under a
    /// profile: over all crash points, the sum of the sets of effects that may survive there.
    pub fn legal_space_log2(&self, profile: Profile) -> f64 {
        let mut frontier = Frontier::new(self, profile);
        let mut points = vec![frontier.space_log2()];
        while frontier.advance() {
            points.push(frontier.space_log2());
        }
        let largest = points.iter().copied().fold(0.0, f64::max);
        largest + points.iter().map(|point| (point - largest).exp2()).sum::<f64>().log2()
    }
}
