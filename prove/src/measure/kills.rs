//! Real kills on real files: a process ends itself before and after each of its storage calls, or
//! is killed at a random moment; a fresh process recovers, and is judged.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proofhouse_crash::{Call, CallKind, KillAfter, SimDisk, Tree};
use proofhouse_model::rng::Rng;
use proofhouse_model::{
    GenerateProfile, History, Oracle, Plan, RunOptions, State, Violation, Window, accept, life_two,
    run,
};
use proofhouse_subjects::{KillPoint, Placed};

use serde::{Deserialize, Serialize};

use super::{Context, Measured, Room, differential};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::process::{ChildError, Saw, Site, Witness};
use crate::verdict::{Evidence, Reason};

/// What a real kill leaves.
pub(super) const ROOM: Room = Room {
    name: "real kills on real files",
    claims: &["AC-02.real-kills", "AC-02.random-kills"],
    split: true,
    measure,
};

/// One life to be cut short.
struct Cycle {
    plan: Arc<Planned>,
    kill: Kill,
}

/// How it is cut short.
#[derive(Clone, Copy)]
enum Kill {
    /// By itself, at a storage call.
    At(KillPoint),
    /// From outside.
    Random(KillAfter),
}

/// A plan and all that is due of it.
struct Planned {
    plan: Plan,
    history: History,
    /// The files before each storage call that can change them, and after the last.
    images: Vec<Tree>,
}

/// What is wrong after a kill.
#[derive(Serialize, Deserialize)]
struct Wrong {
    kind: Kind,
    story: String,
    /// What the kill left, unless it could not be read.
    left: Option<(Window, Tree)>,
}

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    let Some(program) = context.program else {
        for claim in ROOM.claims {
            measured.show(claim, Evidence::stopped(Reason::Skipped, "no program to start"));
        }
        return measured;
    };
    let planned: Vec<_> =
        (0..context.scale.kill_plans).filter_map(|case| Planned::new(context, case)).collect();
    let cycles: Vec<Cycle> = planned.iter().flat_map(Planned::cycles).collect();
    run_cycles(context, program, "AC-02.real-kills", &cycles, &mut measured);
    let mut rng = Rng::new(context.seed_of("random kills", 0));
    let random = (0..context.scale.random_kills).filter_map(|_| random(&planned, &mut rng));
    let cycles: Vec<Cycle> = random.collect();
    run_cycles(context, program, "AC-02.random-kills", &cycles, &mut measured);
    measured
}

/// Runs cycles and shows the evidence of one claim.
fn run_cycles(
    context: &Context,
    program: &Path,
    claim: &'static str,
    cycles: &[Cycle],
    measured: &mut Measured,
) {
    let all = cycles.len() as u64;
    let cycle = |case: u64| usize::try_from(case).ok().and_then(|case| cycles.get(case));
    let done = context.cases(claim, parallel::WAIT, all, |case| {
        cycle(case).map(|cycle| cycle.run(context, program))
    });
    let cut_short = |(_, came): &&(u64, Option<Result<Witness, Wrong>>)| {
        matches!(came, Some(Ok(Witness { calls: None, .. })))
    };
    let killed = done.iter().filter(cut_short).count() as u64;
    // A random moment may come after the end, so that only the cycles are the same every time.
    let random = cycles.iter().any(Cycle::is_random);
    let mut evidence = if random {
        Evidence::of(done.len() as u64, all, "cycles")
    } else {
        Evidence::of(killed, all, "kills")
    };
    evidence.observed = [("cycles", done.len() as u64), ("kills", killed)]
        .map(|(figure, count)| (figure.to_owned(), count))
        .into();
    measured.show(claim, evidence);
    for (case, came) in done {
        let (Some(cycle), Some(Err(wrong))) = (cycle(case), came) else { continue };
        let finding = Finding::new(wrong.kind, World::ProcessKill, claim, wrong.story);
        measured.findings.push(match wrong.left {
            Some((window, image)) => {
                let scene = Scene::Killed { window, image: Box::new(image) };
                context.with_case(finding, cycle.plan.plan.clone(), scene)
            }
            None => finding,
        });
    }
}

fn random(planned: &[Arc<Planned>], rng: &mut Rng) -> Option<Cycle> {
    let plan = Arc::clone(rng.pick(planned)?);
    // Two lines per event; the delay reaches over a few storage calls.
    let lines = usize::try_from(rng.below(2 * plan.history.events() + 1)).unwrap_or_default();
    let delay = Duration::from_micros(rng.below(2_000));
    Some(Cycle { plan, kill: Kill::Random(KillAfter { lines, delay }) })
}

impl Planned {
    /// A plan, carried out once on the simulated disk; `None` if it diverges there, which other
    /// measurements tell.
    fn new(context: &Context, case: u64) -> Option<Arc<Self>> {
        let plan = context.plan("kills", case, &GenerateProfile::crash());
        let plan = differential::with_reads(&plan, context.subject.about().capabilities);
        let disk = SimDisk::new();
        let images = Arc::new(Mutex::new(Vec::new()));
        let (of, seen) = (disk.clone(), Arc::clone(&images));
        disk.set_hook(Some(Arc::new(move |call: &Call<'_>| {
            if changes_files(call.kind) {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(of.tree());
            }
            Ok(())
        })));
        let options = RunOptions { history: true, close: true };
        let history = run(context.subject, &disk, &plan, options, &mut ()).ok()?.history;
        disk.set_hook(None);
        let mut images =
            std::mem::take(&mut *images.lock().unwrap_or_else(PoisonError::into_inner));
        images.push(disk.tree());
        Some(Arc::new(Self { plan, history, images }))
    }

    /// A kill before and after each storage call.
    fn cycles(self: &Arc<Self>) -> impl Iterator<Item = Cycle> {
        let calls = self.images.len() as u64 - 1;
        let points = (0..calls).flat_map(|call| [KillPoint::Before(call), KillPoint::After(call)]);
        let plan = Arc::clone(self);
        points.map(move |point| Cycle { plan: Arc::clone(&plan), kill: Kill::At(point) })
    }
}

/// The calls that victims count.
fn changes_files(kind: CallKind) -> bool {
    match kind {
        CallKind::Create
        | CallKind::CreateDir
        | CallKind::Rename
        | CallKind::Remove
        | CallKind::SyncDir
        | CallKind::Lock
        | CallKind::Write
        | CallKind::SetLen
        | CallKind::SyncData
        | CallKind::SyncFull => true,
        CallKind::Open | CallKind::List | CallKind::Len | CallKind::Read | CallKind::View => false,
    }
}

impl Cycle {
    fn is_random(&self) -> bool {
        matches!(self.kill, Kill::Random(_))
    }

    /// One life, its end, and the next one.
    fn run(&self, context: &Context, program: &Path) -> Result<Witness, Wrong> {
        let plan = &self.plan.plan;
        let site = Site::new(context.dir, context.name, plan).map_err(|error| broken(&error))?;
        let witness = match self.kill {
            Kill::At(point) => site.victim(program, point),
            Kill::Random(kill) => site.victim_of(program, kill),
        };
        let witness = witness.map_err(|error| ended(&error, None))?;
        let left = if site.store().exists() {
            Tree::read_from(&site.store()).map_err(|error| broken(&error))?
        } else {
            Tree::new()
        };
        self.compare(&left)?;
        let fail =
            |(kind, story)| Wrong { kind, story, left: Some((witness.window, left.clone())) };
        let saw = site.survivor(program);
        let saw = saw.map_err(|error| ended(&error, Some((witness.window, left.clone()))))?;
        judge(context.subject, &self.plan, witness.window, &saw).map_err(fail)?;
        Ok(witness)
    }

    /// A kill at a storage call leaves what the simulated disk shows there, byte for byte: or the
    /// simulation is not of this world.
    fn compare(&self, left: &Tree) -> Result<(), Wrong> {
        let (side, call, index) = match self.kill {
            Kill::Random(_) | Kill::At(KillPoint::Never) => return Ok(()),
            Kill::At(KillPoint::Before(call)) => ("before", call, call),
            Kill::At(KillPoint::After(call)) => ("after", call, call + 1),
        };
        let due = usize::try_from(index).ok().and_then(|index| self.plan.images.get(index));
        if due.is_some_and(|due| due.digest() == left.digest()) {
            return Ok(());
        }
        let story = format!(
            "a kill {side} storage call {call} left other files than the simulated disk has there"
        );
        Err(Wrong { kind: Kind::HarnessBroken, story, left: None })
    }
}

fn broken(error: &dyn std::error::Error) -> Wrong {
    Wrong { kind: Kind::HarnessBroken, story: error.to_string(), left: None }
}

fn ended(error: &ChildError, left: Option<(Window, Tree)>) -> Wrong {
    let kind = match error {
        ChildError::Hung => Kind::Hang,
        ChildError::Ended { .. } if left.is_some() => Kind::RecoveryFailed,
        ChildError::Ended { .. } | ChildError::Io(_) => Kind::HarnessBroken,
    };
    Wrong { kind, story: error.to_string(), left }
}

/// The acceptance rule for what a survivor saw.
fn judge(
    subject: &Placed,
    planned: &Planned,
    window: Window,
    saw: &Saw,
) -> Result<(), (Kind, String)> {
    let wrong = |violation: &Violation| (violation.kind().into(), violation.to_string());
    let (shown, after, kept) = match saw {
        Saw::Wrong(violation) => return Err(wrong(violation)),
        Saw::States { shown, after, kept } => (shown, after, kept),
    };
    let synced = planned.history.synced(window.issued);
    let promised = window.promised(subject.about().promises.after_kill, synced);
    if let Some(window) = promised {
        accept(&planned.history, window, shown).map_err(|violation| wrong(&violation))?;
    }
    let due = after_life_two(subject, &planned.plan, shown);
    for (found, when) in [(after, "after two commits"), (kept, "after a clean close")] {
        let differences = due.differences(found);
        if let Some(first) = differences.first() {
            return Err((Kind::Lost, format!("{when} of the next life, {first}")));
        }
    }
    Ok(())
}

/// Recovers files that a kill left and judges what is shown, as a survivor does.
///
/// # Errors
/// What is wrong, in kind and words.
pub(crate) fn recover(
    subject: &Placed,
    plan: &Plan,
    window: Window,
    disk: &SimDisk,
) -> Result<(), (Kind, String)> {
    let options = RunOptions { history: true, close: true };
    let history = run(subject, &SimDisk::new(), plan, options, &mut ())
        .map_err(|divergence| (Kind::Divergence, divergence.to_string()))?
        .history;
    let planned = Planned { plan: plan.clone(), history, images: Vec::new() };
    judge(subject, &planned, window, &Saw::of(subject, disk, plan))
}

/// What two more commits make of a state.
fn after_life_two(subject: &Placed, plan: &Plan, shown: &State) -> State {
    let capabilities = subject.about().capabilities;
    let mut oracle = Oracle::from_state(&plan.settings, capabilities, shown.clone(), 0);
    for op in life_two(shown, capabilities, 2) {
        oracle.step(&op);
    }
    oracle.state().clone()
}
