//! Case files: all that is needed to see one finding again.
//!
//! A case is a JSON object whose `format` is `proofhouse-case`. It holds the subject, the plan and
//! the scene: what the world did while the plan ran, down to the choice of lost and kept effects.
//! The case of a real kill holds what was recorded up to it, or the files that it left: replay starts
//! at recovery.

#[cfg(test)]
mod tests;

use std::fmt;

use proofhouse_crash::{
    Choice, Profile as Media, Trace, TraceFileError, Tree, read_trace, write_trace,
};
use proofhouse_model::{Op, Plan, Settings, Window};
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::criteria;
use crate::driving::Driving;
use crate::finding::{Kind, World};
use crate::profile::Profile;

/// The value of `format` in a case file.
pub const FORMAT: &str = "proofhouse-case";

/// The version of case files that this program writes, and the newest that it reads.
pub const VERSION: u64 = 1;

/// How one finding came about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Always [`FORMAT`].
    pub format: String,
    /// The version of the format, from 1.
    pub version: u64,
    /// The subject's name on the command line.
    pub subject: String,
    /// How to get along with a subject that is a command.
    #[serde(default, skip_serializing_if = "Driving::is_default")]
    pub driving: Driving,
    /// The seed of the run that found it.
    pub seed: u64,
    /// The claim that fails.
    pub claim: String,
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done.
    pub world: World,
    /// What was due and what was shown, for people.
    pub story: Vec<String>,
    /// What made crash states fail, most frequent first; the scene shows the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// What was asked of the subject.
    #[serde(with = "plan")]
    pub plan: Plan,
    /// What the world did meanwhile.
    pub scene: Scene,
}

/// What the world did while a plan ran, and what was looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "scene", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scene {
    /// Nothing; the outcomes were compared with the oracle's.
    Undisturbed,
    /// Nothing; the plan ran twice and the files were compared.
    Twice,
    /// A crash on the simulated disk, and crashes of the lives after it.
    Crash {
        /// Whether the store's creation was part of what crashed.
        creation: bool,
        /// The crash of each life, in order. A power loss among them names the medium whose rules
        /// count in all of them; where there is none, nothing depends on a medium.
        choices: Vec<Choice>,
    },
    /// A real kill, which left these files.
    Killed {
        /// How far the process had come.
        window: Window,
        /// The files.
        image: Box<Tree>,
    },
    /// Crashes of recorded runs on real files.
    Recorded {
        /// The rules of the medium.
        media: Media,
        /// What was recorded of each life, and how it ended.
        lives: Vec<CrashedLife>,
        /// What it was before the plan was made small: other causes than the first are of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Unshrunk>>,
    },
    /// A reader looked on before every storage call.
    Watched,
    /// Something that no plan shows: the whole measurement of the claim runs again.
    Measurement {
        /// How much of it was done.
        profile: Profile,
    },
}

/// A recorded plan before it was made small.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unshrunk {
    /// The plan.
    #[serde(with = "plan")]
    pub plan: Plan,
    /// What was recorded of each life, and how it ended.
    pub lives: Vec<CrashedLife>,
}

/// A life on record and the crash that ended it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrashedLife {
    /// The trace file (`docs/trace.md`).
    #[serde(with = "hex::serde")]
    trace: Vec<u8>,
    /// The crash.
    pub choice: Choice,
}

impl CrashedLife {
    /// A life and its crash.
    pub fn new(trace: &Trace, choice: Choice) -> Self {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = write_trace(trace, &mut bytes);
        Self { trace: bytes, choice }
    }

    /// What was recorded.
    ///
    /// # Errors
    /// The trace is damaged, and where.
    pub fn trace(&self) -> Result<Trace, TraceFileError> {
        read_trace(self.trace.as_slice())
    }
}

/// Why a case file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Some other kind of file.
    #[error("not a case file at {0}: its \"format\" is not \"{FORMAT}\"")]
    Foreign(Position),
    /// A version that this program does not know.
    #[error("case version {0} at {1} is newer than {VERSION}: use a newer proofhouse")]
    Newer(u64, Position),
    /// A claim that this program does not make.
    #[error("no claim {0:?} at {1}: `proofhouse explain` lists those there are")]
    UnknownClaim(String, Position),
    /// A cause that the case does not have.
    #[error("no cause {number}: this case has {of}")]
    NoCause {
        /// The cause asked for, counted from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// A case file, but damaged or mistyped.
    #[error("damaged at {0}: {1}")]
    Corrupt(Position, String),
}

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in bytes.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Position {
    /// Where a text comes first in a file that holds it.
    fn of(text: &str, file: &[u8]) -> Self {
        let before = file.windows(text.len()).take_while(|window| *window != text.as_bytes());
        let lines = file[..before.count()].split(|byte| *byte == b'\n');
        let (line, column) = lines.fold((0, 0), |(line, _), text| (line + 1, text.len() + 1));
        Self { line, column }
    }

    fn of_error(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

/// As much as every version has.
#[derive(Deserialize)]
struct AnyCase {
    format: String,
    version: u64,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// [`CaseError`]; with the position where the file is damaged.
    pub fn parse(file: &[u8]) -> Result<Self, CaseError> {
        let any: AnyCase =
            serde_json::from_slice(file).map_err(|error| match error.classify() {
                serde_json::error::Category::Data => CaseError::Foreign(Position::of_error(&error)),
                _ => corrupt(&error),
            })?;
        let at = |field| Position::of(field, file);
        match any.version {
            _ if any.format != FORMAT => Err(CaseError::Foreign(at("\"format\""))),
            newer if newer > VERSION => Err(CaseError::Newer(newer, at("\"version\""))),
            0 => {
                let words = "versions begin with 1".to_owned();
                Err(CaseError::Corrupt(at("\"version\""), words))
            }
            _ => {
                let case: Self = serde_json::from_slice(file).map_err(|error| corrupt(&error))?;
                match criteria::claim(&case.claim) {
                    Some(_) => Ok(case),
                    None => Err(CaseError::UnknownClaim(case.claim, at("\"claim\""))),
                }
            }
        }
    }

    /// The case of one of its causes, counted from 1.
    ///
    /// # Errors
    /// [`CaseError::NoCause`] if there are not so many.
    pub fn of_cause(mut self, number: usize) -> Result<Self, CaseError> {
        if number == 1 {
            return Ok(self);
        }
        let found = number.checked_sub(1).and_then(|index| self.causes.get(index)).cloned();
        let cause = found.ok_or(CaseError::NoCause { number, of: self.causes.len().max(1) })?;
        match &mut self.scene {
            Scene::Crash { choices, .. } => *choices = cause.choices,
            // The causes are of crashes of the last life; those before are the same.
            Scene::Recorded { lives, before, .. } => {
                if let Some(before) = before.take() {
                    (self.plan, *lives) = (before.plan, before.lives);
                }
                for (life, choice) in lives.iter_mut().rev().zip(cause.choices.into_iter().rev()) {
                    life.choice = choice;
                }
            }
            _ => {}
        }
        self.plan = cause.plan.unwrap_or(self.plan);
        Ok(self)
    }

    /// The case as indented JSON with a final newline.
    ///
    /// # Errors
    /// None that this type can cause; passed on from the serialiser.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

fn corrupt(error: &serde_json::Error) -> CaseError {
    let words = error.to_string();
    let what = words.split(" at line ").next().unwrap_or_default().to_owned();
    CaseError::Corrupt(Position::of_error(error), what)
}

/// A plan as a JSON object instead of a file of lines.
pub(crate) mod plan {
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, Op, Plan, Serialize, Settings};

    #[derive(Serialize)]
    struct Borrowed<'a> {
        seed: u64,
        settings: &'a Settings,
        ops: &'a [Op],
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Owned {
        seed: u64,
        settings: Settings,
        ops: Vec<Op>,
    }

    pub(crate) fn serialize<S: Serializer>(plan: &Plan, to: S) -> Result<S::Ok, S::Error> {
        borrowed(plan).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Plan, D::Error> {
        Owned::deserialize(from).map(plan)
    }

    #[expect(clippy::ref_option, reason = "the serialiser passes fields by reference")]
    pub(crate) fn serialize_some<S: Serializer>(
        plan: &Option<Plan>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        plan.as_ref().map(borrowed).serialize(to)
    }

    pub(crate) fn deserialize_some<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Plan>, D::Error> {
        Ok(Option::<Owned>::deserialize(from)?.map(plan))
    }

    fn borrowed(plan: &Plan) -> Borrowed<'_> {
        let Plan { seed, settings, ops } = plan;
        Borrowed { seed: *seed, settings, ops }
    }

    fn plan(owned: Owned) -> Plan {
        let Owned { seed, settings, ops } = owned;
        Plan { seed, settings, ops }
    }
}
