//! Crashes on the simulated disk: a plan is run once, then every state that a crash of it could
//! leave is recovered and judged; recoveries themselves are recorded and crashed again.

mod life;
#[cfg(test)]
mod tests;

use proofhouse_crash::{
    BadChoice, Choice, CrashKind, CrashState, Dedup, Mark, Profile, SimDisk, TierCounts, Tiers,
    Trace, enumerate,
};
use proofhouse_model::{Divergence, Marks, Plan, RunOptions, Subject, Universe, Violation, run};

use crate::due::{Due, Wrong};
use crate::finding::{Kind, World};

/// The media profile that decides verdicts.
pub const MEDIA: Profile = Profile::Posix;

/// Explores the crashes of one plan in one subject.
pub struct Explorer<'a> {
    subject: &'a dyn Subject<SimDisk>,
    plan: &'a Plan,
    universe: Universe,
    /// Whether the store's creation may crash too; else it is settled first.
    creation: bool,
}

/// How much to enumerate.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Of the life that carries out the plan.
    pub first: Tiers,
    /// Of the lives that recover from that; `None` for not at all.
    pub nested: Option<Tiers>,
}

/// What the exploration of a plan came to.
#[derive(Debug, Default)]
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

/// A crash after which the subject was wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done: a power loss if there was one in any life.
    pub world: World,
    /// Whether the crash that mattered was one of a recovery.
    pub nested: bool,
    /// The crashes, what was due and what was shown.
    pub story: String,
    /// The crash of each life, in order.
    pub choices: Vec<Choice>,
}

/// A life on record, and what is due of whatever a crash of it leaves.
pub struct Recorded {
    /// What happened.
    trace: Trace,
    /// What is due.
    due: Due,
}

impl<'a> Explorer<'a> {
    /// Crashes of a plan on a store whose creation is settled: durable before the plan begins.
    pub fn of_plan(subject: &'a dyn Subject<SimDisk>, plan: &'a Plan) -> Self {
        Self { subject, plan, universe: Universe::of(plan), creation: false }
    }

    /// Crashes of a plan, creation included.
    pub fn of_creation(subject: &'a dyn Subject<SimDisk>, plan: &'a Plan) -> Self {
        Self { creation: true, ..Self::of_plan(subject, plan) }
    }

    /// Runs the plan and everything that could become of it.
    ///
    /// # Errors
    /// The plan diverges from the oracle without any crash.
    pub fn explore(&self, depth: Depth) -> Result<Explored, Box<Divergence>> {
        let recorded = self.record()?;
        let mut explored = Explored {
            legal_space_log2: recorded.trace.legal_space_log2(MEDIA),
            ..Explored::default()
        };
        let mut seen = Dedup::default();
        for state in enumerate(&recorded.trace, MEDIA, depth.first) {
            if !recorded.due.judges(state.kind) || !explored.first.count(&state, &mut seen) {
                continue;
            }
            match self.recover(&recorded, &state) {
                Err(wrong) => explored.fail(&recorded, &[&state], wrong),
                Ok(recovery) => {
                    explored.recoveries += 1;
                    self.live(recovery, &recorded, &state, depth.nested, &mut explored);
                }
            }
            explored.first.checked(&state);
        }
        Ok(explored)
    }

    /// The first failure of a given kind and world, and nothing beyond: for shrinking.
    pub fn first_like(&self, depth: Depth, like: &Failure) -> Option<Failure> {
        let found = self.explore(depth).ok()?.failures.into_iter();
        found.into_iter().find(|one| (one.kind, one.world) == (like.kind, like.world))
    }

    /// Plays one chain of crashes again.
    ///
    /// # Errors
    /// [`ReplayError`] if the chain does not fit what the subject does now.
    pub fn replay(&self, choices: &[Choice]) -> Result<Option<Failure>, ReplayError> {
        let mut recorded = self.record()?;
        let mut before: Vec<CrashState> = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let state = recorded.trace.state(choice)?;
            let chain: Vec<_> = before.iter().chain([&state]).collect();
            let lived = self
                .recover(&recorded, &state)
                .and_then(|recovery| self.live_on(recovery, &recorded, &state));
            match lived {
                Err(wrong) => return Ok(Some(failure(&recorded, &chain, wrong))),
                Ok(next) if index + 1 < choices.len() => recorded = next,
                Ok(_) => {}
            }
            before.push(state);
        }
        Ok(None)
    }

    /// Carries out the plan on a fresh disk.
    fn record(&self) -> Result<Recorded, Box<Divergence>> {
        let disk = SimDisk::new();
        let mut marks = DiskMarks { disk: &disk, settle: !self.creation };
        let options = RunOptions { history: true, close: true };
        let run = run(self.subject, &disk, self.plan, options, &mut marks)?;
        let due = Due::of_plan(self.subject.about().promises, run.history);
        Ok(Recorded { trace: disk.trace(), due })
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
        explored: &mut Explored,
    ) {
        let next = match self.live_on(recovery, recorded, state) {
            Err(wrong) => return explored.fail(recorded, &[state], wrong),
            Ok(next) => next,
        };
        let Some(tiers) = nested else { return };
        let mut seen = Dedup::default();
        for crash in enumerate(&next.trace, MEDIA, tiers) {
            let kills = [state, &crash].iter().all(|one| one.kind == CrashKind::ProcessKill);
            let counts =
                if kills { &mut explored.nested_kills } else { &mut explored.nested_power };
            if !next.due.judges(crash.kind) || !counts.count(&crash, &mut seen) {
                continue;
            }
            let judged = self.recover(&next, &crash);
            counts.checked(&crash);
            if let Err(wrong) = judged {
                explored.fail(&next, &[state, &crash], wrong);
            }
        }
    }
}

impl Explored {
    fn fail(&mut self, recorded: &Recorded, chain: &[&CrashState], wrong: Wrong) {
        let failure = failure(recorded, chain, wrong);
        let like = |known: &Failure| {
            (known.kind, known.world, known.nested) == (failure.kind, failure.world, failure.nested)
        };
        if !self.failures.iter().any(like) {
            self.failures.push(failure);
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

/// A chain of crashes that cannot be played again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The plan diverges without any crash.
    #[error("the plan diverges before any crash: {0}")]
    Diverged(#[from] Box<Divergence>),
    /// The subject makes other calls than when the case was written.
    #[error("the trace is another one now: {0}")]
    Choice(#[from] BadChoice),
}

fn failure(recorded: &Recorded, chain: &[&CrashState], (kind, words): Wrong) -> Failure {
    let power = chain.iter().any(|state| state.kind == CrashKind::PowerLoss);
    let last = chain.last().map(|state| recorded.trace.explain(&state.choice).to_string());
    let mut story: Vec<String> = chain
        .iter()
        .rev()
        .skip(1)
        .rev()
        .map(|state| format!("first life: {}", state.choice))
        .collect();
    story.extend(last);
    story.push(words);
    Failure {
        kind,
        world: if power { World::PowerLoss } else { World::ProcessKill },
        nested: chain.len() > 1,
        story: story.join("\n"),
        choices: chain.iter().map(|state| state.choice.clone()).collect(),
    }
}

fn wrong(violation: &Violation) -> Wrong {
    (violation.kind().into(), violation.to_string())
}

/// Writes events into the trace, and settles the disk once the store has been created.
struct DiskMarks<'a> {
    disk: &'a SimDisk,
    settle: bool,
}

impl Marks for DiskMarks<'_> {
    fn step(&mut self, index: usize) {
        if index == 0 && self.settle {
            self.disk.settle();
        }
    }

    fn issue(&mut self, event: u64) {
        self.disk.mark(Mark::Issue(event));
    }

    fn ack(&mut self, event: u64) {
        self.disk.mark(Mark::Ack(event));
    }
}
