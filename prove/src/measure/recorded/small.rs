//! A recorded finding made small in its plan: every smaller plan is recorded anew, until none shows
//! the same; then the crash of the smallest is made small again.

use std::path::Path;

use proofhouse_crash::{
    Choice, Class, Dedup, PowerLoss, Profile as Media, Random, Tier, Tiers, enumerate,
};
use proofhouse_model::Plan;

use super::record::record_recovery;
use super::{record, strongest, told};
use crate::case::{CrashedLife, Scene, Unshrunk};
use crate::finding::{Finding, Kind};
use crate::measure::Context;
use crate::measure::smaller::Patience;
use crate::recorded::drive::Recipe;
use crate::recorded::explore::Life;
use crate::recorded::judge::{Dues, Judge, Wrong};
use crate::subject::Engine;

/// What is spent on one finding, at most, in states judged. Like the number of plans this is a count
/// and no time: the same seed makes the same case everywhere.
const STATES: u32 = 3_000;

/// What it costs to record a recovery, in states judged.
const RECOVERY: u32 = 10;

/// Makes plans small.
pub(super) struct Smaller<'a, E> {
    pub(super) context: &'a Context<'a, E>,
    pub(super) recipe: &'a Recipe,
    pub(super) scratch: &'a Path,
}

/// What a smaller plan must show.
struct Sought<'a> {
    finding: &'a Finding,
    media: Media,
    /// What the crash of each life must lose; of the last one it is what went wrong.
    lives: Vec<Lost>,
}

/// What a crash loses.
struct Lost {
    class: Class,
    /// Where such crashes are.
    tiers: Tiers,
}

/// Lives, and the crash of each.
type Crashed = Vec<(Life, Choice)>;

impl Sought<'_> {
    fn is(&self, wrong: &Wrong) -> bool {
        (wrong.kind, wrong.promised) == (self.finding.kind, self.finding.promised)
    }

    /// Whether the crash of the life that has this number, from 0, lost the same, and the last one
    /// on the same media.
    fn is_alike(&self, number: usize, life: &Life, choice: &Choice) -> bool {
        let is_last = number + 1 == self.lives.len();
        let medium = self.finding.medium.filter(|_| is_last);
        let class = self.lives.get(number).map(|lost| &lost.class);
        life.trace.classify(choice).is_ok_and(|own| Some(&own) == class)
            && medium.is_none_or(|medium| strongest(&life.trace, choice, self.media) == medium)
    }
}

impl<E: Engine> Smaller<'_, E> {
    /// The finding with the smallest plan found that shows it; as it is if there is none. Where
    /// recoveries crashed, those of each smaller plan are recorded, too.
    pub(super) fn of(&self, finding: Finding) -> Finding {
        let mut patience = Patience::of(self.context.budget);
        let small = self.try_of(&finding, &mut patience);
        patience.told(small.unwrap_or(finding))
    }

    fn try_of(&self, finding: &Finding, patience: &mut Patience) -> Option<Finding> {
        let case = finding.case.as_deref()?;
        let Scene::Recorded { media, lives, .. } = &case.scene else { return None };
        // Every trial would wait for an engine that hangs.
        if matches!(finding.kind, Kind::Hang | Kind::HarnessBroken) || case.plan.ops.is_empty() {
            return None;
        }
        let lives = lives.iter().map(|life| self.lost(life, case.plan.seed));
        let sought = Sought { finding, media: *media, lives: lives.collect::<Option<_>>()? };
        let trials = self.context.scale.shrink_trials / 5;
        let (mut recorded, mut states, mut crashed) = (0, STATES, None);
        let small = patience.shrink(&case.plan, trials, &mut |plan| {
            if plan.ops.is_empty() || states == 0 {
                return false;
            }
            recorded += 1;
            let Some(found) = self.shown(plan, &sought, &mut states) else { return false };
            // The last one that shows it is the smallest.
            crashed = Some(found);
            true
        });
        let note = format!(
            "plan: {} of {} operations are left; {recorded} smaller plans were recorded, at most \
             {trials}",
            small.ops.len(),
            case.plan.ops.len(),
        );
        self.told(small, &sought, (crashed?, patience), &note)
    }

    fn lost(&self, life: &CrashedLife, seed: u64) -> Option<Lost> {
        let trace = life.trace().ok()?;
        let class = trace.classify(&life.choice).ok()?;
        let random = Random { count: self.context.scale.random_losses, seed };
        Some(Lost { class, tiers: tiers(life.choice.tier(), random) })
    }

    /// A plan's lives, and the first crashes of them that show what is sought.
    fn shown(&self, plan: &Plan, sought: &Sought, states: &mut u32) -> Option<Crashed> {
        let (recorded, history) = record(self.recipe, plan, self.scratch).ok()?;
        let about = self.context.subject.about();
        let dues = Dues::of_plan(about.promises, &history, self.context.promise);
        let life = Life { trace: recorded.trace.settled(), dues, after_power_loss: false };
        let judge = Judge::new(self.recipe, plan, about, self.scratch);
        self.crashed(&judge, life, sought, 0, states)
    }

    /// The same of the life that has this number, from 0, and those after it.
    fn crashed(
        &self,
        judge: &Judge,
        life: Life,
        sought: &Sought,
        number: usize,
        states: &mut u32,
    ) -> Option<Crashed> {
        let lost = sought.lives.get(number)?;
        let is_last = number + 1 == sought.lives.len();
        let mut seen = Dedup::default();
        for state in enumerate(&life.trace, sought.media, lost.tiers) {
            if *states == 0 || self.context.budget.is_spent() {
                return None;
            }
            if !sought.is_alike(number, &life, &state.choice) || !seen.insert(&state) {
                continue;
            }
            let later = if is_last {
                *states -= 1;
                let judged = judge.judge(&state.visible(), &life.dues, &state);
                judged.is_err_and(|wrong| sought.is(&wrong)).then(Vec::new)
            } else {
                *states = states.saturating_sub(RECOVERY);
                let second = record_recovery(self.recipe, judge, &life, &state).ok().flatten();
                second.and_then(|next| self.crashed(judge, next, sought, number + 1, states))
            };
            if let Some(mut crashed) = later {
                crashed.insert(0, (life, state.choice));
                return Some(crashed);
            }
        }
        None
    }

    /// The finding as a plan's smallest crash shows it in a process that saw no other state.
    fn told(
        &self,
        plan: Plan,
        sought: &Sought,
        (mut crashed, patience): (Crashed, &mut Patience),
        note: &str,
    ) -> Option<Finding> {
        let (life, choice) = crashed.pop()?;
        let judge = Judge::new(self.recipe, &plan, self.context.subject.about(), self.scratch);
        let choice = patience.minimise(&life.trace, &choice, &mut |state| {
            sought.is_alike(crashed.len(), &life, &state.choice)
                && judge
                    .judge(&state.visible(), &life.dues, state)
                    .is_err_and(|wrong| sought.is(&wrong))
        });
        let state = life.trace.state_under(&choice, sought.media).ok()?;
        let wrong = judge.judge_afresh(&state.visible(), &life.dues, &state).err()?;
        if !sought.is(&wrong) {
            return None;
        }
        let was = sought.finding;
        let mut causes = was.causes.clone();
        let class = sought.lives.last().map(|lost| &lost.class);
        if let Some(at) = causes.iter().position(|cause| Some(&cause.class) == class) {
            causes[..=at].rotate_right(1);
            causes[0].choices = vec![choice.clone()];
        }
        // Other causes are of the plan as it was.
        let before = was.case.as_deref().and_then(|case| match &case.scene {
            Scene::Recorded { lives, .. } if causes.len() > 1 => {
                Some(Box::new(Unshrunk { plan: case.plan.clone(), lives: lives.clone() }))
            }
            _ => None,
        });
        let earlier =
            crashed.into_iter().map(|(life, choice)| CrashedLife::new(&life.trace, choice));
        let mut lives: Vec<_> = earlier.collect();
        lives.push(CrashedLife::new(&life.trace, choice));
        let mut found = told((&wrong, was.world, was.claim), sought.media, &lives, &life.trace);
        found.story = format!("{}\n{note}", found.story);
        drop(judge);
        let scene = Scene::Recorded { media: sought.media, lives, before };
        Some(self.context.with_case(found.because(causes), plan, scene))
    }
}

/// The tiers that a crash of this tier comes of, and no more.
fn tiers(tier: Tier, random: Random) -> Tiers {
    let power_loss = match tier {
        Tier::T0 => return Tiers::KILLS,
        Tier::T1 => PowerLoss::Single,
        Tier::T2 => PowerLoss::Torn,
        _ => PowerLoss::Pairs,
    };
    let random = if tier == Tier::T4 { random } else { Random::default() };
    Tiers { kill: false, power_loss, random, ..Tiers::ALL }
}
