//! Crashes on the simulated disk, over generated plans and over the creation of a store.

mod findings;

use proofhouse_crash::{Counts, PowerLoss, Profile, Random, Tier, TierCounts, Tiers};
use proofhouse_model::{Divergence, GenerateProfile, Mechanism, Mechanisms, Plan};

use serde::{Deserialize, Serialize};

use super::{Context, DIVERGENT, Measured, Room, differential, stop};
use crate::explore::{BadMedia, Depth, Explored, Explorer};
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
        "AC-02.compaction",
        "AC-03.crash-atomic",
        "AC-04.power-loss",
        "AC-04.recovery-loses-power",
        "AC-04.creation",
        "AC-04.ext4",
    ],
    split: true,
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

/// One plan and what became of it.
struct Case {
    /// Its number.
    number: u64,
    plan: Plan,
    creation: bool,
    /// Nothing, if it diverges from the oracle without any crash.
    came_to: Option<CameTo>,
}

/// What became of a plan on each medium.
#[derive(Serialize, Deserialize)]
struct CameTo {
    posix: Explored,
    ext4: Explored,
    bad_media: BadMedia,
}

fn measure(context: &Context) -> Measured {
    let plans = context.scale.crash_plans;
    let done = context.cases(ROOM.name, parallel::COMPUTE, CREATIONS + plans, |case| {
        explore(context, &plan(context, case), case).ok()
    });
    let case = |(number, came_to)| Case {
        number,
        plan: plan(context, number),
        creation: is_creation(number),
        came_to,
    };
    let done: Vec<Case> = done.into_iter().map(case).collect();
    let mut measured = Measured::default();
    let came_to = |creation| {
        let of = done.iter().filter(move |case| case.creation == creation);
        of.filter_map(|case| case.came_to.as_ref())
    };
    let divergent = done.iter().filter(|case| case.came_to.is_none()).count() as u64;
    show_plans(&mut measured, came_to(false), divergent);
    show_compactions(&mut measured, context, &done);
    if !context.scale.nested_in_full {
        name_all_lost(&mut measured);
    }
    if let Some(missing) = not_reached(context, &done) {
        stop(&mut measured, Reason::NotReached, &missing);
    }
    show_creations(&mut measured, came_to(true));
    if (done.len() as u64) < CREATIONS + plans {
        let note = format!("{} of {} plans explored", done.len(), CREATIONS + plans);
        stop(&mut measured, Reason::Budget, &note);
    }
    measured.findings = findings::all(context, &done);
    measured
}

fn is_creation(case: u64) -> bool {
    case < CREATIONS
}

fn plan(context: &Context, case: u64) -> Plan {
    let mut plan = context.plan("crashes", case, &GenerateProfile::crash());
    if is_creation(case) {
        plan.ops.clear();
    }
    differential::with_reads(&plan, context.subject.about().capabilities)
}

fn explore(context: &Context, plan: &Plan, case: u64) -> Result<CameTo, Box<Divergence>> {
    let creation = is_creation(case);
    let on = |medium| explorer(context, plan, creation, medium);
    let depth = depth(context, creation, case);
    let power = Depth { first: Tiers { kill: false, ..depth.first }, nested: None };
    Ok(CameTo {
        posix: on(Profile::Posix).explore(depth)?,
        ext4: if creation { Explored::default() } else { on(Profile::Ext4).explore(power)? },
        bad_media: if context.scale.bad_media && !creation {
            on(Profile::Posix).on_bad_media()?
        } else {
            BadMedia::default()
        },
    })
}

fn explorer<'a>(
    context: &Context<'a>,
    plan: &'a Plan,
    creation: bool,
    medium: Profile,
) -> Explorer<'a> {
    let explorer = if creation {
        Explorer::of_creation(context.subject, plan)
    } else {
        Explorer::of_plan(context.subject, plan)
    };
    explorer.under(medium)
}

/// How deep to go in one case; its number decides which random subsets are drawn.
fn depth(context: &Context, creation: bool, case: u64) -> Depth {
    let scale = &context.scale;
    let random =
        Random { count: scale.random_losses, seed: context.seed_of("random losses", case) };
    let power_loss = if scale.pairs { PowerLoss::Pairs } else { PowerLoss::Torn };
    let nested = if scale.nested_in_full { Tiers::ALL } else { Tiers::NESTED };
    Depth {
        first: Tiers { power_loss, random, ..Tiers::ALL },
        nested: (!creation).then_some(nested),
    }
}

/// What no plan made the subject do, in words.
fn not_reached(context: &Context, done: &[Case]) -> Option<String> {
    let mut reached = Mechanisms::default();
    let capabilities = context.subject.about().capabilities;
    for case in done {
        reached.merge(&Mechanisms::reached_by(&case.plan, capabilities));
    }
    // Kills during compactions have a claim of their own; power loss during them has none, for an
    // engine that cannot compact keeps its promise, too.
    let compaction = capabilities.compaction.then_some(Mechanism::Compaction);
    let missing: Vec<_> = NEEDED
        .into_iter()
        .chain(compaction)
        .filter(|one| !reached.contains(*one))
        .map(|one| format!("{one:?}"))
        .collect();
    (!missing.is_empty()).then(|| format!("no plan reached {}", missing.join(", ")))
}

fn show_plans<'a>(
    measured: &mut Measured,
    came_to: impl Iterator<Item = &'a CameTo> + Clone,
    divergent: u64,
) {
    let total = Explored::total(came_to.clone().map(|one| &one.posix));
    let on_ext4 = Explored::total(came_to.clone().map(|one| &one.ext4));
    let bad_media = BadMedia::total(came_to.map(|one| &one.bad_media));
    let kills = select(&total.first, "", |tier| tier == Tier::T0).without(DIVERGENT, divergent);
    let power = select(&total.first, "", |tier| tier > Tier::T0);
    let ext4 = select(&on_ext4.first, "ext4 ", |tier| tier > Tier::T0);
    let nested_kills = select(&total.nested_kills, "nested ", |_| true);
    let nested_power = select(&total.nested_power, "nested ", |_| true);
    let mut atomic = Evidence::default();
    for part in [&kills, &power, &ext4, &nested_kills, &nested_power] {
        atomic.done += part.done;
        atomic.possible = Some(atomic.possible.unwrap_or_default() + part.possible.unwrap_or(0));
        atomic.unit.clone_from(&part.unit);
    }
    // Only a recovery that was accepted is lived in, so there is no number of them to reach.
    let lived = Evidence { possible: None, ..Evidence::of(total.recoveries, 0, "recoveries") };
    measured.show("AC-02.recovery-stable", lived);
    measured.show("AC-02.kill-boundaries", kills);
    measured.show("AC-02.recovery-killed", nested_kills);
    measured.show("AC-03.crash-atomic", atomic);
    measured.show(
        "AC-04.power-loss",
        Evidence {
            legal_space_log2: Some(total.legal_space_log2),
            bad_media: (bad_media.counts.checked > 0).then_some(bad_media),
            ..power
        },
    );
    measured.show("AC-04.ext4", ext4);
    measured.show("AC-04.recovery-loses-power", nested_power);
}

/// Shows the kills of those plans that compact.
fn show_compactions(measured: &mut Measured, context: &Context, done: &[Case]) {
    let capabilities = context.subject.about().capabilities;
    let compacts = |case: &&Case| {
        Mechanisms::reached_by(&case.plan, capabilities).contains(Mechanism::Compaction)
    };
    let came_to = done.iter().filter(compacts).filter_map(|case| case.came_to.as_ref());
    let total = Explored::total(came_to.map(|one| &one.posix));
    let kills = select(&total.first, "compaction ", |tier| tier == Tier::T0);
    measured.show("AC-02.compaction", kills);
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

fn show_creations<'a>(measured: &mut Measured, came_to: impl Iterator<Item = &'a CameTo>) {
    let total = Explored::total(came_to.map(|one| &one.posix));
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
