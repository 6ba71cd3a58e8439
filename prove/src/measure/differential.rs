//! Generated plans beside the oracle, outcome by outcome.

use std::collections::BTreeMap;

use entidb_engine::storage::MemStorage;
use proofhouse_model::{
    Capabilities, Divergence, GenerateProfile, Got, Mechanism, Mechanisms, Op, Oracle, Plan,
    RunOptions, Universe, run, shrink,
};

use super::{Context, Measured, Room, aspect};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::verdict::Evidence;

/// What a clean run shows.
pub(super) const ROOM: Room = Room {
    name: "plans beside the oracle",
    claims: &[
        "AC-02.clean-close",
        "AC-03.transactions",
        "AC-06.differential",
        "AC-07.dense",
        "AC-08.differential",
        "AC-09.differential",
    ],
    measure,
};

/// Divergent plans to shrink: one flaw shows in many, and a second flaw may hide behind the first.
const SHRUNK: usize = 4;

struct Case {
    plan: Plan,
    reached: Mechanisms,
    divergence: Option<Box<Divergence>>,
}

fn measure(context: &Context) -> Measured {
    let cases = context.scale.differential_plans;
    let done = parallel::map(cases, context.budget, |case| one(context, case));
    let mut measured = Measured::default();
    let mut reached = BTreeMap::<Mechanism, u64>::new();
    for mechanism in done.iter().flat_map(|case| case.reached.iter()) {
        *reached.entry(mechanism).or_default() += 1;
    }
    let all = done.len() as u64;
    for claim in ROOM.claims {
        let done = match mechanism(claim) {
            Some(mechanism) => reached.get(&mechanism).copied().unwrap_or_default(),
            None => all,
        };
        // What a plan did not reach, it could not check.
        let possible = if all < cases { cases } else { done };
        measured.show(claim, Evidence::of(done, possible, "plans"));
    }
    let divergent = done.into_iter().filter_map(|case| Some((case.plan, case.divergence?)));
    measured.findings =
        divergent.take(SHRUNK).map(|(plan, found)| finding(context, &plan, *found)).collect();
    measured
}

/// What a plan must reach to be a case of a claim; nothing, if every plan is one.
fn mechanism(claim: &str) -> Option<Mechanism> {
    match claim {
        "AC-02.clean-close" => Some(Mechanism::Reopen),
        "AC-03.transactions" => Some(Mechanism::MultiOperationTransaction),
        "AC-06.differential" => Some(Mechanism::SnapshotAcrossWrite),
        "AC-09.differential" => Some(Mechanism::SharedIdentity),
        _ => None,
    }
}

fn one(context: &Context, case: u64) -> Case {
    let plan = context.plan("differential", case, &GenerateProfile::differential());
    let divergence = diverges(context, &plan);
    let capabilities = context.subject.about().capabilities;
    let reached = Mechanisms::reached_by(&plan, capabilities);
    Case { plan, reached, divergence }
}

/// The first divergence of a plan on a fresh store in memory.
pub(crate) fn diverges(context: &Context, plan: &Plan) -> Option<Box<Divergence>> {
    let options = RunOptions { history: false, close: true };
    run(context.subject, &MemStorage::new(), plan, options, &mut ()).err()
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

/// The finding of a divergent plan, shrunk.
pub(super) fn finding(context: &Context, plan: &Plan, found: Divergence) -> Finding {
    let trials = context.scale.shrink_trials;
    let small = shrink(plan, trials, &mut |plan| diverges(context, plan).is_some());
    // Shrinking keeps that the plan diverges; the first divergence is told if it did not.
    let divergence = diverges(context, &small).map_or(found, |divergence| *divergence);
    let kind = match divergence.got {
        Got::Panicked(_) => Kind::Panic,
        Got::Outcome(_) | Got::Refused(_) => Kind::Divergence,
    };
    let claim = aspect::claim(&small, &divergence);
    let finding = Finding::new(kind, World::Undisturbed, claim, divergence.to_string());
    context.with_case(finding, small, Scene::Undisturbed)
}
