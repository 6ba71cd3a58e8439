//! Crashes on the simulated disk: a plan is run once, then every state that a crash of it could
//! leave is recovered and judged; recoveries themselves are recorded and crashed again.

mod chain;
mod life;
mod mutants;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use proofhouse_crash::{
    Choice, Class, Counts, CrashKind, CrashState, Dedup, Mark, Profile, SimDisk, Tier, TierCounts,
    Tiers, Trace, enumerate,
};
use proofhouse_model::{Divergence, Marks, Op, Plan, RunOptions, Subject, Universe, run};

use serde::{Deserialize, Serialize};

pub use chain::{ReplayError, Told, medium_of};
pub(crate) use mutants::call_site;
pub use mutants::{CallSite, Mutants, Noticed};

use crate::cause::Causes;
use crate::due::{Due, Wrong};
use crate::finding::{Kind, World};
use crate::story::{Act, Step};

/// Explores the crashes of one plan in one subject, on one medium.
pub struct Explorer<'a> {
    subject: &'a dyn Subject<SimDisk>,
    plan: &'a Plan,
    universe: Universe,
    /// Whether the store's creation may crash too; else it is settled first.
    creation: bool,
    /// Whose rules say what survives.
    medium: Profile,
}

/// How much to enumerate.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Of the life that carries out the plan.
    pub first: Tiers,
    /// Of the lives that recover from tiers T0 to T2 of that; `None` for not at all.
    pub nested: Option<Tiers>,
}

/// What the exploration of a plan came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Explored {
    /// Crashes of the plan.
    pub first: TierCounts,
    /// Kills of a recovery, or of the life after it, that followed a kill.
    pub nested_kills: TierCounts,
    /// Crashes of a recovery, or of the life after it, with a power loss among the two.
    pub nested_power: TierCounts,
    /// Recoveries lived in: one of each distinct state, as no two of them go the same way.
    pub recoveries: u64,
    /// The base-two logarithm of the number of all states that power loss can leave.
    pub legal_space_log2: f64,
    /// What went wrong, first met first, one of each kind.
    pub failures: Vec<Failure>,
}

/// Crashes after which the subject was wrong in one way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done: a power loss if there was one in any life.
    pub world: World,
    /// Whether the crash that mattered was one of a recovery.
    pub nested: bool,
    /// What was lost, and how often.
    pub causes: Causes,
}

/// What came of media that leave garbage in sectors under way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BadMedia {
    /// The states.
    pub counts: Counts,
    /// How many were wrong, by kind.
    pub violations: BTreeMap<Kind, u64>,
}

impl BadMedia {
    /// What several plans came to together.
    pub fn total<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut total = Self::default();
        for one in all {
            total.counts += one.counts;
            for (kind, states) in &one.violations {
                *total.violations.entry(*kind).or_default() += states;
            }
        }
        total
    }

    /// How many states were wrong.
    pub fn violating(&self) -> u64 {
        self.violations.values().sum()
    }
}

/// A life on record, and what is due of whatever a crash of it leaves.
#[derive(Clone)]
struct Recorded {
    trace: Trace,
    /// What was asked meanwhile.
    steps: Vec<Step>,
    due: Due,
}

/// An exploration under way, and what it looks for.
struct Search<'a> {
    explored: Explored,
    /// Whether a failure is the one looked for; the search ends with it.
    sought: &'a dyn Fn(&Failure, &Class) -> bool,
    found: Option<(Class, Vec<Choice>)>,
}

impl<'a> Explorer<'a> {
    /// Crashes of a plan on a store whose creation is settled: durable before the plan begins. The
    /// medium is `posix`.
    pub fn of_plan(subject: &'a dyn Subject<SimDisk>, plan: &'a Plan) -> Self {
        let medium = Profile::Posix;
        Self { subject, plan, universe: Universe::of(plan), creation: false, medium }
    }

    /// Crashes of a plan, creation included.
    pub fn of_creation(subject: &'a dyn Subject<SimDisk>, plan: &'a Plan) -> Self {
        Self { creation: true, ..Self::of_plan(subject, plan) }
    }

    /// The same crashes on another medium.
    pub fn under(self, medium: Profile) -> Self {
        Self { medium, ..self }
    }

    /// How the plan diverges from the oracle without any crash, if it does.
    pub fn diverges(&self) -> Option<Box<Divergence>> {
        self.record().err()
    }

    /// Runs the plan and everything that could become of it.
    ///
    /// # Errors
    /// The plan diverges from the oracle without any crash.
    pub fn explore(&self, depth: Depth) -> Result<Explored, Box<Divergence>> {
        let recorded = self.record()?;
        let mut search = Search::until(&|_, _| false);
        self.walk(&recorded, depth, &mut search);
        let legal_space_log2 = recorded.trace.legal_space_log2(self.medium);
        Ok(Explored { legal_space_log2, ..search.explored })
    }

    /// The first failure of the same kind and of a wanted class: the class and the crash of each
    /// life. For shrinking; nothing beyond it is explored.
    pub fn first_like(
        &self,
        depth: Depth,
        like: &Failure,
        wanted: &dyn Fn(&Class) -> bool,
    ) -> Option<(Class, Vec<Choice>)> {
        let recorded = self.record().ok()?;
        let sought = |failure: &Failure, class: &Class| failure.is_like(like) && wanted(class);
        let mut search = Search::until(&sought);
        self.walk(&recorded, depth, &mut search);
        search.found
    }

    /// Recovers what is left by media that leave garbage in sectors under way. Such states decide
    /// nothing: no store promises to survive them, though checksums may.
    ///
    /// # Errors
    /// The plan diverges from the oracle without any crash.
    pub fn on_bad_media(&self) -> Result<BadMedia, Box<Divergence>> {
        let recorded = self.record()?;
        let mut came_to = BadMedia::default();
        let (mut counts, mut seen) = (TierCounts::default(), Dedup::default());
        for state in enumerate(&recorded.trace, self.medium, Tiers::BAD_MEDIA) {
            if !recorded.due.judges(state.kind) || !counts.count(&state, &mut seen) {
                continue;
            }
            if let Err((kind, _)) = self.recover(&recorded, &state) {
                *came_to.violations.entry(kind).or_default() += 1;
            }
            counts.checked(&state);
        }
        came_to.counts = counts.total();
        Ok(came_to)
    }

    fn walk(&self, recorded: &Recorded, depth: Depth, search: &mut Search<'_>) {
        let mut seen = Dedup::default();
        for state in enumerate(&recorded.trace, self.medium, depth.first) {
            let judged = recorded.due.judges(state.kind);
            if !judged || !search.explored.first.count(&state, &mut seen) {
                continue;
            }
            match self.recover(recorded, &state) {
                Err((kind, _)) => search.fail(recorded, &[&state], kind),
                Ok(recovery) => {
                    search.explored.recoveries += 1;
                    let nested = depth.nested.filter(|_| state.choice.tier() <= Tier::T2);
                    self.live(recovery, recorded, &state, nested, search);
                }
            }
            search.explored.first.checked(&state);
            if search.found.is_some() {
                break;
            }
        }
    }

    /// Carries out the plan on a fresh disk.
    fn record(&self) -> Result<Recorded, Box<Divergence>> {
        let disk = SimDisk::new();
        let mut marks = DiskMarks::new(&disk, &self.plan.ops);
        marks.settle = !self.creation;
        marks.note(Act::Open);
        let options = RunOptions { history: true, close: true };
        let run = run(self.subject, &disk, self.plan, options, &mut marks)?;
        let steps = marks.steps;
        let due = Due::of_plan(self.subject.about().promises, run.history);
        Ok(Recorded { trace: disk.trace(), steps, due })
    }

    /// Recovers a state for the first time and judges what it shows.
    fn recover(&self, recorded: &Recorded, state: &CrashState) -> Result<life::Recovery, Wrong> {
        let disk = SimDisk::from_state(state);
        let shown = self.look(&disk)?;
        let capabilities = self.subject.about().capabilities;
        let accepted = recorded.due.accept(state, &shown, &self.plan.settings, capabilities)?;
        disk.mark(Mark::Shown(0));
        Ok(life::Recovery { disk, shown, accepted })
    }

    /// Lives on after a recovery; then crashes that life, as deep as asked.
    fn live(
        &self,
        recovery: life::Recovery,
        recorded: &Recorded,
        state: &CrashState,
        nested: Option<Tiers>,
        search: &mut Search<'_>,
    ) {
        let next = match self.live_on(recovery, recorded, state) {
            Err((kind, _)) => return search.fail(recorded, &[state], kind),
            Ok(next) => next,
        };
        let Some(tiers) = nested else { return };
        let mut seen = Dedup::default();
        for crash in enumerate(&next.trace, self.medium, tiers) {
            let counts = search.explored.nested(&[state, &crash]);
            if !next.due.judges(crash.kind) || !counts.count(&crash, &mut seen) {
                continue;
            }
            counts.checked(&crash);
            if let Err((kind, _)) = self.recover(&next, &crash) {
                search.fail(&next, &[state, &crash], kind);
            }
            if search.found.is_some() {
                break;
            }
        }
    }
}

impl<'a> Search<'a> {
    fn until(sought: &'a dyn Fn(&Failure, &Class) -> bool) -> Self {
        Self { explored: Explored::default(), sought, found: None }
    }

    /// Takes note of a failure. The class is that of the last crash.
    fn fail(&mut self, recorded: &Recorded, chain: &[&CrashState], kind: Kind) {
        // A state was made from its choice, so the choice fits.
        let class = chain.last().and_then(|last| recorded.trace.classify(&last.choice).ok());
        let Some(class) = class else { return };
        let failure = Failure::new(kind, chain);
        let choices = || chain.iter().map(|state| state.choice.clone()).collect();
        if (self.sought)(&failure, &class) {
            self.found = Some((class.clone(), choices()));
        }
        let failures = &mut self.explored.failures;
        let place = failures.iter().position(|known| known.is_like(&failure));
        let place = place.unwrap_or_else(|| {
            failures.push(failure);
            failures.len() - 1
        });
        failures[place].causes.count(class, choices);
    }
}

impl Failure {
    fn new(kind: Kind, chain: &[&CrashState]) -> Self {
        Self { kind, world: world(chain), nested: chain.len() > 1, causes: Causes::default() }
    }

    /// Whether it is told together with another one.
    fn is_like(&self, other: &Self) -> bool {
        (self.kind, self.world, self.nested) == (other.kind, other.world, other.nested)
    }
}

/// What the world did in a chain of crashes.
fn world(chain: &[&CrashState]) -> World {
    if chain.iter().any(|state| state.kind == CrashKind::PowerLoss) {
        World::PowerLoss
    } else {
        World::ProcessKill
    }
}

impl Explored {
    fn nested(&mut self, chain: &[&CrashState]) -> &mut TierCounts {
        match world(chain) {
            World::PowerLoss => &mut self.nested_power,
            World::ProcessKill | World::Undisturbed => &mut self.nested_kills,
        }
    }

    /// What several plans came to together, failures left out.
    pub fn total<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut total = Self::default();
        let mut spaces = Vec::new();
        for one in all {
            total.first.merge(&one.first);
            total.nested_kills.merge(&one.nested_kills);
            total.nested_power.merge(&one.nested_power);
            total.recoveries += one.recoveries;
            spaces.push(one.legal_space_log2);
        }
        // The logarithm of a sum of powers, without leaving the range of a float.
        let most = spaces.iter().copied().fold(0.0, f64::max);
        let sum: f64 = spaces.iter().map(|space| (space - most).exp2()).sum();
        total.legal_space_log2 = most + sum.max(1.0).log2();
        total
    }
}

/// Writes events into the trace, takes note of when what was asked, and settles the disk once the
/// store has been created.
struct DiskMarks<'a> {
    disk: &'a SimDisk,
    ops: &'a [Op],
    settle: bool,
    steps: Vec<Step>,
}

impl<'a> DiskMarks<'a> {
    fn new(disk: &'a SimDisk, ops: &'a [Op]) -> Self {
        Self { disk, ops, settle: false, steps: Vec::new() }
    }

    /// Something is asked now.
    fn note(&mut self, act: Act) {
        self.steps.push(Step { at: self.disk.happened(), act });
    }
}

impl Marks for DiskMarks<'_> {
    fn step(&mut self, index: usize) {
        if index == 0 && self.settle {
            self.disk.settle();
            self.steps.clear();
        }
        self.note(self.ops.get(index).cloned().map_or(Act::Close, Act::Ask));
    }

    fn issue(&mut self, event: u64) {
        self.disk.mark(Mark::Issue(event));
    }

    fn ack(&mut self, event: u64) {
        self.disk.mark(Mark::Ack(event));
    }
}
