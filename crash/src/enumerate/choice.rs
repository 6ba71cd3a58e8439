//! The small description that, with a trace, is a crash state.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Tier;
use crate::media::Profile;
use crate::trace::Trace;

/// Which crash, where, and what survived of what was pending.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How many operations of this life had happened.
    pub at: usize,
    /// What happened then.
    pub fate: Fate,
}

/// What happened at a crash point.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fate {
    /// The process was killed.
    Kill {
        /// If it died inside the write that came next: how many bytes of it were done; they end
        /// at a page border of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<u64>,
    },
    /// Power was lost.
    PowerLoss {
        /// Whose rules say what survives.
        profile: Profile,
        /// What became of pending effects that `except` does not speak of.
        rest: Rest,
        /// What fared otherwise, and took along what the medium orders with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        except: Vec<Exception>,
    },
    /// Power was lost on a medium that leaves garbage in sectors under way; all else survived.
    BadMedia {
        /// Whose rules say what was pending.
        profile: Profile,
        /// The number of the write whose sectors hold garbage; none if those of all pending do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write: Option<usize>,
    },
}

/// What became of most pending effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// They survived; exceptions are lost, and so is what comes after them.
    Kept,
    /// They were lost; exceptions survived, and so did what they need.
    Lost,
}

/// A pending operation, or a part of one, that fared otherwise than the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The operation's number, as listings print it.
    pub op: usize,
    /// Which part of it.
    pub part: Part,
}

/// A part of a pending operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its change of size.
    Size,
    /// The bytes in all sectors it touches.
    Data,
    /// The bytes in some of the sectors it touches, counted from 0 among those of the operation
    /// that are pending.
    Sectors {
        /// The first of them.
        first: usize,
        /// How many, at least one.
        count: usize,
    },
    /// Some of the sizes it gives the file on the way to the last, counted likewise.
    Sizes {
        /// The first of them.
        first: usize,
        /// How many, at least one.
        count: usize,
    },
}

/// A choice that does not fit a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChoice {
    /// The crash point lies past the end of the trace.
    #[error("crash point {at} lies past the end of a trace of {ops} operations")]
    PastEnd {
        /// The crash point.
        at: usize,
        /// How many operations the trace has.
        ops: usize,
    },
    /// There is no write here that could be cut there.
    #[error("no write at crash point {at} has a page border after {cut} bytes")]
    NoCut {
        /// The crash point.
        at: usize,
        /// The bytes said to be done.
        cut: u64,
    },
    /// The operation is not pending at the crash point, or has no such part; for garbage, it is
    /// no write.
    #[error("operation #{op} is not pending at crash point {at}, or has no such part")]
    NotPending {
        /// The operation's number.
        op: usize,
        /// The crash point.
        at: usize,
    },
}

impl Choice {
    /// The first tier that makes choices like this one.
    pub fn tier(&self) -> Tier {
        match &self.fate {
            Fate::Kill { .. } => Tier::T0,
            Fate::BadMedia { .. } => Tier::BadMedia,
            Fate::PowerLoss { rest, except, .. } => match except.as_slice() {
                [] | [Exception { part: Part::Whole, .. }] => Tier::T1,
                [first, others @ ..] if others.iter().all(|other| other.op == first.op) => Tier::T2,
                [Exception { part: Part::Whole, .. }, Exception { part: Part::Whole, .. }]
                    if *rest == Rest::Kept =>
                {
                    Tier::T3
                }
                _ => Tier::T4,
            },
        }
    }

    /// Whether a process was killed inside the operation that came next.
    pub fn is_cut(&self) -> bool {
        matches!(self.fate, Fate::Kill { cut: Some(_) })
    }

    /// Whose rules say what a power loss left; none for a kill.
    pub fn profile(&self) -> Option<Profile> {
        match self.fate {
            Fate::Kill { .. } => None,
            Fate::PowerLoss { profile, .. } | Fate::BadMedia { profile, .. } => Some(profile),
        }
    }
}

impl fmt::Display for Choice {
    /// Names operations by number only; [`Trace::explain`] also says what they were.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &|number| format!("#{number}"), self.at)
    }
}

impl Choice {
    /// Writes the story, with `name` telling what an operation was and `next` the number of the
    /// operation that did not happen any more.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &dyn Fn(usize) -> String,
        next: usize,
    ) -> fmt::Result {
        match &self.fate {
            Fate::Kill { cut: None } => write!(f, "process kill before #{next}"),
            Fate::Kill { cut: Some(cut) } => {
                write!(f, "process kill inside {} after {cut} bytes", name(next))
            }
            Fate::BadMedia { profile, write } => {
                write!(f, "power loss (bad media, {profile}) before #{next}: garbage in ")?;
                match write {
                    Some(write) => write!(f, "the sectors of {}", name(*write)),
                    None => f.write_str("the sectors of all pending writes"),
                }
            }
            Fate::PowerLoss { profile, rest, except } => {
                write!(f, "power loss ({profile}) before #{next}: ")?;
                let (verb, other) = match rest {
                    Rest::Kept => ("lost", "kept"),
                    Rest::Lost => ("kept", "lost"),
                };
                if except.is_empty() {
                    return write!(f, "{other} all pending");
                }
                write!(f, "{verb} ")?;
                for (n, parts) in except.chunk_by(|a, b| a.op == b.op).enumerate() {
                    f.write_str(if n == 0 { "" } else { ", " })?;
                    write_parts(f, parts, name)?;
                }
                write!(f, ", {other} all other pending")
            }
        }
    }
}

/// Writes parts of one operation: `sector 0 and size of #2 write wal 0+512`.
fn write_parts(
    f: &mut fmt::Formatter<'_>,
    parts: &[Exception],
    name: &dyn Fn(usize) -> String,
) -> fmt::Result {
    for (n, Exception { op, part }) in parts.iter().enumerate() {
        f.write_str(if n == 0 { "" } else { " and " })?;
        match part {
            Part::Whole => return f.write_str(&name(*op)),
            part => fmt::Display::fmt(part, f)?,
        }
    }
    parts.first().map_or(Ok(()), |exception| write!(f, " of {}", name(exception.op)))
}

impl fmt::Display for Part {
    /// `size`, `sectors 1 to 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("all"),
            Self::Size => f.write_str("size"),
            Self::Data => f.write_str("data"),
            Self::Sectors { first, count } => write_run(f, "sector", *first, *count),
            Self::Sizes { first, count } => write_run(f, "size", *first, *count),
        }
    }
}

fn write_run(f: &mut fmt::Formatter<'_>, what: &str, first: usize, count: usize) -> fmt::Result {
    match count {
        1 => write!(f, "{what} {first}"),
        _ => write!(f, "{what}s {first} to {}", first.saturating_add(count).saturating_sub(1)),
    }
}

/// A choice told with the names of a trace.
pub struct Explained<'a> {
    trace: &'a Trace,
    choice: &'a Choice,
}

impl Trace {
    /// Tells a choice in full: `power loss (posix) before #14: lost #12 write wal 512+1024, kept
    /// all other pending`.
    pub fn explain<'a>(&'a self, choice: &'a Choice) -> Explained<'a> {
        Explained { trace: self, choice }
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let described = self.trace.describe();
        let name = |number: usize| match described.get(number) {
            Some(op) => format!("#{number} {op}"),
            None => format!("#{number}"),
        };
        self.choice.write(f, &name, self.trace.carried.len() + self.choice.at)
    }
}
