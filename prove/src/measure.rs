//! The measurements. Each file here is a room: it serves some claims, shares work among them, and
//! knows nothing of the others.

mod aspect;
pub(crate) mod cbor;
mod crashes;
pub(crate) mod dependencies;
pub(crate) mod determinism;
pub(crate) mod differential;
pub(crate) mod gates;
mod identity;
pub(crate) mod kills;
mod process_kills;
mod readers;
pub(crate) mod recorded;
mod smaller;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use proofhouse_model::rng::Rng;
use proofhouse_model::{About, GenerateProfile, Plan, Settings, generate};
use proofhouse_subjects::Placed;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::case::{self, Case, Scene};
use crate::criteria::{self, ALL};
use crate::finding::{Finding, Kind};
use crate::parallel::{self, Budget};
use crate::profile::{Profile, Promise, Scale};
use crate::share::{Shard, Share, Tally};
use crate::subject::{Commanded, Engine};
use crate::verdict::{self, CriterionResult, Evidence, Reason};

/// What a measurement is given. Most measurements look into an engine in this process, over the
/// storage seam; those that take any [`Engine`] say so.
pub struct Context<'a, E = Placed> {
    /// The engine under test.
    pub subject: &'a E,
    /// What selects it on the command line.
    pub name: &'a str,
    /// The profile that was asked for.
    pub profile: Profile,
    /// How much to do.
    pub scale: Scale,
    /// Decides everything that is generated.
    pub seed: u64,
    /// When to stop.
    pub budget: Budget,
    /// Which promise to judge by.
    pub promise: Promise,
    /// Where real files go.
    pub dir: &'a Path,
    /// This program, to start processes of; without it, what needs them is not measured.
    pub program: Option<&'a Path>,
    /// Which cases are answered here, and which were before; without it, all are.
    pub share: Option<&'a Share>,
}

impl<E> Clone for Context<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Context<'_, E> {}

/// A measurement and the claims it serves.
pub struct Room<E = Placed> {
    /// A few words for the progress line.
    pub name: &'static str,
    /// The claims it has evidence for.
    pub claims: &'static [&'static str],
    /// Whether it deals its cases out to the shards of a run; else one shard does all of it.
    pub split: bool,
    /// Measures them.
    pub measure: fn(&Context<E>) -> Measured,
}

/// What a measurement has found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// What was checked, per claim.
    #[serde(deserialize_with = "evidence_of_claims")]
    pub evidence: BTreeMap<&'static str, Evidence>,
    /// What went wrong, first met first.
    pub findings: Vec<Finding>,
}

/// All rooms for engines in this process, in the order they are run. Every claim that exists is
/// served by exactly one.
pub static ROOMS: &[Room] = &[
    determinism::ROOM,
    determinism::OTHER_PROCESS,
    differential::ROOM,
    crashes::ROOM,
    recorded::ROOM,
    kills::ROOM,
    gates::ROOM,
    threads::ROOM,
    threads::group_commit::ROOM,
    identity::ROOM,
    dependencies::ROOM,
    cbor::ROOM,
    readers::ROOM,
];

/// The rooms for engines behind the line protocol. Claims that none of them serves need an engine
/// in this process.
pub static COMMAND_ROOMS: &[Room<Commanded>] =
    &[differential::COMMAND_ROOM, recorded::COMMAND_ROOM, process_kills::COMMAND_ROOM];

/// Measures the wanted criteria and judges all nineteen. `says` is told what comes next.
pub fn measure<E: Engine>(
    context: &Context<E>,
    wanted: &BTreeSet<&str>,
    says: &dyn Fn(&str),
) -> (Vec<CriterionResult>, Vec<Finding>) {
    let mut evidence = BTreeMap::new();
    let mut findings = Vec::new();
    let rooms = || E::rooms().iter().filter(|room| room.is_wanted(context, wanted));
    for room in rooms() {
        says(room.name);
        let begun = Instant::now();
        let (mut measured, before) = room.part(context);
        share_time(&mut measured.evidence, before + begun.elapsed());
        evidence.extend(measured.evidence);
        findings.extend(measured.findings);
    }
    let findings = first_of_each(findings);
    // What a room measured beside what was asked for is kept only where it failed.
    evidence.retain(|claim, _| wanted.contains(criteria::criterion_of(claim)));
    let about = context.subject.about();
    let served = |id| E::rooms().iter().any(|room| room.claims.contains(&id));
    let judged = ALL.iter().map(|criterion| {
        let claims = criterion.claims.iter().map(|claim| {
            let evidence = evidence.remove(claim.id);
            verdict::judge_claim(claim, about, served(claim.id), evidence, &findings)
        });
        verdict::judge(criterion, claims.collect())
    });
    (judged.collect(), findings)
}

impl<E: Engine> Room<E> {
    /// What this shard of the run measures of it, and the time that answers took which were there
    /// before. A part of the cases is no measurement of the whole, and says so.
    fn part(&self, context: &Context<E>) -> (Measured, Duration) {
        let Some(share) = context.share else { return ((self.measure)(context), Duration::ZERO) };
        share.take_tally();
        let measured = if self.split {
            let mut measured = (self.measure)(context);
            if let Some(shard) = share.part() {
                let Tally { done, of, .. } = share.tally();
                let note = format!("PARTIAL: shard {shard} checked {done} of {of} cases");
                stop(&mut measured, Reason::Shard, &note);
            }
            measured
        } else {
            let whole = |_| (self.measure)(context);
            let mut own = share.cases(self.name, (1, 1), (context.budget, true), whole);
            own.pop().map_or_else(|| self.left_to(share.shard_of(self.name, 0)), |(_, all)| all)
        };
        (measured, share.take_tally().before)
    }

    fn left_to(&self, shard: Shard) -> Measured {
        let mut measured = Measured::default();
        for claim in self.claims {
            let note = format!("left to shard {shard}");
            measured.show(claim, Evidence::stopped(Reason::Shard, note));
        }
        measured
    }

    /// Whether any of its claims is wanted and can be measured on this subject.
    fn is_wanted(&self, context: &Context<E>, wanted: &BTreeSet<&str>) -> bool {
        let claims = self.claims.iter().filter_map(|id| criteria::claim(id));
        claims
            .filter(|claim| wanted.contains(claim.criterion()))
            .any(|claim| verdict::unmeasurable(claim, context.subject.about()).is_none())
    }
}

impl<E> Context<'_, E> {
    /// The answers of a unit's cases, in case order: of those that are answered here and that the
    /// budget reached.
    pub(crate) fn cases<T: Serialize + DeserializeOwned + Send>(
        &self,
        unit: &str,
        workers: usize,
        cases: u64,
        case: impl Fn(u64) -> T + Sync,
    ) -> Vec<(u64, T)> {
        match self.share {
            Some(share) => share.cases(unit, (workers, cases), (self.budget, false), case),
            None => (0..).zip(parallel::map_on(workers, cases, self.budget, case)).collect(),
        }
    }
}

impl<E: Engine> Context<'_, E> {
    /// The seed of one case of one measurement.
    pub fn seed_of(&self, room: &str, case: u64) -> u64 {
        seed_of(self.seed, room, case)
    }

    /// A finding with the case that shows it again.
    pub fn with_case(&self, finding: Finding, plan: Plan, scene: Scene) -> Finding {
        let case = Case {
            format: case::FORMAT.to_owned(),
            version: case::VERSION,
            subject: self.name.to_owned(),
            driving: self.subject.driving(),
            seed: self.seed,
            claim: finding.claim.to_owned(),
            kind: finding.kind,
            world: finding.world,
            story: finding.story.lines().map(str::to_owned).collect(),
            causes: finding.causes.clone(),
            plan,
            scene,
        };
        finding.with_case(case)
    }

    /// A finding that no plan shows, with a case that measures its claim again.
    pub fn with_measurement(&self, finding: Finding) -> Finding {
        let settings =
            Settings { wal_reserve: 0, max_segment: 0, entropy: Vec::new(), max_payload: 0 };
        let plan = Plan { seed: self.seed, settings, ops: Vec::new() };
        self.with_case(finding, plan, Scene::Measurement { profile: self.profile })
    }

    /// A generated plan that asks only what the subject offers.
    pub fn plan(&self, room: &str, case: u64, profile: &GenerateProfile) -> Plan {
        plan_of(self.seed, self.subject.about(), room, case, profile)
    }
}

/// The seed of one case of one measurement in the run of this seed; cases of different
/// measurements are unrelated.
fn seed_of(seed: u64, room: &str, case: u64) -> u64 {
    let named = room.bytes().fold(seed, |seed, byte| Rng::new(seed ^ u64::from(byte)).next());
    Rng::new(named.wrapping_add(case)).next()
}

fn plan_of(seed: u64, about: &About, room: &str, case: u64, profile: &GenerateProfile) -> Plan {
    generate(seed_of(seed, room, case), profile).for_capabilities(about.capabilities)
}

impl Measured {
    /// Adds evidence for a claim.
    pub fn show(&mut self, claim: &'static str, evidence: Evidence) {
        self.evidence.insert(claim, evidence);
    }
}

impl Evidence {
    /// `done` of `possible` cases; fewer than possible means that the budget ended it.
    pub fn of(done: u64, possible: u64, unit: &str) -> Self {
        Self { done, possible: Some(possible), unit: unit.to_owned(), ..Self::default() }
    }

    /// The same, with cases left out by a rule.
    pub fn without(mut self, rule: &str, cases: u64) -> Self {
        if cases > 0 {
            self.excluded.insert(rule.to_owned(), cases);
        }
        self
    }

    /// Nothing done, and why.
    pub fn stopped(reason: Reason, note: impl Into<String>) -> Self {
        Self { stopped: Some((reason, note.into())), ..Self::default() }
    }
}

/// Says of all evidence so far that it is not the whole.
fn stop(measured: &mut Measured, reason: Reason, note: &str) {
    for evidence in measured.evidence.values_mut() {
        evidence.stopped = Some((reason, note.to_owned()));
    }
}

/// Reads evidence by the ids of claims that there are.
fn evidence_of_claims<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<&'static str, Evidence>, D::Error> {
    let named = BTreeMap::<String, Evidence>::deserialize(from)?.into_iter();
    let known = named.map(|(id, evidence)| {
        let claim = criteria::claim(&id);
        let claim = claim.ok_or_else(|| D::Error::custom(format!("no claim {id:?}")))?;
        Ok((claim.id, evidence))
    });
    known.collect()
}

/// A number drawn below a small bound.
fn small(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// A room's claims share its time evenly: the work is common to them.
fn share_time(evidence: &mut BTreeMap<&'static str, Evidence>, took: Duration) {
    let claims = u32::try_from(evidence.len()).unwrap_or(u32::MAX).max(1);
    for one in evidence.values_mut() {
        one.took = took / claims;
    }
}

/// The rule by which plans that are wrong without any crash or thread are left to the measurement
/// that compares outcomes.
const DIVERGENT: &str = "plans that diverge undisturbed";

/// The first finding of each claim and kind; the others tell nothing new.
fn first_of_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = BTreeSet::<(&str, Kind, bool)>::new();
    findings.into_iter().filter(|one| seen.insert((one.claim, one.kind, one.promised))).collect()
}
