//! One chain of crashes: played again, and made smaller.

use proofhouse_crash::{BadChoice, Choice, Class, CrashState, Profile, minimise};
use proofhouse_model::Divergence;

use super::{Explorer, Recorded, world};
use crate::due::Wrong;
use crate::finding::{Kind, World};

/// What a chain of crashes shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done: a power loss if there was one in any life.
    pub world: World,
    /// The crashes, what was due and what was shown.
    pub story: String,
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
        let mut recorded = self.record()?;
        let mut before: Vec<CrashState> = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let state = recorded.trace.state_under(choice, medium_of(choices))?;
            match self.outlive(&recorded, &state) {
                Err(wrong) => {
                    before.push(state);
                    return Ok(Some(told(&recorded, &before, wrong)));
                }
                Ok(next) if index + 1 < choices.len() => recorded = next,
                Ok(_) => {}
            }
            before.push(state);
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
    fn outlive(&self, recorded: &Recorded, state: &CrashState) -> Result<Recorded, Wrong> {
        let recovery = self.recover(recorded, state)?;
        self.live_on(recovery, recorded, state)
    }
}

fn told(recorded: &Recorded, chain: &[CrashState], (kind, words): Wrong) -> Told {
    let mut story = Vec::new();
    if let Some((last, earlier)) = chain.split_last() {
        story.extend(earlier.iter().map(|state| format!("first life: {}", state.choice)));
        story.push(recorded.trace.explain(&last.choice).to_string());
    }
    story.push(words);
    let chain: Vec<_> = chain.iter().collect();
    Told { kind, world: world(&chain), story: story.join("\n") }
}
