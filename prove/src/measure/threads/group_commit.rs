//! The same threads on a medium whose syncs take time: commits that come meanwhile share the next
//! one, and keep their order.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use entidb_engine::storage::MemStorage;
use proofhouse_subjects::Watched;

use super::{Round, Tally, Work, finding, misordered, round, rounds};
use crate::measure::{Context, Measured, Room};
use crate::verdict::{Evidence, Reason};

/// Commits that share a sync.
pub(in crate::measure) const ROOM: Room =
    Room { name: "commits that share a sync", claims: &[CLAIM], split: false, measure };

const CLAIM: &str = "AC-07.group-commit";

/// How long a sync takes at least: time for the other writers to come with a commit.
const SYNC: Duration = Duration::from_micros(50);

/// Commits of each writer in a round.
const COMMITS: u16 = 60;

/// Commits without a sync of their own, per round on average, below which hardly any shared one.
const SHARED: u64 = 10;

fn measure(context: &Context) -> Measured {
    let capabilities = context.subject.about().capabilities;
    if !capabilities.transactions || !capabilities.clients || !capabilities.sequences {
        return Measured::default();
    }
    let syncs = Arc::new(AtomicU64::new(0));
    let work = Work { name: "group commit", commits: COMMITS };
    let once = |number| {
        let syncs = Arc::clone(&syncs);
        let slow = move |_: &str| {
            syncs.fetch_add(1, Ordering::Relaxed);
            thread::sleep(SYNC);
        };
        round(context, &Watched::new(MemStorage::new(), slow), work, number)
    };
    let judge =
        |round: &Round| misordered(round).map(|story| finding(CLAIM, story)).into_iter().collect();
    let (tally, mut measured) = rounds(context, CLAIM, once, judge);
    measured.show(CLAIM, evidence(&tally, syncs.load(Ordering::Relaxed)));
    measured
}

/// `syncs` are all of all files, those of opening and of setting up among them: so many commits at
/// least as there are more of them had none of their own.
fn evidence(tally: &Tally, syncs: u64) -> Evidence {
    let mut evidence = tally.evidence(CLAIM);
    let (shared, least) = (tally.commits.saturating_sub(syncs), tally.run * SHARED);
    if evidence.stopped.is_none() && shared < least {
        let note = format!("{shared} commits shared a sync with another, at least {least} are due");
        evidence.stopped = Some((Reason::NotReached, note));
    }
    evidence.observed.insert("syncs".to_owned(), syncs);
    evidence
}
