//! Every state that a crash of a recorded life could leave, made again and judged.

use std::collections::{HashMap, HashSet};

use proofhouse_crash::{
    Choice, Counts, CrashKind, CrashState, Enumeration, Profile, Tier, TierCounts, Tiers, Trace,
    Tree, enumerate,
};

use serde::{Deserialize, Serialize};

use super::judge::{Dues, Judge, Wrong};
use crate::cause::Causes;
use crate::explore::BadMedia;
use crate::finding::{Kind, World};
use crate::parallel::{self, Budget};

/// How many states are made before they are judged: bounds memory, whatever the trace.
const BATCH: usize = 256;

/// A recorded life, and what is due of whatever a crash of it leaves.
#[derive(Debug, Clone)]
pub struct Life {
    /// What happened.
    pub trace: Trace,
    /// What is due of its crashes.
    pub dues: Dues,
    /// Whether power was lost before it began.
    pub after_power_loss: bool,
}

/// What the exploration of lives came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Explored {
    /// Crashes, by tier.
    pub counts: TierCounts,
    /// The base-two logarithm of the number of all states that power loss can leave.
    pub legal_space_log2: f64,
    /// What went wrong, first met first, one of each kind and world. Findings are made of it at
    /// once, so it is not written down.
    #[serde(skip)]
    pub failures: Vec<Failure>,
    /// What came of media that leave garbage, which decides nothing.
    pub bad_media: BadMedia,
}

/// A kind of crash after which the engine is wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What is wrong with its first state.
    pub wrong: Wrong,
    /// What the world had done.
    pub world: World,
    /// The first such state.
    pub choice: Choice,
    /// What made such states fail.
    pub causes: Causes,
}

/// What is known of states that were judged: the same files with the same due need to be
/// judged only once, whatever crash left them.
#[derive(Debug, Default)]
pub struct Verdicts(HashMap<Key, Option<Box<Wrong>>>);

/// All that a judgement depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    files: u128,
    acked: u64,
    issued: u64,
    shown: Option<u64>,
    world: World,
}

impl Life {
    /// What had happened to a store, by the time it is found in this state.
    pub fn world(&self, state: &CrashState) -> World {
        if self.after_power_loss || state.kind == CrashKind::PowerLoss {
            World::PowerLoss
        } else {
            World::ProcessKill
        }
    }

    fn key(&self, state: &CrashState, tree: &Tree) -> Key {
        Key {
            files: tree.digest(),
            acked: state.acked,
            issued: state.issued,
            shown: state.shown,
            world: self.world(state),
        }
    }
}

/// Judges every state that the tiers ask for, in their order; ends early if the budget does.
pub fn explore(
    judge: &Judge,
    life: &Life,
    media: Profile,
    tiers: Tiers,
    budget: Budget,
    verdicts: &mut Verdicts,
) -> Explored {
    let mut explored =
        Explored { legal_space_log2: life.trace.legal_space_log2(media), ..Explored::default() };
    let mut states = enumerate(&life.trace, media, tiers);
    let mut seen = HashSet::new();
    loop {
        let batch = next_batch(life, &mut states, &mut seen, &mut explored.counts);
        if batch.is_empty() || budget.is_spent() {
            let garbled = explored.counts.iter().find(|(tier, _)| *tier == Tier::BadMedia);
            explored.bad_media.counts = garbled.map(|(_, counts)| counts).unwrap_or_default();
            return explored;
        }
        verdicts.judge(judge, life, &batch, budget);
        for found in &batch {
            // What the budget did not reach is not checked.
            let Some(verdict) = verdicts.0.get(&found.key) else { continue };
            explored.counts.tier(found.state.choice.tier()).checked += 1;
            if let Some(wrong) = verdict {
                explored.fail(life, &found.state, wrong);
            }
        }
    }
}

/// What is wrong with the first wrong state that was not judged before, and how many were judged
/// to find out.
pub fn first_wrong(
    judge: &Judge,
    life: &Life,
    media: Profile,
    tiers: Tiers,
    verdicts: &Verdicts,
) -> (u64, Option<Wrong>) {
    let mut states = enumerate(&life.trace, media, tiers);
    let (mut seen, mut counts) = (HashSet::new(), TierCounts::default());
    let mut judged = 0;
    loop {
        let batch = next_batch(life, &mut states, &mut seen, &mut counts);
        if batch.is_empty() {
            return (judged, None);
        }
        let new: Vec<Found> =
            batch.into_iter().filter(|found| !verdicts.0.contains_key(&found.key)).collect();
        judged += new.len() as u64;
        let mut own = Verdicts::default();
        // A search that is cut short would say that nothing is wrong.
        own.judge(judge, life, &new, Budget::default());
        let wrong = new.iter().find_map(|found| own.0.get(&found.key)?.as_deref().cloned());
        if wrong.is_some() {
            return (judged, wrong);
        }
    }
}

impl Verdicts {
    /// Judges those that are not known, as far as the budget goes.
    fn judge(&mut self, judge: &Judge, life: &Life, batch: &[Found], budget: Budget) {
        let unknown: Vec<&Found> =
            batch.iter().filter(|found| !self.0.contains_key(&found.key)).collect();
        let judged = parallel::map(unknown.len() as u64, budget, |index| {
            let found = usize::try_from(index).ok().and_then(|index| unknown.get(index))?;
            Some((found.key, judge.judge(&found.tree, &life.dues, &found.state).err()))
        });
        self.0.extend(judged.into_iter().flatten().map(|(key, wrong)| (key, wrong.map(Box::new))));
    }
}

/// A state that is to be judged.
struct Found {
    state: CrashState,
    tree: Tree,
    key: Key,
}

/// The next distinct states; all of them are counted.
fn next_batch(
    life: &Life,
    states: &mut Enumeration<'_>,
    seen: &mut HashSet<Key>,
    counts: &mut TierCounts,
) -> Vec<Found> {
    let mut batch = Vec::new();
    for state in states {
        let tree = state.visible();
        let key = life.key(&state, &tree);
        let distinct = seen.insert(key);
        *counts.tier(state.choice.tier()) +=
            Counts { generated: 1, legal: 1, distinct: u64::from(distinct), checked: 0 };
        if distinct {
            batch.push(Found { state, tree, key });
        }
        if batch.len() == BATCH {
            break;
        }
    }
    batch
}

impl Explored {
    fn fail(&mut self, life: &Life, state: &CrashState, wrong: &Wrong) {
        if state.choice.tier() == Tier::BadMedia {
            *self.bad_media.violations.entry(wrong.kind).or_default() += 1;
            return;
        }
        let world = life.world(state);
        let alike = |known: &Failure| {
            let Failure { wrong: Wrong { kind, promised, .. }, .. } = known;
            (*kind, known.world, *promised) == (wrong.kind, world, wrong.promised)
        };
        let at = self.failures.iter().position(alike).unwrap_or_else(|| {
            self.failures.push(Failure {
                wrong: wrong.clone(),
                world,
                choice: state.choice.clone(),
                causes: Causes::default(),
            });
            self.failures.len() - 1
        });
        // A choice always fits the trace that it was made of.
        if let Ok(class) = life.trace.classify(&state.choice) {
            self.failures[at].causes.count(class, || vec![state.choice.clone()]);
        }
    }

    /// Adds what another exploration came to.
    pub fn merge(&mut self, other: Self) {
        self.counts.merge(&other.counts);
        self.legal_space_log2 = self.legal_space_log2.max(other.legal_space_log2);
        self.bad_media = BadMedia::total([&self.bad_media, &other.bad_media].into_iter());
        self.failures.extend(other.failures);
    }

    /// Whether the harness itself failed to judge something.
    pub fn is_broken(&self) -> bool {
        self.failures.iter().any(|failure| failure.wrong.kind == Kind::HarnessBroken)
    }
}
