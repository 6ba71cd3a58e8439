//! From failing states to findings: which are told, where they are booked, and the smallest case.

use std::collections::BTreeSet;

use proofhouse_crash::{Choice, Class, Profile, Tiers};
use proofhouse_model::Plan;

use super::{Case, Context, depth, explorer};
use crate::case::Scene;
use crate::cause::{Cause, Causes};
use crate::explore::{Depth, Failure};
use crate::finding::{self, Finding, Kind, World};
use crate::measure::differential;
use crate::measure::smaller::Patience;

/// A failure, and what it is one of.
#[derive(Clone, Copy)]
struct Met<'a> {
    case: &'a Case,
    medium: Profile,
    failure: &'a Failure,
}

/// One finding of each claim and kind. What a kill already shows is a flaw of kills: a power loss
/// that shows the same kind of wrong tells nothing more; nor does ext4 of what posix shows.
pub(super) fn all(context: &Context, done: &[Case]) -> Vec<Finding> {
    let met: Vec<Met> = done.iter().flat_map(of_case).collect();
    let kinds = |of: fn(&Met) -> bool| -> BTreeSet<Kind> {
        met.iter().filter(|one| of(one)).map(|one| one.failure.kind).collect()
    };
    let by_kill = kinds(|one| one.failure.world == World::ProcessKill);
    let on_posix = kinds(|one| one.medium == Profile::Posix);
    let told = |one: &&Met| match (one.failure.world, one.medium) {
        (World::ProcessKill | World::Undisturbed, _) => true,
        (World::PowerLoss, Profile::Posix) => !by_kill.contains(&one.failure.kind),
        (World::PowerLoss, Profile::Ext4) => !on_posix.contains(&one.failure.kind),
    };
    let mut groups: Vec<Vec<Met>> = Vec::new();
    for one in met.iter().filter(told) {
        match groups.iter_mut().find(|group| group[0].booked() == one.booked()) {
            Some(group) => group.push(*one),
            None => groups.push(vec![*one]),
        }
    }
    let mut found: Vec<Finding> =
        groups.iter().filter_map(|group| Group::of(group)?.finding(context)).collect();
    let divergence = done.iter().filter(|case| case.came_to.is_none()).find_map(|case| {
        let again = explorer(context, &case.plan, case.creation, Profile::Posix).diverges();
        Some((case, again?))
    });
    found
        .extend(divergence.map(|(case, at)| differential::finding(context, &case.plan, at.into())));
    found
}

fn of_case(case: &Case) -> impl Iterator<Item = Met<'_>> {
    let media = case
        .came_to
        .iter()
        .flat_map(|came_to| [(Profile::Posix, &came_to.posix), (Profile::Ext4, &came_to.ext4)]);
    media.flat_map(move |(medium, explored)| {
        explored.failures.iter().map(move |failure| Met { case, medium, failure })
    })
}

impl Met<'_> {
    fn under_test(&self) -> &'static str {
        let Failure { kind, world, nested, .. } = self.failure;
        match (world, self.case.creation, nested) {
            (World::PowerLoss, _, _) if self.medium == Profile::Ext4 => "AC-04.ext4",
            (World::PowerLoss, true, _) => "AC-04.creation",
            (World::PowerLoss, false, true) => "AC-04.recovery-loses-power",
            (World::PowerLoss, false, false) => "AC-04.power-loss",
            (_, true, _) => "AC-02.creation",
            (_, false, _) if *kind == Kind::Unstable => "AC-02.recovery-stable",
            (_, false, true) => "AC-02.recovery-killed",
            (_, false, false) => "AC-02.kill-boundaries",
        }
    }

    /// What is told together.
    fn booked(&self) -> (&'static str, Kind) {
        let Failure { kind, world, .. } = self.failure;
        (finding::claim(*kind, *world, self.under_test()), *kind)
    }
}

/// Failures that are told together, and the one that stands for them.
struct Group<'a> {
    met: Met<'a>,
    class: Class,
    causes: Vec<Cause>,
}

impl<'a> Group<'a> {
    /// The most frequent cause stands for the group, where it was first met.
    fn of(group: &[Met<'a>]) -> Option<Self> {
        let mut causes = Causes::default();
        for met in group {
            causes.merge(&met.case.plan, &met.failure.causes);
        }
        let causes = causes.by_frequency();
        let class = causes.first()?.class.clone();
        let has = |met: &&Met<'_>| met.failure.causes.classes().any(|one| *one == class);
        let met = *group.iter().find(has)?;
        Some(Self { met, class, causes })
    }

    /// The finding, its plan and its crash as small as they were made.
    fn finding(mut self, context: &Context) -> Option<Finding> {
        let Met { case, failure, .. } = self.met;
        let medium = self.choose_medium(context);
        let mut patience = Patience::of(context.budget);
        let (plan, choices) = self.shrunk(context, medium, &mut patience)?;
        let again = explorer(context, &plan, case.creation, medium);
        let choices = if patience.is_over() {
            choices
        } else {
            again.minimise(&choices, failure.kind, &self.class)
        };
        let told = again.replay(&choices).ok().flatten();
        let story = told.map_or_else(|| self.class.to_string(), |told| told.story);
        let first = self.causes.iter().position(|cause| cause.class == self.class)?;
        self.causes[..=first].rotate_right(1);
        self.causes[0] = Cause { choices: choices.clone(), plan: None, ..self.causes[0].clone() };
        let (kind, world) = (failure.kind, failure.world);
        let mut finding = Finding::new(kind, world, self.met.under_test(), story);
        if world == World::PowerLoss {
            finding = finding.on(medium);
        }
        let scene = Scene::Crash { creation: case.creation, choices };
        Some(patience.told(context.with_case(finding.because(self.causes), plan, scene)))
    }

    /// The strongest medium that shows it. If that shows only another cause, that one is told.
    fn choose_medium(&mut self, context: &Context) -> Profile {
        let Met { case, medium, failure, .. } = self.met;
        if medium == Profile::Ext4 || failure.world != World::PowerLoss {
            return medium;
        }
        let explorer = explorer(context, &case.plan, case.creation, Profile::Ext4);
        let same = |class: &Class| *class == self.class;
        let any = |class: &Class| self.causes.iter().any(|cause| cause.class == *class);
        let depth = self.depth(context);
        let found = explorer
            .first_like(depth, failure, &same)
            .or_else(|| explorer.first_like(depth, failure, &any));
        match found {
            Some((class, _)) => {
                self.class = class;
                Profile::Ext4
            }
            None => Profile::Posix,
        }
    }

    /// A smaller plan in which the same crash is still possible, and that crash.
    fn shrunk(
        &self,
        context: &Context,
        medium: Profile,
        patience: &mut Patience,
    ) -> Option<(Plan, Vec<Choice>)> {
        let Met { case, failure, .. } = self.met;
        let same = |class: &Class| *class == self.class;
        let depth = self.depth(context);
        let again = |plan: &Plan| {
            explorer(context, plan, case.creation, medium).first_like(depth, failure, &same)
        };
        // Each trial explores a plan until it fails: fewer are granted than for a single run.
        let trials = context.scale.shrink_trials / 10;
        let plan = patience.shrink(&case.plan, trials, &mut |plan| again(plan).is_some());
        let (_, choices) = again(&plan)?;
        Some((plan, choices))
    }

    /// As deep as the failure was found, and no kind of crash that it does not need.
    fn depth(&self, context: &Context) -> Depth {
        let Met { case, failure, .. } = self.met;
        let Depth { first, nested } = depth(context, case.creation, case.number);
        let first = match failure.world {
            World::ProcessKill | World::Undisturbed => Tiers::KILLS,
            World::PowerLoss => Tiers { kill: failure.nested, ..first },
        };
        Depth { first, nested: nested.filter(|_| failure.nested) }
    }
}
