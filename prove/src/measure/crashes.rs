//! Crashes on the simulated disk, over generated plans and over the creation of a store.

use std::collections::BTreeSet;

use proofhouse_crash::{Counts, Tier, TierCounts, Tiers};
use proofhouse_model::{Divergence, GenerateProfile, Mechanism, Mechanisms, Plan, shrink};

use super::{Context, DIVERGENT, Measured, Room, differential};
use crate::case::Scene;
use crate::explore::{Depth, Explored, Explorer, Failure};
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::verdict::{Evidence, Reason};

/// What a crash leaves.
pub(super) const ROOM: Room = Room {
    name: "crashes on the simulated disk",
    claims: &[
        "AC-02.kill-boundaries",
        "AC-02.recovery-killed",
        "AC-02.creation",
        "AC-02.recovery-stable",
        "AC-03.crash-atomic",
        "AC-04.power-loss",
        "AC-04.recovery-loses-power",
        "AC-04.creation",
    ],
    measure,
};

/// Settings of the store differ between creations; the calls hardly do.
const CREATIONS: u64 = 4;

/// What the plans must have made the subject do, or the claims were not put to the test.
const NEEDED: [Mechanism; 5] = [
    Mechanism::MultiSectorCommit,
    Mechanism::PageCrossingCommit,
    Mechanism::Checkpoint,
    Mechanism::SegmentRotation,
    Mechanism::Reopen,
];

struct Case {
    plan: Plan,
    creation: bool,
    came_to: Result<Explored, Box<Divergence>>,
}

fn measure(context: &Context) -> Measured {
    let plans = context.scale.crash_plans;
    let done = parallel::map(CREATIONS + plans, context.budget, |case| one(context, case));
    let mut measured = Measured::default();
    let not_reached = not_reached(context, &done);
    let findings = findings(context, &done);
    let explored = |creation| {
        let of = done.iter().filter(move |case| case.creation == creation);
        of.filter_map(|case| case.came_to.as_ref().ok())
    };
    let divergent = done.iter().filter(|case| case.came_to.is_err()).count() as u64;
    show_plans(&mut measured, &Explored::total(explored(false)), divergent);
    if !context.scale.nested_in_full {
        name_all_lost(&mut measured);
    }
    if let Some(missing) = not_reached {
        stop(&mut measured, Reason::NotReached, &missing);
    }
    show_creations(&mut measured, &Explored::total(explored(true)));
    if (done.len() as u64) < CREATIONS + plans {
        let note = format!("{} of {} plans explored", done.len(), CREATIONS + plans);
        stop(&mut measured, Reason::Budget, &note);
    }
    measured.findings = findings;
    measured
}

/// Says of all evidence so far that it is not the whole.
fn stop(measured: &mut Measured, reason: Reason, note: &str) {
    for evidence in measured.evidence.values_mut() {
        evidence.stopped = Some((reason, note.to_owned()));
    }
}

fn one(context: &Context, case: u64) -> Case {
    let creation = case < CREATIONS;
    let mut plan = context.plan("crashes", case, &GenerateProfile::crash());
    if creation {
        plan.ops.clear();
    }
    let plan = differential::with_reads(&plan, context.subject.about().capabilities);
    let came_to = explorer(context, &plan, creation).explore(depth(context, creation));
    Case { plan, creation, came_to }
}

fn explorer<'a>(context: &Context<'a>, plan: &'a Plan, creation: bool) -> Explorer<'a> {
    if creation {
        Explorer::of_creation(context.subject, plan)
    } else {
        Explorer::of_plan(context.subject, plan)
    }
}

fn depth(context: &Context, creation: bool) -> Depth {
    let nested = if context.scale.nested_in_full { Tiers::ALL } else { Tiers::NESTED };
    Depth { first: Tiers::ALL, nested: (!creation).then_some(nested) }
}

/// What no plan made the subject do, in words.
fn not_reached(context: &Context, done: &[Case]) -> Option<String> {
    let mut reached = Mechanisms::default();
    let capabilities = context.subject.about().capabilities;
    for case in done {
        reached.merge(&Mechanisms::reached_by(&case.plan, capabilities));
    }
    let missing: Vec<_> = NEEDED
        .into_iter()
        .filter(|one| !reached.contains(*one))
        .map(|one| format!("{one:?}"))
        .collect();
    (!missing.is_empty()).then(|| format!("no plan reached {}", missing.join(", ")))
}

fn show_plans(measured: &mut Measured, total: &Explored, divergent: u64) {
    let kills = select(&total.first, "", |tier| tier == Tier::T0).without(DIVERGENT, divergent);
    let power = select(&total.first, "", |tier| tier > Tier::T0);
    let nested_kills = select(&total.nested_kills, "nested ", |_| true);
    let nested_power = select(&total.nested_power, "nested ", |_| true);
    let mut atomic = Evidence::default();
    for part in [&kills, &power, &nested_kills, &nested_power] {
        atomic.done += part.done;
        atomic.possible = Some(atomic.possible.unwrap_or_default() + part.possible.unwrap_or(0));
        atomic.unit = part.unit;
    }
    // Only a recovery that was accepted is lived in, so there is no number of them to reach.
    let lived = Evidence { possible: None, ..Evidence::of(total.recoveries, 0, "recoveries") };
    measured.show("AC-02.recovery-stable", lived);
    measured.show("AC-02.kill-boundaries", kills);
    measured.show("AC-02.recovery-killed", nested_kills);
    measured.show("AC-03.crash-atomic", atomic);
    measured.show(
        "AC-04.power-loss",
        Evidence { legal_space_log2: Some(total.legal_space_log2), ..power },
    );
    measured.show("AC-04.recovery-loses-power", nested_power);
}

/// Of T1, a nested power loss is only the one that takes all that is pending, unless asked for in
/// full: the name must not promise more.
fn name_all_lost(measured: &mut Measured) {
    for evidence in measured.evidence.values_mut() {
        if let Some(counts) = evidence.counts.remove("nested T1") {
            evidence.counts.insert("nested all-lost".to_owned(), counts);
        }
    }
}

fn show_creations(measured: &mut Measured, total: &Explored) {
    measured.show("AC-02.creation", select(&total.first, "creation ", |tier| tier == Tier::T0));
    measured.show("AC-04.creation", select(&total.first, "creation ", |tier| tier > Tier::T0));
}

/// Evidence from the tiers chosen; distinct states were possible, checked ones are done.
fn select(counts: &TierCounts, prefix: &str, chosen: fn(Tier) -> bool) -> Evidence {
    let chosen = counts.iter().filter(|(tier, _)| chosen(*tier));
    let counts: Vec<(String, Counts)> =
        chosen.map(|(tier, counts)| (format!("{prefix}{tier}"), counts)).collect();
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(|(_, counts)| of(counts)).sum();
    let evidence = Evidence::of(sum(|one| one.checked), sum(|one| one.distinct), "states");
    Evidence { counts: counts.into_iter().collect(), ..evidence }
}

/// One finding of each claim and kind. What a kill already shows is a flaw of kills: a power loss
/// that shows the same kind of wrong tells nothing more.
fn findings(context: &Context, done: &[Case]) -> Vec<Finding> {
    let failures = || {
        let explored = done.iter().filter_map(|case| Some((case, case.came_to.as_ref().ok()?)));
        explored.flat_map(|(case, explored)| explored.failures.iter().map(move |one| (case, one)))
    };
    let by_kill: BTreeSet<Kind> = failures()
        .filter(|(_, failure)| failure.world == World::ProcessKill)
        .map(|(_, failure)| failure.kind)
        .collect();
    let mut seen = BTreeSet::new();
    let mut found: Vec<Finding> = failures()
        .filter(|(_, one)| one.world == World::ProcessKill || !by_kill.contains(&one.kind))
        .filter(|(case, failure)| seen.insert((under_test(case, failure), failure.kind)))
        .map(|(case, failure)| finding(context, case, failure))
        .collect();
    let divergences =
        done.iter().find_map(|case| Some((case, case.came_to.as_ref().err()?.as_ref())));
    found.extend(
        divergences.map(|(case, divergence)| {
            differential::finding(context, &case.plan, divergence.clone())
        }),
    );
    found
}

fn under_test(case: &Case, failure: &Failure) -> &'static str {
    match (failure.world, case.creation, failure.nested) {
        (World::PowerLoss, true, _) => "AC-04.creation",
        (World::PowerLoss, false, true) => "AC-04.recovery-loses-power",
        (World::PowerLoss, false, false) => "AC-04.power-loss",
        (_, true, _) => "AC-02.creation",
        (_, false, _) if failure.kind == Kind::Unstable => "AC-02.recovery-stable",
        (_, false, true) => "AC-02.recovery-killed",
        (_, false, false) => "AC-02.kill-boundaries",
    }
}

/// The finding of a failure, its plan shrunk.
fn finding(context: &Context, case: &Case, failure: &Failure) -> Finding {
    let depth = Depth {
        first: match failure.world {
            World::ProcessKill => Tiers::KILLS,
            World::Undisturbed | World::PowerLoss => Tiers::ALL,
        },
        nested: depth(context, case.creation).nested.filter(|_| failure.nested),
    };
    let again = |plan: &Plan| explorer(context, plan, case.creation).first_like(depth, failure);
    // Each trial explores a whole plan: far fewer are granted than for a single run.
    let trials = context.scale.shrink_trials / 10;
    let plan = shrink(&case.plan, trials, &mut |plan| again(plan).is_some());
    let failure = again(&plan).unwrap_or_else(|| failure.clone());
    let Failure { kind, world, story, choices, .. } = &failure;
    let finding = Finding::new(*kind, *world, under_test(case, &failure), story.clone());
    let scene = Scene::Crash { creation: case.creation, choices: choices.clone() };
    context.with_case(finding, plan, scene)
}
