//! `ops_differential` and `ops_crash`: plans in the reference engine.

use entidb_engine::storage::MemStorage;
use proofhouse::case::{Case, FORMAT, Scene, VERSION};
use proofhouse::driving::Driving;
use proofhouse::due::{Due, Wrong};
use proofhouse::finding::{Kind, World};
use proofhouse_crash::{CrashKind, CrashState, Mark, Profile, SimDisk, Tiers, Trace, enumerate};
use proofhouse_model::{
    Divergence, Marks, Plan, RunOptions, State, Store, Subject, Universe, Violation, life_two,
    observe, run,
};
use proofhouse_subjects::{Placed, Reference, flawed};

use crate::{Broken, Checked, Under, plan};

/// The most operations of a plan that is only compared, and of one that is crashed.
pub const OPS: usize = 32;
/// See [`OPS`].
pub const CRASH_OPS: usize = 12;

/// Bytes before the plan of `ops_crash`: the medium, and which states.
pub const CRASH_HEAD: usize = 3;

/// Crash states judged of one plan: the input chooses which, and another input others.
const STATES: usize = 4;

/// What went wrong with a plan, and where.
struct Failure {
    wrong: Wrong,
    world: World,
    scene: Scene,
    /// The crash, in words.
    story: String,
}

/// `ops_differential`: a plan. Invariants:
/// - every answer is the oracle's, refusals and sequence numbers included;
/// - the store opens again and again, and closes;
/// - what is there at the end is what the oracle holds, by every way of reading.
///
/// # Errors
/// What is broken.
pub fn differential(input: &[u8], under: Under) -> Checked {
    let plan = plan::read(input, OPS);
    tell(&plan, diverges(&differential_subject(under)?, &plan))
}

/// `ops_crash`: a byte for the medium, two for which states, then a plan. Invariants:
/// - whatever a kill or a power loss leaves opens, and shows the state after as many events as were
///   acknowledged, or more, up to those issued, by every way of reading;
/// - a second open shows the same;
/// - the store goes on: two more commits answer as the oracle does, and a clean close keeps all.
///
/// # Errors
/// What is broken.
pub fn crash(input: &[u8], under: Under) -> Checked {
    let (plan, states) = crash_plan(input);
    tell(&plan, crashes(&crash_subject(under)?, &plan, &states))
}

/// The case file of an input of `ops_differential`; `None` if nothing is broken by it.
///
/// # Errors
/// There is no such flawed subject.
pub fn differential_case(input: &[u8], under: Under) -> Result<Option<Case>, Broken> {
    let (subject, plan) = (differential_subject(under)?, plan::read(input, OPS));
    let failure = diverges(&subject, &plan);
    Ok(failure.map(|failure| case(&subject, plan, failure)))
}

/// The case file of an input of `ops_crash`; `None` if nothing is broken by it.
///
/// # Errors
/// There is no such flawed subject.
pub fn crash_case(input: &[u8], under: Under) -> Result<Option<Case>, Broken> {
    let (subject, (plan, states)) = (crash_subject(under)?, crash_plan(input));
    let failure = crashes(&subject, &plan, &states);
    Ok(failure.map(|failure| case(&subject, plan, failure)))
}

fn tell(plan: &Plan, failure: Option<Failure>) -> Checked {
    let Some(Failure { wrong: (kind, words), story, .. }) = failure else { return Ok(()) };
    Err(Broken(format!("{story}: {kind:?}: {words}\n{plan}")))
}

fn case(subject: &Placed, plan: Plan, failure: Failure) -> Case {
    let claim = match failure.world {
        World::Undisturbed => "AC-09.differential",
        World::ProcessKill => "AC-02.kill-boundaries",
        World::PowerLoss => "AC-04.power-loss",
    };
    let (kind, words) = failure.wrong;
    Case {
        format: FORMAT.to_owned(),
        version: VERSION,
        subject: subject.about().name.clone(),
        driving: Driving::default(),
        seed: plan.seed,
        claim: claim.to_owned(),
        kind,
        world: failure.world,
        story: vec![failure.story, words],
        causes: Vec::new(),
        plan,
        scene: failure.scene,
    }
}

fn differential_subject(under: Under) -> Result<Placed, Broken> {
    subject(under, "sequence-skips-on-abort")
}

fn crash_subject(under: Under) -> Result<Placed, Broken> {
    subject(under, "ack-before-sync")
}

/// The engine, or a small store with one flaw.
fn subject(under: Under, flaw: &str) -> Result<Placed, Broken> {
    if under == Under::Sound {
        return Ok(Placed::new(Reference::new()));
    }
    let flawed = flawed::all().into_iter().find(|flawed| flawed.name == flaw);
    flawed.map(|it| it.subject).ok_or_else(|| Broken(format!("no flawed subject {flaw}")))
}

/// Which of a plan's crash states are judged.
struct States {
    medium: Profile,
    first: usize,
    stride: usize,
}

fn crash_plan(input: &[u8]) -> (Plan, States) {
    let (head, rest) = input.split_first_chunk::<CRASH_HEAD>().unwrap_or((&[0; 3], &[]));
    let [medium, first, stride] = *head;
    let medium = if medium & 1 == 0 { Profile::Posix } else { Profile::Ext4 };
    let states = States { medium, first: first.into(), stride: usize::from(stride) + 1 };
    (plan::read(rest, CRASH_OPS), states)
}

fn undisturbed(wrong: Wrong) -> Failure {
    let story = "without a crash".to_owned();
    Failure { wrong, world: World::Undisturbed, scene: Scene::Undisturbed, story }
}

fn diverged(divergence: &Divergence) -> Wrong {
    (Kind::Divergence, divergence.to_string())
}

fn diverges(subject: &Placed, plan: &Plan) -> Option<Failure> {
    let memory = MemStorage::new();
    let options = RunOptions { history: false, close: true };
    let wrong = match run(subject, &memory, plan, options, &mut ()) {
        Err(divergence) => Some(diverged(&divergence)),
        Ok(run) => match see(subject, &memory, plan) {
            Err(wrong) => Some(wrong),
            Ok(kept) if kept == *run.oracle.state() => None,
            Ok(kept) => {
                let differences = run.oracle.state().differences(&kept);
                Some((Kind::Divergence, format!("the close did not keep {differences:?}")))
            }
        },
    };
    wrong.map(undisturbed)
}

fn crashes(subject: &Placed, plan: &Plan, states: &States) -> Option<Failure> {
    let (trace, due) = match record(subject, plan) {
        Ok(recorded) => recorded,
        Err(divergence) => return Some(undisturbed(diverged(&divergence))),
    };
    let chosen = enumerate(&trace, states.medium, Tiers::ALL)
        .skip(states.first)
        .step_by(states.stride)
        .filter(|state| due.judges(state.kind))
        .take(STATES);
    chosen.enumerate().find_map(|(number, state)| {
        let goes_on = number + 1 == STATES;
        let wrong = survive(subject, plan, &due, &state, goes_on).err()?;
        let world = match state.kind {
            CrashKind::ProcessKill => World::ProcessKill,
            CrashKind::PowerLoss => World::PowerLoss,
        };
        let story = trace.explain(&state.choice).to_string();
        let scene = Scene::Crash { creation: false, choices: vec![state.choice] };
        Some(Failure { wrong, world, scene, story })
    })
}

/// Carries out the plan on a fresh disk. The store's creation is settled before it begins.
fn record(subject: &Placed, plan: &Plan) -> Result<(Trace, Due), Box<Divergence>> {
    let disk = SimDisk::new();
    let options = RunOptions { history: true, close: true };
    let run = run(subject, &disk, plan, options, &mut OnDisk(&disk))?;
    Ok((disk.trace(), Due::of_plan(subject.about().promises, run.history)))
}

/// Judges one state that a crash left.
fn survive(
    subject: &Placed,
    plan: &Plan,
    due: &Due,
    state: &CrashState,
    goes_on: bool,
) -> Result<(), Wrong> {
    let disk = SimDisk::from_state(state);
    let shown = see(subject, &disk, plan)?;
    let capabilities = subject.about().capabilities;
    let accepted = due.accept(state, &shown, &plan.settings, capabilities)?;
    disk.mark(Mark::Shown(0));
    let store = open(subject, &disk, plan)?;
    let again = look::<SimDisk>(subject, &*store, plan)?;
    if again != shown {
        return Err((Kind::Unstable, format!("{:?}", shown.differences(&again))));
    }
    if !goes_on {
        return Ok(());
    }
    let ops = life_two(&shown, capabilities, 2);
    let run = accepted
        .live_on(store.client().as_mut(), &ops, &mut ())
        .map_err(|divergence| (Kind::Divergence, format!("after the recovery, {divergence}")))?;
    store.close().map_err(|refusal| violated(&Violation::Refused(refusal)))?;
    let kept = see(subject, &disk, plan)?;
    due.after(state, run.history).closed(&kept)
}

fn violated(violation: &Violation) -> Wrong {
    (violation.kind().into(), violation.to_string())
}

fn open<P: ?Sized>(
    subject: &dyn Subject<P>,
    place: &P,
    plan: &Plan,
) -> Result<Box<dyn Store>, Wrong> {
    let opened = subject.open(place, &plan.settings);
    opened.map_err(|refusal| violated(&Violation::Refused(refusal)))
}

/// Opens, reads everything by every path, and drops the store as a kill would.
fn see<P: ?Sized>(subject: &dyn Subject<P>, place: &P, plan: &Plan) -> Result<State, Wrong> {
    look(subject, &*open(subject, place, plan)?, plan)
}

fn look<P: ?Sized>(
    subject: &dyn Subject<P>,
    store: &dyn Store,
    plan: &Plan,
) -> Result<State, Wrong> {
    let capabilities = subject.about().capabilities;
    observe(store.client().as_mut(), &Universe::of(plan), capabilities)
        .map_err(|violation| violated(&violation))
}

/// Writes events into the trace, and settles the disk once the store has been created.
struct OnDisk<'a>(&'a SimDisk);

impl Marks for OnDisk<'_> {
    fn step(&mut self, index: usize) {
        if index == 0 {
            self.0.settle();
        }
    }

    fn issue(&mut self, event: u64) {
        self.0.mark(Mark::Issue(event));
    }

    fn ack(&mut self, event: u64) {
        self.0.mark(Mark::Ack(event));
    }
}
