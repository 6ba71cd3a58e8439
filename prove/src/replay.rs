//! Playing a case again.

use std::collections::BTreeSet;
use std::path::Path;

use proofhouse_crash::{SimDisk, Tree};
use proofhouse_model::{Plan, Window};

use crate::case::{Case, Scene};
use crate::cli::Problem;
use crate::explore::{Explorer, ReplayError, Told};
use crate::finding::{Exit, Kind};
use crate::measure::{self, Context, determinism, differential, gates, kills};
use crate::parallel::Budget;
use crate::profile::{Profile, Scale};
use crate::{criteria, subject};

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It fails again.
    Again {
        /// In this way.
        kind: Kind,
        /// As it is told now.
        story: String,
    },
    /// It does not fail any more.
    Gone,
    /// It did not fail this time, which says little: threads meet by chance.
    Unseen,
}

impl Replayed {
    /// How a process that replayed it ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Again { kind, .. } => kind.exit(),
            Self::Gone | Self::Unseen => Exit::Clean,
        }
    }

    fn of(kind: Kind, story: Option<String>) -> Self {
        story.map_or(Self::Gone, |story| Self::Again { kind, story })
    }
}

/// Plays a case; real files go below `dir`.
///
/// # Errors
/// [`Problem`] if the case does not fit this program.
pub fn replay(case: &Case, dir: &Path) -> Result<Replayed, Problem> {
    let subject =
        subject::named(&case.subject).ok_or_else(|| Problem::Subject(case.subject.clone()))?;
    let program = std::env::current_exe().map_err(Problem::with("this program"))?;
    let context = Context {
        subject: &subject,
        name: &case.subject,
        profile: Profile::Quick,
        scale: Profile::Quick.scale(),
        seed: case.seed,
        budget: Budget::default(),
        dir,
        program: Some(&program),
    };
    let plan = &case.plan;
    Ok(match &case.scene {
        Scene::Undisturbed => {
            let story = differential::diverges(&context, plan).map(|found| found.to_string());
            Replayed::of(case.kind, story)
        }
        Scene::Twice => Replayed::of(case.kind, determinism::differs(&subject, plan)),
        Scene::Crash { creation, choices } => {
            let explorer = if *creation {
                Explorer::of_creation(&subject, plan)
            } else {
                Explorer::of_plan(&subject, plan)
            };
            let failure = explorer.replay(choices).map_err(|error| misfit(&error))?;
            failure
                .map_or(Replayed::Gone, |Told { kind, story, .. }| Replayed::Again { kind, story })
        }
        Scene::Killed { window, image } => killed(&context, plan, *window, image),
        Scene::Watched => {
            let wrong = gates::watch(&subject, plan).wrong;
            Replayed::of(case.kind, wrong.map(|(_, story)| story))
        }
        Scene::Measurement { profile } => {
            // Threads meet by chance: more rounds give them more of it.
            let rounds = profile.scale().thread_rounds * 10;
            let scale = Scale { thread_rounds: rounds, ..profile.scale() };
            measurement(&Context { profile: *profile, scale, ..context }, case)
        }
    })
}

fn misfit(error: &ReplayError) -> Problem {
    Problem::Other(format!("the case does not fit this version of the subject: {error}"))
}

/// Recovery of the files that a kill left, on the simulated disk.
fn killed(context: &Context, plan: &Plan, window: Window, image: &Tree) -> Replayed {
    let disk = SimDisk::from_tree(image.clone());
    match kills::recover(context.subject, plan, window, &disk) {
        Ok(()) => Replayed::Gone,
        Err((kind, story)) => Replayed::Again { kind, story },
    }
}

/// The whole measurement of the case's claim.
fn measurement(context: &Context, case: &Case) -> Replayed {
    let wanted = BTreeSet::from([criteria::criterion_of(&case.claim)]);
    let (_, findings) = measure::measure(context, &wanted, &|_| {});
    let found = findings.into_iter().find(|one| one.claim == case.claim && one.kind == case.kind);
    found.map_or(Replayed::Unseen, |found| Replayed::Again { kind: found.kind, story: found.story })
}
