//! One chain of crashes: played again, and made smaller.

use proofhouse_crash::{BadChoice, Choice, Class, CrashState, Profile, minimise};
use proofhouse_model::Divergence;

use super::{Explorer, Recorded, world};
use crate::due::Wrong;
use crate::finding::{Kind, World};
use crate::story::Life;

/// What a chain of crashes shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done: a power loss if there was one in any life.
    pub world: World,
    /// What was due and what was shown, in words.
    pub words: String,
    /// The crashes, and these words.
    pub story: String,
    /// Every life step by step, and what was due after the last crash.
    pub steps: String,
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

/// The medium of a chain of crashes: the one that a power loss among them names. Without one
/// nothing depends on a medium.
pub fn medium_of(chain: &[Choice]) -> Profile {
    chain.iter().find_map(Choice::profile).unwrap_or_default()
}

impl Explorer<'_> {
    /// Plays one chain of crashes again.
    ///
    /// # Errors
    /// [`ReplayError`] if the chain does not fit what the subject does now.
    pub fn replay(&self, choices: &[Choice]) -> Result<Option<Told>, ReplayError> {
        let medium = medium_of(choices);
        let mut lives = vec![self.record()?];
        let mut states: Vec<CrashState> = Vec::new();
        for (recorded, choice) in (0..).zip(choices) {
            let recorded = &lives[recorded];
            let state = recorded.trace.state_under(choice, medium)?;
            let outlived = self.outlive(recorded, &state);
            states.push(state);
            match outlived {
                Err(wrong) => return Ok(Some(told(&lives, &states, medium, wrong)?)),
                Ok(next) => lives.push(next),
            }
        }
        Ok(None)
    }

    /// The same chain with a smaller last crash: fewer effects lost, or kept, that still fail in
    /// the same way. The chain as it is if it cannot be played again.
    pub fn minimise(&self, choices: &[Choice], kind: Kind, class: &Class) -> Vec<Choice> {
        self.smaller(choices, kind, class).unwrap_or_else(|_| choices.to_vec())
    }

    fn smaller(
        &self,
        choices: &[Choice],
        kind: Kind,
        class: &Class,
    ) -> Result<Vec<Choice>, ReplayError> {
        let Some((last, earlier)) = choices.split_last() else { return Ok(Vec::new()) };
        let mut recorded = self.record()?;
        for choice in earlier {
            let state = recorded.trace.state_under(choice, medium_of(choices))?;
            match self.outlive(&recorded, &state) {
                Ok(next) => recorded = next,
                Err(_) => return Ok(choices.to_vec()),
            }
        }
        let mut fails = |state: &CrashState| {
            recorded.trace.classify(&state.choice).is_ok_and(|its| its == *class)
                && self.outlive(&recorded, state).is_err_and(|(its, _)| its == kind)
        };
        let smallest = minimise(&recorded.trace, last, &mut fails)?;
        Ok(earlier.iter().cloned().chain([smallest]).collect())
    }

    /// Recovers from a crash and lives on; answers the record of the life after it.
    pub(super) fn outlive(
        &self,
        recorded: &Recorded,
        state: &CrashState,
    ) -> Result<Recorded, Wrong> {
        let recovery = self.recover(recorded, state)?;
        self.live_on(recovery, recorded, state)
    }
}

/// `lives` ended in `states`, the last of which is wrong.
fn told(
    lives: &[Recorded],
    states: &[CrashState],
    medium: Profile,
    (kind, words): Wrong,
) -> Result<Told, BadChoice> {
    let (mut story, mut steps) = (Vec::new(), Vec::new());
    for (number, (life, state)) in (1..).zip(lives.iter().zip(states)) {
        let crash = &state.choice;
        let last = number == states.len();
        story.push(if last {
            life.trace.explain(crash).to_string()
        } else {
            format!("first life: {crash}")
        });
        let told = Life { trace: &life.trace, steps: &life.steps, crash, medium }.tell()?;
        steps.push(format!("life {number}\n{told}"));
        if last {
            steps.push(format!("due: {}\n", life.due.words(state)));
        }
    }
    story.push(words.clone());
    let states: Vec<_> = states.iter().collect();
    let (story, steps) = (story.join("\n"), steps.concat());
    Ok(Told { kind, world: world(&states), words, story, steps })
}
