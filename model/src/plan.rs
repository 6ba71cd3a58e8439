//! Plans: what is asked of a subject, in a file that people can read, edit and replay.
//!
//! Line 1 is the header, a JSON object: `{"format":"proofhouse-plan","version":1,"seed":…,
//! "settings":{…}}`. Every further line is one [`Op`] as JSON. Lines end with a line feed.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::op::{Id, Op};
use crate::subject::Capabilities;

/// The value of `format` in a plan file's header.
pub const FORMAT: &str = "proofhouse-plan";

/// The version of plan files that this crate writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// How the store under test is opened: sizes small enough that short plans hit every mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Bytes of log space reserved ahead of the commits.
    pub wal_reserve: u64,
    /// Length in bytes at which a sealed segment is full and the next one begins.
    pub max_segment: u64,
    /// The identities that inserts draw, in order and then again from the start. Repetitions are
    /// wanted: an engine must not overwrite a live entity because its entropy repeats.
    pub entropy: Vec<Id>,
    /// The longest payload in bytes; longer ones are `Failed(Invalid)`.
    pub max_payload: u32,
}

impl Settings {
    /// The settings for a later life of the same store, after `draws` draws in all its lives:
    /// the entropy list begins where it was left. So no subject has to keep a cursor across
    /// lives, which a killed process could not.
    pub fn after_draws(&self, draws: u64) -> Self {
        let mut settings = self.clone();
        if let Some(turns) = draws.checked_rem(self.entropy.len() as u64) {
            settings.entropy.rotate_left(usize::try_from(turns).unwrap_or_default());
        }
        settings
    }
}

/// The entropy source of one life of a store: draws identities from the list in the settings.
#[derive(Debug)]
pub struct Entropy {
    ids: Vec<Id>,
    drawn: AtomicUsize,
}

impl Entropy {
    /// Starts at the beginning of the list.
    pub fn new(settings: &Settings) -> Self {
        Self { ids: settings.entropy.clone(), drawn: AtomicUsize::new(0) }
    }

    /// How many different draws there are before the list repeats.
    pub fn period(&self) -> usize {
        self.ids.len()
    }

    /// The next identity; `None` if the list is empty.
    pub fn draw(&self) -> Option<Id> {
        let index = self.drawn.fetch_add(1, Ordering::Relaxed).checked_rem(self.ids.len())?;
        self.ids.get(index).copied()
    }
}

/// Settings and operations, and the seed that they were generated from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// What generated it; a name only, the operations stand for themselves.
    pub seed: u64,
    /// How the store is opened.
    pub settings: Settings,
    /// What is asked of it, by one client.
    pub ops: Vec<Op>,
}

impl Plan {
    /// The plan without the operations that a subject does not offer.
    pub fn for_capabilities(&self, capabilities: Capabilities) -> Self {
        let ops = self.ops.iter().filter(|op| capabilities.offer(op)).cloned().collect();
        Self { seed: self.seed, settings: self.settings.clone(), ops }
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// [`PlanError`] with the line, counted from 1.
    pub fn parse(file: &[u8]) -> Result<Self, PlanError> {
        let mut lines = file.split_inclusive(|byte| *byte == b'\n');
        let header = lines.next().unwrap_or_default();
        let header = Header::parse(header).map_err(|problem| PlanError { line: 1, problem })?;
        let ops = lines.enumerate().map(|(index, line)| {
            parse_op(line).map_err(|problem| PlanError { line: index + 2, problem })
        });
        let ops = ops.collect::<Result<_, _>>()?;
        Ok(Self { seed: header.seed, settings: header.settings, ops })
    }
}

/// The plan as a file.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            seed: self.seed,
            settings: self.settings.clone(),
        };
        writeln!(f, "{}", serde_json::to_string(&header).map_err(|_| fmt::Error)?)?;
        self.ops.iter().try_for_each(|op| writeln!(f, "{op}"))
    }
}

/// Why a plan file was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PlanError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: PlanProblem,
}

/// What is wrong with a line of a plan file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanProblem {
    /// Some other kind of file.
    #[error("not a plan: the first line of a plan says \"format\":\"{FORMAT}\"")]
    Foreign,
    /// A version that this program does not know.
    #[error("plan version {0} is newer than {VERSION}: use a newer proofhouse")]
    Newer(u64),
    /// A plan, but damaged or mistyped.
    #[error("{0}")]
    Corrupt(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    seed: u64,
    settings: Settings,
}

/// As much of a header as every version has.
#[derive(Deserialize)]
struct AnyHeader {
    format: String,
    version: u64,
}

impl Header {
    fn parse(line: &[u8]) -> Result<Self, PlanProblem> {
        let any: AnyHeader = serde_json::from_slice(line).map_err(|_| PlanProblem::Foreign)?;
        if any.format != FORMAT {
            return Err(PlanProblem::Foreign);
        }
        if any.version > u64::from(VERSION) {
            return Err(PlanProblem::Newer(any.version));
        }
        if any.version == 0 {
            return Err(PlanProblem::Corrupt("there is no version 0".to_owned()));
        }
        parse_json(line)
    }
}

fn parse_op(line: &[u8]) -> Result<Op, PlanProblem> {
    if !line.ends_with(b"\n") {
        return Err(PlanProblem::Corrupt("the file ends within this line".to_owned()));
    }
    parse_json(line)
}

fn parse_json<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, PlanProblem> {
    serde_json::from_slice(line).map_err(|error| {
        // The parser counts lines from its own start, which is always 1 here; where it has no
        // position, it says column 0.
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        PlanProblem::Corrupt(match error.column() {
            0 => what.to_owned(),
            column => format!("{what} (column {column})"),
        })
    })
}

#[cfg(test)]
mod tests;
