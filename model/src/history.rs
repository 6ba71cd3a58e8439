//! The states that a run went through: what acceptance compares a recovered store with.

use crate::state::State;

/// `states[k]` is what is committed after `k` events (see [`Oracle::events`]).
///
/// [`Oracle::events`]: crate::oracle::Oracle::events
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    states: Vec<State>,
    sequences: Vec<u64>,
    /// Of each event: how many events were covered by a sync when it was asked.
    synced: Vec<u64>,
    /// How many events the last sync covers.
    sync: u64,
}

impl History {
    /// A history that begins with `state`, whose last commit took `sequence` (0: none did).
    pub fn from_state(state: State, sequence: u64) -> Self {
        Self { states: vec![state], sequences: vec![sequence], synced: vec![0], sync: 0 }
    }

    /// Appends the state after one more event.
    pub fn push(&mut self, state: State, sequence: u64) {
        self.states.push(state);
        self.sequences.push(sequence);
        self.synced.push(self.sync);
    }

    /// Takes note of an explicit sync: it covers all events so far.
    pub const fn sync(&mut self) {
        self.sync = self.events();
    }

    /// How many events are known to be synced once `issued` were asked: those that were
    /// acknowledged before the last sync that was itself acknowledged before event `issued` was
    /// asked.
    ///
    /// In lock-step an operation is asked only after the one before it was answered, so once an
    /// event is issued, the syncs before it have returned. Of a sync after it nothing is known
    /// until the next event is issued: that sync is not counted on.
    pub fn synced(&self, issued: u64) -> u64 {
        let known = usize::try_from(issued).ok().and_then(|issued| self.synced.get(issued));
        known.copied().unwrap_or(self.sync)
    }

    /// How many events there were.
    pub const fn events(&self) -> u64 {
        // A history is never without its first state.
        self.states.len() as u64 - 1
    }

    /// The state after `k` events, if there were so many.
    pub fn state(&self, k: u64) -> Option<&State> {
        self.states.get(usize::try_from(k).ok()?)
    }

    /// The sequence of the last commit among the first `k` events; 0 if there was none.
    pub fn sequence(&self, k: u64) -> Option<u64> {
        self.sequences.get(usize::try_from(k).ok()?).copied()
    }

    /// All states with their `k`, in order.
    pub fn states(&self) -> impl Iterator<Item = (u64, &State)> {
        (0..).zip(&self.states)
    }

    /// The state after the last event.
    pub fn last(&self) -> &State {
        &self.states[self.states.len() - 1]
    }
}

/// The empty store.
impl Default for History {
    fn default() -> Self {
        Self::from_state(State::default(), 0)
    }
}

#[cfg(test)]
mod tests;
