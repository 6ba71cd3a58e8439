//! Lives with one sync or rename less, or one later: does any crash of them show it?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proofhouse_crash::mutations;
use proofhouse_crash::{
    Change, CrashState, Dedup, MicroOp, Mutation, Site, Tiers, Trace, enumerate,
};
use proofhouse_model::Divergence;

use super::{Explorer, Recorded};
use crate::finding::Kind;

/// A call that orders what becomes durable, told by what it is and what came before it: so that
/// equal calls of one place in the engine are one site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// The sync, directory sync or rename.
    pub call: Site,
    /// The call before it, if there was one in that life.
    pub after: Option<Site>,
}

impl fmt::Display for CallSite {
    /// `sync_dir . after rename MANIFEST.tmp MANIFEST`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(after) => write!(f, "{} after {after}", self.call),
            None => write!(f, "{} first", self.call),
        }
    }
}

/// What a plan's lives had of one site and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noticed {
    /// How often it could be made.
    pub made: u64,
    /// What went wrong the first time it was noticed; after that it is only counted.
    pub by: Option<Kind>,
}

/// What became of the mutants of one plan.
#[derive(Debug, Default)]
pub struct Mutants {
    /// By site and change.
    pub noticed: BTreeMap<(CallSite, Change), Noticed>,
    /// Crash states judged that the plan as it is could not leave.
    pub states: u64,
    /// Lives that were mutated: the one of the plan, and the recoveries that go different ways.
    pub lives: u64,
}

/// A life that is right as it is, and the states that showed it.
struct Sound {
    recorded: Recorded,
    seen: Dedup,
}

impl Explorer<'_> {
    /// Mutates the life of the plan, and each of the lives after its crashes that makes other calls
    /// than the ones before. `None` if the plan fails as it is: what could a mutant show?
    ///
    /// # Errors
    /// The plan diverges from the oracle without any crash.
    pub fn mutate(&self) -> Result<Option<Mutants>, Box<Divergence>> {
        let mut next = Vec::new();
        let Some(first) = self.sound(self.record()?, &mut next) else { return Ok(None) };
        let mut lives = vec![first];
        for recorded in next {
            match self.sound(recorded, &mut Vec::new()) {
                Some(life) => lives.push(life),
                None => return Ok(None),
            }
        }
        let mut mutants = Mutants { lives: lives.len() as u64, ..Mutants::default() };
        for life in &lives {
            self.mutate_life(life, &mut mutants);
        }
        Ok(Some(mutants))
    }

    /// A life, if no crash of it shows anything wrong. Adds to `next` the lives that follow and make
    /// other calls than all in it.
    fn sound(&self, recorded: Recorded, next: &mut Vec<Recorded>) -> Option<Sound> {
        let mut seen = Dedup::default();
        let mut ways = BTreeSet::new();
        for state in self.states(&recorded) {
            if !seen.insert(&state) {
                continue;
            }
            let life = self.outlive(&recorded, &state).ok()?;
            if ways.insert(way(&life.trace)) {
                next.push(life);
            }
        }
        Some(Sound { recorded, seen })
    }

    fn states<'r>(&self, recorded: &'r Recorded) -> impl Iterator<Item = CrashState> + use<'r> {
        let states = enumerate(&recorded.trace, self.medium, Tiers::ALL);
        states.filter(|state| recorded.due.judges(state.kind))
    }

    fn mutate_life(&self, life: &Sound, mutants: &mut Mutants) {
        let trace = &life.recorded.trace;
        let sites = trace.sites();
        for mutation in mutations(trace) {
            let site = call_site(trace, &sites, mutation.about(trace));
            let noticed = mutants.noticed.entry((site, mutation.change)).or_default();
            noticed.made += 1;
            if noticed.by.is_none() {
                noticed.by = self.notice(life, &mutation, &mut mutants.states);
            }
        }
    }

    /// What the first wrong state shows that only the mutant leaves.
    fn notice(&self, life: &Sound, mutation: &Mutation, judged: &mut u64) -> Option<Kind> {
        let trace = mutation.apply(&life.recorded.trace);
        let mutant = Recorded { trace, ..life.recorded.clone() };
        let mut seen = life.seen.clone();
        self.states(&mutant).find_map(|state| {
            if !seen.insert(&state) {
                return None;
            }
            *judged += 1;
            self.outlive(&mutant, &state).err().map(|(kind, _)| kind)
        })
    }
}

/// The calls of a life, whatever their numbers: lives that make the same ones go one way.
fn way(trace: &Trace) -> Vec<Site> {
    trace.sites().split_off(trace.carried.len())
}

/// The site of the operation of this number.
pub(crate) fn call_site(trace: &Trace, sites: &[Site], number: usize) -> CallSite {
    let is_call = |op: &MicroOp| {
        !matches!(op, MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. })
    };
    let before = trace.numbered().take(number).skip(trace.carried.len());
    let after =
        before.filter(|(_, op)| is_call(op)).last().map(|(before, _)| sites[before].clone());
    CallSite { call: sites[number].clone(), after }
}
