//! Generated plans beside the oracle, outcome by outcome.

use std::collections::BTreeMap;

use proofhouse_model::{
    Capabilities, GenerateProfile, Got, Mechanism, Mechanisms, Op, Oracle, Plan, Universe,
};
use serde::{Deserialize, Serialize};

use super::smaller::Patience;
use super::{Context, Measured, Room, aspect};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::subject::{Commanded, Diverged, Engine};
use crate::verdict::Evidence;

/// What a clean run shows.
pub(super) const ROOM: Room = Room { name: NAME, claims: CLAIMS, split: true, measure };

/// The same for commands.
pub(super) const COMMAND_ROOM: Room<Commanded> =
    Room { name: NAME, claims: CLAIMS, split: true, measure };

const NAME: &str = "plans beside the oracle";

const CLAIMS: &[&str] = &[
    "AC-02.clean-close",
    "AC-03.transactions",
    "AC-06.differential",
    "AC-06.compaction",
    "AC-07.dense",
    "AC-08.differential",
    "AC-08.compaction",
    "AC-09.differential",
];

/// Divergent plans to shrink: one flaw shows in many, and a second flaw may hide behind the first.
const SHRUNK: usize = 4;

/// A plan that diverges, and how.
#[derive(Serialize, Deserialize)]
struct Divergent {
    words: String,
    /// Known where the plan was run.
    #[serde(skip)]
    how: Option<Diverged>,
}

fn measure<E: Engine>(context: &Context<E>) -> Measured {
    let cases = E::differential_plans(context.scale);
    let done = context.cases(NAME, parallel::COMPUTE, cases, |case| {
        let how = diverges(context, &plan(context, case))?;
        Some(Divergent { words: how.at.to_string(), how: Some(how) })
    });
    let mut measured = Measured::default();
    let mut reached = BTreeMap::<Mechanism, u64>::new();
    let capabilities = context.subject.about().capabilities;
    for (case, _) in &done {
        for mechanism in Mechanisms::reached_by(&plan(context, *case), capabilities).iter() {
            *reached.entry(mechanism).or_default() += 1;
        }
    }
    let all = done.len() as u64;
    for claim in CLAIMS {
        let done = match mechanism(claim) {
            Some(mechanism) => reached.get(&mechanism).copied().unwrap_or_default(),
            None => all,
        };
        // What a plan did not reach, it could not check.
        let possible = if all < cases { cases } else { done };
        measured.show(claim, Evidence::of(done, possible, "plans"));
    }
    let divergent = done.into_iter().filter_map(|(case, found)| Some((case, found?)));
    let told = divergent.map(|(case, found)| found.told(context, &plan(context, case)));
    // An engine that does not answer is asked no more: all plans after that show the same hang.
    let mut hung = false;
    let new = |one: &Finding| one.kind != Kind::Hang || !std::mem::replace(&mut hung, true);
    measured.findings = told.filter(new).take(SHRUNK).collect();
    measured
}

/// What a plan must reach to be a case of a claim; nothing, if every plan is one.
fn mechanism(claim: &str) -> Option<Mechanism> {
    match claim {
        "AC-02.clean-close" => Some(Mechanism::Reopen),
        "AC-03.transactions" => Some(Mechanism::MultiOperationTransaction),
        "AC-06.differential" => Some(Mechanism::SnapshotAcrossWrite),
        "AC-06.compaction" => Some(Mechanism::SnapshotAcrossCompaction),
        "AC-08.compaction" => Some(Mechanism::Compaction),
        "AC-09.differential" => Some(Mechanism::SharedIdentity),
        _ => None,
    }
}

fn plan<E: Engine>(context: &Context<E>, case: u64) -> Plan {
    context.plan("differential", case, &GenerateProfile::differential())
}

impl Divergent {
    /// The finding, shrunk. Where the plan was run elsewhere it is run again, which shows the same
    /// unless the engine answers as it likes.
    fn told<E: Engine>(self, context: &Context<E>, plan: &Plan) -> Finding {
        if let Some(how) = self.how.or_else(|| diverges(context, plan)) {
            return finding(context, plan, how);
        }
        let story = format!("{}\nseen by a shard, and not again", self.words);
        let claim = "AC-08.differential";
        let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
        context.with_case(finding, plan.clone(), Scene::Undisturbed)
    }
}

/// The first divergence of a plan on a fresh store.
pub(crate) fn diverges<E: Engine>(context: &Context<E>, plan: &Plan) -> Option<Diverged> {
    context.subject.diverges(plan)
}

/// A plan with reads after whatever can change what is read, so that a flaw that needs no crash
/// shows without one and is not taken for one of crashes. Reads change no file.
pub(super) fn with_reads(plan: &Plan, capabilities: Capabilities) -> Plan {
    let collections = Universe::of(plan).collections;
    let mut oracle = Oracle::new(&plan.settings, capabilities);
    let mut ops = Vec::new();
    for op in &plan.ops {
        oracle.step(op);
        ops.push(op.clone());
        let changes = !matches!(op, Op::Begin | Op::Snapshot { .. }) && !oracle.in_transaction();
        if changes {
            ops.extend(collections.iter().map(|collection| Op::Scan { collection: *collection }));
        }
    }
    Plan { ops, ..plan.clone() }
}

/// The finding of a divergent plan, shrunk as far as the budget allows.
pub(super) fn finding<E: Engine>(context: &Context<E>, plan: &Plan, found: Diverged) -> Finding {
    let mut patience = Patience::of(context.budget);
    // Every trial would wait for an engine that is silent.
    let is_slow = found.fault.as_ref().is_some_and(|fault| fault.is_slow);
    let trials = if is_slow { 0 } else { context.scale.shrink_trials };
    let small = patience.shrink(plan, trials, &mut |plan| diverges(context, plan).is_some());
    // Shrinking keeps that the plan diverges; the first divergence is told if it did not.
    let again = if small == *plan { None } else { diverges(context, &small) };
    let Diverged { at: divergence, fault } = again.unwrap_or(found);
    let kind = match (&divergence.got, &fault) {
        (Got::Panicked(_), _) => Kind::Panic,
        (Got::Outcome(_) | Got::Refused(_), Some(fault)) => fault.kind,
        (Got::Outcome(_) | Got::Refused(_), None) => Kind::Divergence,
    };
    let claim = aspect::claim(&small, &divergence);
    let mut story = divergence.to_string();
    // A refusal has the driver's words already.
    let untold = fault.filter(|fault| !story.contains(&fault.words));
    story.extend(untold.map(|fault| format!("\n{}", fault.words)));
    let finding = Finding::new(kind, World::Undisturbed, claim, story);
    patience.told(context.with_case(finding, small, Scene::Undisturbed))
}
