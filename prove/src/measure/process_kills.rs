//! Real kills of an engine behind the line protocol, on real files: its process is recorded, and
//! killed at the entry or the exit of a call, or at a random moment.

use std::collections::BTreeMap;
use std::time::Duration;

use proofhouse_model::rng::Rng;
use proofhouse_model::{GenerateProfile, Plan};
use serde::{Deserialize, Serialize};

use super::recorded::{CREATION_KILLED, Stop, record};
use super::{Context, Measured, Room};
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::recorded::drive::{Kill, Recipe};
use crate::recorded::judge::{Dues, Judge};
use crate::recorded::kills::{Killed, Undisturbed, at_calls, kill};
use crate::subject::{Commanded, Engine};
use crate::verdict::{Evidence, Reason};

/// What a real kill leaves.
pub(super) const COMMAND_ROOM: Room<Commanded> = Room {
    name: "real kills at system calls",
    claims: &["AC-02.real-kills", "AC-02.random-kills"],
    split: true,
    measure,
};

/// What the kills of one plan came to.
#[derive(Default, Serialize, Deserialize)]
struct Kills {
    at_calls: Tally,
    random: Tally,
    findings: Vec<Finding>,
    /// Why there are none.
    stopped: Option<(Reason, String)>,
}

/// What the kills of one claim came to.
#[derive(Default, Serialize, Deserialize)]
struct Tally {
    planned: u64,
    done: u64,
    hit: u64,
    as_recorded: u64,
    compared: u64,
    unconfirmed: u64,
}

fn measure(context: &Context<Commanded>) -> Measured {
    let plans = context.scale.kill_plans;
    // Of a plan, kills are spread over threads already.
    let done = context.cases(COMMAND_ROOM.name, 1, plans, |case| kills_of(context, case));
    let mut measured = Measured::default();
    let [mut at_calls, mut random] = [Tally::default(), Tally::default()];
    let mut stopped = None;
    if (done.len() as u64) < plans {
        stopped = Some((Reason::Budget, format!("{} of {plans} plans killed", done.len())));
    }
    for (_, kills) in done {
        at_calls.add(&kills.at_calls);
        random.add(&kills.random);
        measured.findings.extend(kills.findings);
        stopped = kills.stopped.or(stopped);
    }
    for (claim, evidence) in
        COMMAND_ROOM.claims.iter().zip([at_calls.evidence(true), random.evidence(false)])
    {
        let stopped = stopped.clone().or(evidence.stopped.clone());
        measured.show(claim, Evidence { stopped, ..evidence });
    }
    measured
}

/// The kills of one plan.
fn kills_of(context: &Context<Commanded>, case: u64) -> Kills {
    let mut kills = Kills::default();
    let program = context.program.unwrap_or(std::path::Path::new("proofhouse"));
    let recipe = context.subject.recipe(context.name, program);
    let plan = context.plan("process kills", case, &GenerateProfile::recorded());
    let (recorded, history) = match record(&recipe, &plan, context.dir) {
        Ok(recorded) => recorded,
        Err(Stop::Unmeasured(reason, note)) => {
            kills.stopped = Some((reason, note));
            return kills;
        }
        Err(Stop::Broken(words)) => {
            let (kind, world) = (Kind::HarnessBroken, World::Undisturbed);
            kills.findings.push(Finding::new(kind, world, "AC-02.real-kills", words.clone()));
            kills.stopped = Some((Reason::Skipped, words));
            return kills;
        }
    };
    let about = context.subject.about();
    let judge = Judge::new(&recipe, &plan, about, context.dir);
    let dues = Dues::of_plan(about.promises, &history, context.promise);
    let run = Undisturbed { plan: &plan, recorded: &recorded, dues: &dues };
    let killing = Killing { context, recipe: &recipe, judge: &judge, run };
    let all: Vec<Kill> = at_calls(recorded.calls.len()).collect();
    killing.all("AC-02.real-kills", &all, &mut kills.at_calls, &mut kills.findings);
    let mut rng = Rng::new(context.seed_of("random process kills", case));
    let moments = context.scale.random_kills.div_ceil(context.scale.kill_plans.max(1));
    let all: Vec<Kill> = (0..moments).map(|_| random_moment(&plan, &mut rng)).collect();
    killing.all("AC-02.random-kills", &all, &mut kills.random, &mut kills.findings);
    kills
}

/// Somewhere in the run: hello, open, the operations, close.
fn random_moment(plan: &Plan, rng: &mut Rng) -> Kill {
    let answers = rng.between(1, plan.ops.len() as u64 + 2);
    Kill::After { answers, delay: Duration::from_micros(rng.below(1_500)) }
}

/// The kills of one plan.
struct Killing<'a> {
    context: &'a Context<'a, Commanded>,
    recipe: &'a Recipe,
    judge: &'a Judge<'a>,
    run: Undisturbed<'a>,
}

impl Killing<'_> {
    fn all(
        &self,
        claim: &'static str,
        kills: &[Kill],
        tally: &mut Tally,
        findings: &mut Vec<Finding>,
    ) {
        tally.planned += kills.len() as u64;
        let done = parallel::map(kills.len() as u64, self.context.budget, |case| {
            let chosen = usize::try_from(case).ok().and_then(|case| kills.get(case).copied())?;
            Some(kill(self.recipe, self.judge, self.run, self.context.dir, chosen))
        });
        for came in done.into_iter().flatten() {
            match came {
                Ok(killed) => {
                    tally.done += 1;
                    tally.hit += u64::from(killed.hit);
                    tally.as_recorded += u64::from(killed.as_recorded);
                    tally.compared += u64::from(killed.compared);
                    tally.unconfirmed += u64::from(killed.unconfirmed.is_some());
                    findings.extend(self.finding(claim, killed));
                }
                Err(error) => {
                    let (kind, world) = (Kind::HarnessBroken, World::ProcessKill);
                    findings.push(Finding::new(kind, world, claim, error.to_string()));
                }
            }
        }
    }

    fn finding(&self, claim: &'static str, killed: Killed) -> Option<Finding> {
        let (wrong, scene) = killed.wrong?;
        let claim = if killed.created { claim } else { CREATION_KILLED };
        let finding = Finding::new(wrong.kind, World::ProcessKill, claim, wrong.words);
        let finding = Finding { promised: wrong.promised, ..finding };
        Some(self.context.with_case(finding, self.run.plan.clone(), scene))
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.done += other.done;
        self.hit += other.hit;
        self.as_recorded += other.as_recorded;
        self.compared += other.compared;
        self.unconfirmed += other.unconfirmed;
    }

    /// A kill at a call that the run did not come to is not done; a moment may come too late.
    fn evidence(&self, at_calls: bool) -> Evidence {
        let done = if at_calls { self.hit } else { self.done };
        let unit = if at_calls { "kills" } else { "cycles" };
        let mut evidence = Evidence::of(done, self.planned, unit);
        evidence.observed = BTreeMap::from([
            ("kills".to_owned(), self.hit),
            ("runs that went as recorded until they were killed".to_owned(), self.as_recorded),
            ("compared byte for byte with what was recorded".to_owned(), self.compared),
        ]);
        if self.unconfirmed > 0 {
            let note = format!("{} failures not seen in a fresh process", self.unconfirmed);
            evidence.stopped = Some((Reason::Skipped, note));
        }
        evidence
    }
}
