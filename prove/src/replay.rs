//! Playing a case again.

use std::collections::BTreeSet;
use std::path::Path;

use proofhouse_crash::{Profile as Media, SimDisk, Tree};
use proofhouse_model::{Capabilities, Plan, Window};

use crate::case::{Case, CrashedLife, Scene};
use crate::cli::Problem;
use crate::explore::{self, Explorer, Told};
use crate::finding::{Exit, Kind};
use crate::measure::{self, Context, determinism, differential, gates, kills};
use crate::parallel::Budget;
use crate::profile::{Profile, Promise, Scale};
use crate::recorded::judge::{Judge, Wrong};
use crate::recorded::replay::{self as again, ReplayError};
use crate::story::{self, Life, Step};
use crate::subject::{Chosen, Commanded, Engine};
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
        /// How it came about, step by step; empty where there is no more to tell.
        steps: String,
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

    fn again(kind: Kind, story: String) -> Self {
        Self::Again { kind, story, steps: String::new() }
    }

    /// The same, step by step.
    fn told(self, steps: String) -> Self {
        match self {
            Self::Again { kind, story, .. } => Self::Again { kind, story, steps },
            other => other,
        }
    }

    fn of(kind: Kind, story: Option<String>) -> Self {
        story.map_or(Self::Gone, |story| Self::again(kind, story))
    }
}

/// Plays a case; real files go below `dir`.
///
/// # Errors
/// [`Problem`] if the case does not fit this program.
pub fn replay(case: &Case, dir: &Path) -> Result<Replayed, Problem> {
    let program = std::env::current_exe().map_err(Problem::with("this program"))?;
    match subject::choose(&case.subject, &case.driving, dir)? {
        Chosen::Placed(subject) => replay_placed(case, &context(case, &subject, dir, &program)),
        Chosen::Commanded(subject) => {
            replay_commanded(case, &context(case, subject.as_ref(), dir, &program))
        }
    }
}

fn context<'a, E: Engine>(
    case: &'a Case,
    subject: &'a E,
    dir: &'a Path,
    program: &'a Path,
) -> Context<'a, E> {
    Context {
        subject,
        name: &case.subject,
        profile: Profile::Quick,
        scale: Profile::Quick.scale(),
        seed: case.seed,
        budget: Budget::default(),
        promise: Promise::All,
        dir,
        program: Some(program),
        share: None,
    }
}

/// An undisturbed run, beside the oracle.
fn undisturbed<E: Engine>(case: &Case, context: &Context<E>) -> Replayed {
    let story = differential::diverges(context, &case.plan).map(|found| found.at.to_string());
    Replayed::of(case.kind, story)
}

fn replay_commanded(case: &Case, context: &Context<Commanded>) -> Result<Replayed, Problem> {
    match &case.scene {
        Scene::Undisturbed => Ok(undisturbed(case, context)),
        Scene::Measurement { profile } => Ok(measurement(
            &Context { profile: *profile, scale: profile.scale(), ..*context },
            case,
        )),
        Scene::Recorded { media, lives, .. } => recorded_lives(case, context, *media, lives),
        Scene::Killed { window, image } => {
            let about = context.subject.about();
            let judge = judge(case, context);
            let killed = again::killed(&judge, about, *window, image, context.promise);
            let steps = story::of_kill(&case.plan, about.capabilities, *window, image);
            Ok(judged(killed)?.told(steps))
        }
        Scene::Twice | Scene::Crash { .. } | Scene::Watched => {
            let words = "the case is of an engine in this process, and its subject is a command";
            Err(Problem::Other(words.to_owned()))
        }
    }
}

/// What judges stores of a recorded engine.
fn judge<'a, E: Engine>(case: &'a Case, context: &Context<'a, E>) -> Judge<'a> {
    let program = context.program.unwrap_or(Path::new("proofhouse"));
    let recipe = context.subject.recipe(context.name, program);
    let scratch = subject::scratch_place(context.dir);
    Judge::new(&recipe, &case.plan, context.subject.about(), &scratch)
}

/// Crashes of recorded lives: the states are made from what the case holds, and opened by a
/// process of the engine as it is now.
fn recorded_lives<E: Engine>(
    case: &Case,
    context: &Context<E>,
    media: Media,
    lives: &[CrashedLife],
) -> Result<Replayed, Problem> {
    let about = context.subject.about();
    let steps = lives_told(case, about.capabilities, media, lives);
    let steps = steps.map_err(|error| Problem::Other(error.to_string()))?;
    let again = again::replay(&judge(case, context), about, lives, media, context.promise);
    Ok(judged(again)?.told(steps))
}

/// Recorded lives step by step, each up to its crash.
fn lives_told(
    case: &Case,
    capabilities: Capabilities,
    medium: Media,
    lives: &[CrashedLife],
) -> Result<String, ReplayError> {
    let told = (1..).zip(lives).map(|(number, life)| {
        let trace = life.trace()?;
        let steps = match number {
            1 => Step::by_events(&case.plan, capabilities, &trace),
            _ => Step::by_marks(&trace),
        };
        let told = Life { trace: &trace, steps: &steps, crash: &life.choice, medium }.tell()?;
        Ok(format!("life {number}\n{told}"))
    });
    told.collect()
}

fn judged(judged: Result<Option<Wrong>, ReplayError>) -> Result<Replayed, Problem> {
    let judged = judged.map_err(|error| Problem::Other(error.to_string()))?;
    Ok(judged.map_or(Replayed::Gone, |Wrong { kind, words, .. }| Replayed::again(kind, words)))
}

fn replay_placed(case: &Case, context: &Context) -> Result<Replayed, Problem> {
    let (subject, plan) = (context.subject, &case.plan);
    Ok(match &case.scene {
        Scene::Undisturbed => undisturbed(case, context),
        Scene::Twice => Replayed::of(case.kind, determinism::differs(subject, plan)),
        Scene::Crash { creation, choices } => {
            let explorer = if *creation {
                Explorer::of_creation(subject, plan)
            } else {
                Explorer::of_plan(subject, plan)
            };
            let failure = explorer.replay(choices).map_err(|error| misfit(&error))?;
            failure.map_or(Replayed::Gone, |Told { kind, words, steps, .. }| Replayed::Again {
                kind,
                story: words,
                steps,
            })
        }
        Scene::Recorded { media, lives, .. } => recorded_lives(case, context, *media, lives)?,
        Scene::Killed { window, image } => {
            let capabilities = subject.about().capabilities;
            let steps = story::of_kill(plan, capabilities, *window, image);
            killed(context, plan, *window, image).told(steps)
        }
        Scene::Watched => {
            let wrong = gates::watch(subject, plan).wrong;
            Replayed::of(case.kind, wrong.map(|(_, story)| story))
        }
        Scene::Measurement { profile } => {
            // Threads meet by chance: more rounds give them more of it.
            let rounds = profile.scale().thread_rounds * 10;
            let scale = Scale { thread_rounds: rounds, ..profile.scale() };
            measurement(&Context { profile: *profile, scale, ..*context }, case)
        }
    })
}

fn misfit(error: &explore::ReplayError) -> Problem {
    Problem::Other(format!("the case does not fit this version of the subject: {error}"))
}

/// Recovery of the files that a kill left, on the simulated disk.
fn killed(context: &Context, plan: &Plan, window: Window, image: &Tree) -> Replayed {
    let disk = SimDisk::from_tree(image.clone());
    match kills::recover(context.subject, plan, window, &disk) {
        Ok(()) => Replayed::Gone,
        Err((kind, story)) => Replayed::again(kind, story),
    }
}

/// The whole measurement of the case's claim.
fn measurement<E: Engine>(context: &Context<E>, case: &Case) -> Replayed {
    let wanted = BTreeSet::from([criteria::criterion_of(&case.claim)]);
    let (_, findings) = measure::measure(context, &wanted, &|_| {});
    let found = findings.into_iter().find(|one| one.claim == case.claim && one.kind == case.kind);
    found.map_or(Replayed::Unseen, |found| Replayed::again(found.kind, found.story))
}
