//! A recorded finding made small in its plan: every smaller plan is recorded anew, until none shows
//! the same; then the crash of the smallest is made small again.

use std::path::Path;

use proofhouse_crash::{
    Choice, Class, CrashState, Dedup, PowerLoss, Profile as Media, Tier, Tiers, enumerate, minimise,
};
use proofhouse_model::{Plan, shrink};

use super::{record, strongest, told};
use crate::case::{CrashedLife, Scene, Unshrunk};
use crate::finding::{Finding, Kind, World};
use crate::measure::Context;
use crate::recorded::drive::Recipe;
use crate::recorded::explore::Life;
use crate::recorded::judge::{Dues, Judge, Wrong};
use crate::subject::Engine;

/// States judged for one finding, at most. Like the number of plans this is a count and no time:
/// the same seed makes the same case everywhere.
const STATES: u32 = 3_000;

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
    class: Class,
    tiers: Tiers,
}

impl Sought<'_> {
    fn is(&self, wrong: &Wrong) -> bool {
        (wrong.kind, wrong.promised) == (self.finding.kind, self.finding.promised)
    }

    /// Whether a crash lost the same, on the same media.
    fn is_alike(&self, life: &Life, choice: &Choice) -> bool {
        let medium = self.finding.medium;
        life.trace.classify(choice).is_ok_and(|class| class == self.class)
            && medium.is_none_or(|medium| strongest(&life.trace, choice, self.media) == medium)
    }
}

impl<E: Engine> Smaller<'_, E> {
    /// The finding with the smallest plan found that shows it; as it is if there is none. Crashes
    /// of a recorded recovery keep their plan: they depend on two recordings.
    pub(super) fn of(&self, finding: Finding) -> Finding {
        self.try_of(&finding).unwrap_or(finding)
    }

    fn try_of(&self, finding: &Finding) -> Option<Finding> {
        let case = finding.case.as_deref()?;
        let Scene::Recorded { media, lives, .. } = &case.scene else { return None };
        let [life] = lives.as_slice() else { return None };
        // Every trial would wait for an engine that hangs.
        if matches!(finding.kind, Kind::Hang | Kind::HarnessBroken) || case.plan.ops.is_empty() {
            return None;
        }
        let class = life.trace().ok()?.classify(&life.choice).ok()?;
        let tiers = tiers(finding.world, life.choice.tier());
        let sought = Sought { finding, media: *media, class, tiers };
        let trials = self.context.scale.shrink_trials / 5;
        let (mut recorded, mut states) = (0, STATES);
        let small = shrink(&case.plan, trials, &mut |plan| {
            if plan.ops.is_empty() || states == 0 || self.context.budget.is_spent() {
                return false;
            }
            recorded += 1;
            self.shown(plan, &sought, &mut states).is_some()
        });
        if small == case.plan {
            return None;
        }
        let (life, choice) = self.shown(&small, &sought, &mut STATES.clone())?;
        let note = format!(
            "plan: {} of {} operations are left; {recorded} smaller plans were recorded, at most \
             {trials}",
            small.ops.len(),
            case.plan.ops.len(),
        );
        self.told(small, &sought, &life, &choice, &note)
    }

    /// A plan's life, and the first crash of it that shows what is sought.
    fn shown(&self, plan: &Plan, sought: &Sought, states: &mut u32) -> Option<(Life, Choice)> {
        let (recorded, history) = record(self.recipe, plan, self.scratch).ok()?;
        let about = self.context.subject.about();
        let dues = Dues::of_plan(about.promises, &history, self.context.promise);
        let life = Life { trace: recorded.trace.settled(), dues, after_power_loss: false };
        let judge = Judge::new(self.recipe, plan, about, self.scratch);
        let mut seen = Dedup::default();
        let mut fails = |state: &CrashState| {
            if *states == 0 || !sought.is_alike(&life, &state.choice) || !seen.insert(state) {
                return false;
            }
            *states -= 1;
            let judged = judge.judge(&state.visible(), &life.dues, state);
            judged.is_err_and(|wrong| sought.is(&wrong))
        };
        let found = enumerate(&life.trace, sought.media, sought.tiers).find(|state| fails(state));
        let choice = found?.choice;
        Some((life, choice))
    }

    /// The finding as a plan's smallest crash shows it in a process that saw no other state.
    fn told(
        &self,
        plan: Plan,
        sought: &Sought,
        life: &Life,
        choice: &Choice,
        note: &str,
    ) -> Option<Finding> {
        let judge = Judge::new(self.recipe, &plan, self.context.subject.about(), self.scratch);
        let small = minimise(&life.trace, choice, &mut |state| {
            sought.is_alike(life, &state.choice)
                && judge
                    .judge(&state.visible(), &life.dues, state)
                    .is_err_and(|wrong| sought.is(&wrong))
        });
        let choice = small.ok()?;
        let state = life.trace.state_under(&choice, sought.media).ok()?;
        let wrong = judge.judge_afresh(&state.visible(), &life.dues, &state).err()?;
        if !sought.is(&wrong) {
            return None;
        }
        let was = sought.finding;
        let mut causes = was.causes.clone();
        if let Some(at) = causes.iter().position(|cause| cause.class == sought.class) {
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
        let lives = vec![CrashedLife::new(&life.trace, choice)];
        let mut found = told((&wrong, was.world, was.claim), sought.media, &lives, &life.trace);
        found.story = format!("{}\n{note}", found.story);
        drop(judge);
        let scene = Scene::Recorded { media: sought.media, lives, before };
        Some(self.context.with_case(found.because(causes), plan, scene))
    }
}

/// The tiers that a crash of this tier comes of, and no more.
fn tiers(world: World, tier: Tier) -> Tiers {
    let power_loss = match tier {
        Tier::T0 => PowerLoss::None,
        Tier::T1 => PowerLoss::Single,
        Tier::T2 => PowerLoss::Torn,
        _ => PowerLoss::Pairs,
    };
    match world {
        World::PowerLoss => Tiers { kill: false, power_loss, ..Tiers::ALL },
        World::ProcessKill | World::Undisturbed => Tiers::KILLS,
    }
}
