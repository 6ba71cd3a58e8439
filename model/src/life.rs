//! Life 2: what is asked of a recovered store, to see that it not only shows but also lives.

use crate::accept::{Violation, Window, accept, matching};
use crate::history::History;
use crate::op::{Collection, Id, Op};
use crate::oracle::Oracle;
use crate::payload::Payload;
use crate::plan::Settings;
use crate::run::{Divergence, Lockstep, Marks, Run};
use crate::state::State;
use crate::subject::{Capabilities, Client};

/// The collection that is created if a recovered store has none.
pub const COLLECTION: Collection = Collection(0);

/// The identities that these operations write; generated plans use others.
pub const IDS: [Id; 2] = [Id([0xf1; 16]), Id([0xf2; 16])];

/// The first tag of their payloads; plans stay below.
pub const FIRST_TAG: u32 = 0xf000_0000;

/// Two commits for a store that shows `shown`, in its first collection, or in one created first.
///
/// The first commit writes two entities in one transaction where that is offered, and is longer
/// than a sector; the second overwrites one of them. `life` (2 for the first recovery) makes the
/// contents differ from those of earlier lives.
pub fn life_two(shown: &State, capabilities: Capabilities, life: u8) -> Vec<Op> {
    let mut ops = Vec::new();
    let collection = shown.collections().next().unwrap_or(COLLECTION);
    if !shown.has(collection) {
        ops.push(Op::CreateCollection { collection });
    }
    let put = |id, number, size| {
        let payload = Payload::Entity { tag: FIRST_TAG + u32::from(life) * 4 + number, size };
        Op::Put { collection, id, payload }
    };
    if capabilities.transactions {
        ops.extend([Op::Begin, put(IDS[0], 0, 600), put(IDS[1], 1, 40), Op::Commit]);
    } else {
        ops.push(put(IDS[0], 0, 600));
    }
    ops.push(put(IDS[0], 2, 60));
    ops
}

/// What is known of an accepted recovery.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// The smallest number of events that explains the state shown.
    pub events: u64,
    /// The oracle that goes on from there.
    oracle: Oracle,
    /// The same with other sequences, where the state alone does not tell which was the last.
    others: Vec<Oracle>,
}

impl Recovered {
    /// Accepts a state shown after a crash.
    ///
    /// # Errors
    /// A [`Violation`], as [`accept`] says.
    pub fn accept(
        history: &History,
        window: Window,
        shown: &State,
        settings: &Settings,
        capabilities: Capabilities,
    ) -> Result<Self, Violation> {
        let events = accept(history, window, shown)?;
        let mut sequences: Vec<u64> =
            matching(history, window, shown).filter_map(|k| history.sequence(k)).collect();
        sequences.dedup();
        let oracle = |sequence| Oracle::from_state(settings, capabilities, shown.clone(), sequence);
        let mut oracles = sequences.into_iter().map(oracle);
        let first = oracles.next().unwrap_or_else(|| oracle(0));
        Ok(Self { events, oracle: first, others: oracles.collect() })
    }

    /// Goes on with the recovered store, the oracle beside it. Events are counted from 1 again;
    /// the history of the [`Run`] begins with the state shown.
    ///
    /// # Errors
    /// The first [`Divergence`].
    pub fn live_on(
        self,
        client: &mut dyn Client,
        ops: &[Op],
        marks: &mut dyn Marks,
    ) -> Result<Run, Box<Divergence>> {
        let mut lockstep = Lockstep::new(self.oracle, self.others, true);
        lockstep.apply(client, ops, marks)?;
        Ok(lockstep.into_run())
    }
}

#[cfg(test)]
mod tests;
