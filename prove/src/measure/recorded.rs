//! Crashes of the engine as it runs on real files: recorded once, then enumerated.

mod record;
mod small;
mod totals;

use std::path::PathBuf;

use proofhouse_crash::{
    Choice, CrashKind, CrashState, PowerLoss, Profile as Media, Random, Tier, TierCounts, Tiers,
    Trace, enumerate,
};
use proofhouse_model::{About, GenerateProfile, History, Plan};

use super::smaller::Patience;
use super::{Context, Measured, Room, first_of_each};
use crate::case::{CrashedLife, Scene};
use crate::finding::{self, Finding, Kind, World};
use crate::parallel;
use crate::recorded::drive::Recipe;
use crate::recorded::explore::{Explored, Failure, Life, Verdicts, explore};
use crate::recorded::judge::{Dues, Judge, Wrong};
use crate::subject::{Commanded, Engine, scratch_place};
use crate::verdict::Reason;

use record::record_recovery;
pub(crate) use record::{Stop, record};
use small::Smaller;
pub(super) use totals::CREATION_KILLED;
use totals::{ATOMIC, CREATION_POWER, EXT4, KILLS, POWER, RECOVERY_KILLED, RECOVERY_POWER, Totals};

/// What a crash leaves of real files.
pub(super) const ROOM: Room = Room { name: NAME, claims: CLAIMS, split: true, measure };

/// The same for commands.
pub(super) const COMMAND_ROOM: Room<Commanded> =
    Room { name: NAME, claims: CLAIMS, split: true, measure };

const NAME: &str = "crashes of recorded runs";

const CLAIMS: &[&str] =
    &[KILLS, RECOVERY_KILLED, CREATION_KILLED, ATOMIC, POWER, EXT4, RECOVERY_POWER, CREATION_POWER];

fn measure<E: Engine>(context: &Context<E>) -> Measured {
    let mut totals = Totals::default();
    let Some(program) = context.program else {
        totals.stop(Reason::Skipped, "no program to start");
        return totals.show(context.scale.nested_in_full);
    };
    let recipe = context.subject.recipe(context.name, program);
    let scratch = scratch_place(context.dir);
    // Some plans, and the creation of a store, of which nothing is asked.
    let runs = context.scale.recorded_plans + 1;
    // States of a run are spread over threads already.
    let done = context.cases(NAME, 1, runs, |case| {
        let totals = Totals::default();
        let mut one =
            Recordings { context, recipe: recipe.clone(), scratch: scratch.clone(), totals };
        one.run(&plan(context, case));
        one.totals
    });
    let explored = done.len() as u64;
    for (_, one) in done {
        totals.merge(one);
    }
    if explored < runs {
        totals.stop(Reason::Budget, &format!("{explored} of {runs} runs explored"));
    }
    let smaller = Smaller { context, recipe: &recipe, scratch: &scratch };
    let found = united(std::mem::take(&mut totals.findings));
    totals.findings = found.into_iter().map(|finding| smaller.of(finding)).collect();
    totals.show(context.scale.nested_in_full)
}

fn plan<E: Engine>(context: &Context<E>, case: u64) -> Plan {
    let mut plan = context.plan("recorded", case, &GenerateProfile::recorded());
    if case == context.scale.recorded_plans {
        plan.ops.clear();
    }
    plan
}

/// The first finding of each claim and kind; and none that only ext4 is said to show where another
/// run shows the like on any medium.
fn united(findings: Vec<Finding>) -> Vec<Finding> {
    let mut united: Vec<Finding> = Vec::new();
    for finding in findings {
        if finding.claim != EXT4 || !is_found(&united, finding.kind, finding.promised) {
            united.push(finding);
        }
    }
    first_of_each(united)
}

/// Whether such a failure was already found, on a medium that ext4 is an instance of.
fn is_found(findings: &[Finding], kind: Kind, promised: bool) -> bool {
    findings.iter().any(|finding| {
        (finding.kind, finding.promised) == (kind, promised) && finding.medium == Some(Media::Ext4)
    })
}

/// What is being recorded.
struct Recordings<'a, E> {
    context: &'a Context<'a, E>,
    recipe: Recipe,
    scratch: PathBuf,
    totals: Totals,
}

impl<'a, E: Engine> Recordings<'a, E> {
    fn about(&self) -> &'a About {
        self.context.subject.about()
    }

    /// One plan.
    fn run(&mut self, plan: &Plan) {
        if let Err(stop) = self.plan(plan) {
            self.totals.stopped_by(stop, KILLS);
        }
    }

    /// Records a plan twice and explores what it recorded: once, if both are the same.
    fn plan(&mut self, plan: &Plan) -> Result<(), Stop> {
        let (first, history) = record(&self.recipe, plan, &self.scratch)?;
        let (second, _) = record(&self.recipe, plan, &self.scratch)?;
        let stable = first.trace.ops == second.trace.ops;
        self.totals.recordings += 2;
        self.totals.unstable += if stable { 0 } else { 2 };
        self.explore(plan, first.trace.settled(), &history);
        if !stable {
            self.explore(plan, second.trace.settled(), &history);
        }
        Ok(())
    }

    /// Judges every state that a crash of a recorded plan could leave, under both media.
    fn explore(&mut self, plan: &Plan, trace: Trace, history: &History) {
        let about = self.about();
        let judge = Judge::new(&self.recipe, plan, about, &self.scratch);
        let dues = Dues::of_plan(about.promises, history, self.context.promise);
        let life = Life { trace, dues, after_power_loss: false };
        let judges = |crash| life.dues.judges(crash);
        let tiers = self.tiers(plan).of(judges);
        if tiers == Tiers::NONE {
            return;
        }
        let mut verdicts = Verdicts::default();
        let budget = self.context.budget;
        let mut go = |media, tiers| explore(&judge, &life, media, tiers, budget, &mut verdicts);
        let posix = go(Media::Posix, tiers);
        self.find(&judge, &[], &life, &posix, Media::Posix);
        if plan.ops.is_empty() {
            return self.totals.creation.merge(posix);
        }
        if judges(CrashKind::PowerLoss) {
            let ext4 = go(Media::Ext4, Tiers { kill: false, bad_media: false, ..tiers });
            self.find(&judge, &[], &life, &ext4, Media::Ext4);
            self.totals.ext4.merge(ext4);
        }
        self.second_lives(&judge, &life, tiers, &posix.counts);
        self.totals.first.merge(posix);
    }

    /// How thorough to be about a plan.
    fn tiers(&self, plan: &Plan) -> Tiers {
        let scale = &self.context.scale;
        let power_loss = if scale.pairs { PowerLoss::Pairs } else { PowerLoss::Torn };
        let random = Random { count: scale.random_losses, seed: plan.seed };
        Tiers { power_loss, random, bad_media: scale.bad_media, ..Tiers::ALL }
    }

    /// Records some of the recoveries of which something is promised, spread evenly over all, and
    /// crashes them again. What their open showed may need no keeping: then what was due before it
    /// still is.
    fn second_lives(&mut self, judge: &Judge, life: &Life, tiers: Tiers, first: &TierCounts) {
        if self.context.budget.is_spent() {
            return self.totals.stop(Reason::Budget, "no recovery was recorded");
        }
        let due = &life.dues.own;
        let tiers = Tiers { kill: tiers.kill, ..Tiers::ALL }.of(|crash| due.judges(crash));
        let judged = first.iter().filter(|(tier, _)| match tier {
            Tier::T0 => tiers.kill,
            Tier::T1 | Tier::T2 => tiers.power_loss != PowerLoss::None,
            _ => false,
        });
        let states: u64 = judged.map(|(_, counts)| counts.generated).sum();
        let wanted = self.context.scale.recorded_recoveries.max(1);
        let every = usize::try_from(states.div_ceil(wanted)).unwrap_or(usize::MAX).max(1);
        let chosen: Vec<CrashState> =
            enumerate(&life.trace, Media::Posix, tiers).step_by(every).collect();
        self.totals.unrecorded += states.saturating_sub(chosen.len() as u64);
        let (recipe, budget) = (&self.recipe, self.context.budget);
        let nested = if self.context.scale.nested_in_full { Tiers::ALL } else { Tiers::NESTED };
        let done = parallel::map(chosen.len() as u64, budget, |case| {
            let crash = usize::try_from(case).ok().and_then(|case| chosen.get(case))?;
            let lived = record_recovery(recipe, judge, life, crash).map(|second| {
                let second = second?;
                let tiers = nested.of(|crash| second.dues.own.judges(crash));
                let mut verdicts = Verdicts::default();
                let explored = explore(judge, &second, Media::Posix, tiers, budget, &mut verdicts);
                Some((second, explored))
            });
            Some((crash, lived))
        });
        if done.len() < chosen.len() {
            let note = format!("{} of {} recoveries recorded", done.len(), chosen.len());
            self.totals.stop(Reason::Budget, &note);
        }
        for (crash, lived) in done.into_iter().flatten() {
            match lived {
                Ok(None) => {}
                Ok(Some((second, explored))) => {
                    let before = [CrashedLife::new(&life.trace, crash.choice.clone())];
                    self.find(judge, &before, &second, &explored, Media::Posix);
                    let power = crash.kind == CrashKind::PowerLoss;
                    self.totals.count_nested(&explored.counts, power);
                }
                Err(stop) => self.totals.stopped_by(stop, RECOVERY_KILLED),
            }
        }
    }

    /// Notes the findings of an exploration: one of each kind, confirmed in a process that saw no
    /// other state, and made small in its last crash.
    fn find(
        &mut self,
        judge: &Judge,
        before: &[CrashedLife],
        life: &Life,
        explored: &Explored,
        media: Media,
    ) {
        for failure in &explored.failures {
            let Wrong { kind, promised, .. } = failure.wrong;
            let found = &self.totals.findings;
            let known = if before.is_empty() {
                media == Media::Ext4 && is_found(found, kind, promised)
            } else {
                // Of the many lives after a crash, the first one that shows it is enough.
                let under_test = under_test(failure.world, 2, judge.plan(), media);
                let claim = finding::claim(kind, failure.world, under_test);
                let new = (kind, promised, claim);
                found.iter().any(|one| (one.kind, one.promised, one.claim) == new)
            };
            if known {
                continue;
            }
            let Some(confirmed) = confirmed(judge, life, failure, media) else {
                self.totals.unconfirmed += 1;
                continue;
            };
            let mut patience = Patience::of(self.context.budget);
            let choice = smallest(judge, life, &confirmed, &mut patience);
            let lives = [before, &[CrashedLife::new(&life.trace, choice)]].concat();
            let finding = self.finding(judge, &confirmed, media, lives, &life.trace);
            self.totals.findings.push(patience.told(finding));
        }
    }

    fn finding(
        &self,
        judge: &Judge,
        failure: &Failure,
        media: Media,
        lives: Vec<CrashedLife>,
        last: &Trace,
    ) -> Finding {
        let Failure { wrong, world, .. } = failure;
        let under_test = under_test(*world, lives.len(), judge.plan(), media);
        let finding = told((wrong, *world, under_test), media, &lives, last);
        let finding = finding.because(failure.causes.clone().by_frequency());
        let scene = Scene::Recorded { media, lives, before: None };
        self.context.with_case(finding, judge.plan().clone(), scene)
    }
}

/// The claim that is tested by a crash of the last of so many lives.
fn under_test(world: World, lives: usize, plan: &Plan, media: Media) -> &'static str {
    match (world, lives, plan.ops.is_empty(), media) {
        (World::PowerLoss, 1, true, _) => CREATION_POWER,
        (World::PowerLoss, 1, false, Media::Posix) => POWER,
        (World::PowerLoss, 1, false, Media::Ext4) => EXT4,
        (World::PowerLoss, ..) => RECOVERY_POWER,
        (_, 1, true, _) => CREATION_KILLED,
        (_, 1, false, _) => KILLS,
        _ => RECOVERY_KILLED,
    }
}

/// What is wrong after the crashes of recorded lives, the last of which is on this trace.
fn told(
    (wrong, world, under_test): (&Wrong, World, &'static str),
    media: Media,
    lives: &[CrashedLife],
    last: &Trace,
) -> Finding {
    let mut story: Vec<String> = Vec::new();
    story.extend(
        lives.iter().rev().skip(1).rev().map(|life| format!("first life: {}", life.choice)),
    );
    story.extend(lives.last().map(|life| last.explain(&life.choice).to_string()));
    story.push(wrong.words.clone());
    let finding = Finding::new(wrong.kind, world, under_test, story.join("\n"));
    let finding = Finding { promised: wrong.promised, ..finding };
    match world {
        World::PowerLoss => {
            let medium = lives.last().map_or(media, |life| strongest(last, &life.choice, media));
            finding.on(medium)
        }
        World::ProcessKill | World::Undisturbed => finding,
    }
}

/// The strongest medium that can leave the state of a choice.
fn strongest(trace: &Trace, choice: &Choice, media: Media) -> Media {
    match trace.legal_under(choice, Media::Ext4) {
        Ok(true) => Media::Ext4,
        Ok(false) | Err(_) => media,
    }
}

/// The failure as the most frequent of its causes shows it in a process that saw no other state;
/// `None` if it does not.
fn confirmed(judge: &Judge, life: &Life, failure: &Failure, media: Media) -> Option<Failure> {
    let first = failure.causes.clone().by_frequency().into_iter().next();
    let choice = first.and_then(|cause| cause.choices.into_iter().next());
    let choice = choice.unwrap_or_else(|| failure.choice.clone());
    let state = life.trace.state_under(&choice, media).ok()?;
    let wrong = judge.judge_afresh(&state.visible(), &life.dues, &state).err()?;
    let alike = (wrong.kind, wrong.promised) == (failure.wrong.kind, failure.wrong.promised);
    alike.then(|| Failure { wrong, choice, ..failure.clone() })
}

/// The smallest crash found that shows the failure, too.
fn smallest(judge: &Judge, life: &Life, failure: &Failure, patience: &mut Patience) -> Choice {
    let alike = |wrong: &Wrong| {
        (wrong.kind, wrong.promised) == (failure.wrong.kind, failure.wrong.promised)
    };
    // Every trial would wait for an engine that hangs.
    if failure.wrong.kind == Kind::Hang {
        return failure.choice.clone();
    }
    patience.minimise(&life.trace, &failure.choice, &mut |state| {
        let judged = judge.judge(&state.visible(), &life.dues, state);
        judged.is_err_and(|wrong| alike(&wrong))
    })
}

impl Totals {
    /// A crash of a second life is a kill if both crashes were.
    fn count_nested(&mut self, counts: &TierCounts, after_power_loss: bool) {
        for (tier, counts) in counts.iter() {
            let kill = tier == Tier::T0 && !after_power_loss;
            let nested = if kill { &mut self.nested_kills } else { &mut self.nested_power };
            *nested.tier(tier) += counts;
        }
    }

    fn stop(&mut self, reason: Reason, note: &str) {
        self.stopped.get_or_insert((reason, note.to_owned()));
    }

    /// What stands in the way of measuring stops it; what the harness got wrong is held against
    /// `claim`.
    fn stopped_by(&mut self, stop: Stop, claim: &'static str) {
        match stop {
            Stop::Unmeasured(reason, note) => self.stop(reason, &note),
            Stop::Broken(words) => {
                let (kind, world) = (Kind::HarnessBroken, World::Undisturbed);
                self.findings.push(Finding::new(kind, world, claim, words));
            }
        }
    }
}
