//! What a crash made of each operation, for telling.

use std::fmt;

use super::choice::{BadChoice, Choice, Fate, Part};
use super::frontier::Frontier;
use super::minimise::parts;
use crate::media::{PendingOp, Profile};
use crate::trace::{MicroOp, Trace};

/// What a crash made of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fared {
    /// It changes nothing that could be lost: a sync, a mark.
    Unchanging,
    /// It was durable before the crash.
    Durable,
    /// The process was killed: it is in the page cache, as little durable as before.
    Cached,
    /// It was pending when power was lost, and survived.
    Kept,
    /// It was pending when power was lost, and is gone.
    Lost,
    /// It was pending when power was lost, and these parts of it are gone.
    Torn(Vec<Part>),
    /// The medium left garbage where it wrote.
    Garbled,
    /// The process was killed inside it, when so many bytes were done.
    Cut(u64),
    /// The crash came first.
    Never,
}

impl fmt::Display for Fared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanging => f.write_str("returned"),
            Self::Durable => f.write_str("durable"),
            Self::Cached => f.write_str("in the page cache"),
            Self::Kept => f.write_str("kept"),
            Self::Lost => f.write_str("lost"),
            Self::Torn(parts) => {
                let lost: Vec<_> = parts.iter().map(ToString::to_string).collect();
                write!(f, "torn, lost {}", lost.join(" and "))
            }
            Self::Garbled => f.write_str("garbage"),
            Self::Cut(bytes) => write!(f, "cut after {bytes} bytes"),
            Self::Never => f.write_str("not reached"),
        }
    }
}

impl Trace {
    /// What a crash made of each operation, in the order of their numbers. After a kill `profile`
    /// says what is durable; a power loss names its profile itself.
    ///
    /// # Errors
    /// [`BadChoice`] if the choice does not fit this trace.
    pub fn fared(&self, choice: &Choice, profile: Profile) -> Result<Vec<Fared>, BadChoice> {
        let frontier = self.frontier(choice, profile)?;
        let end = self.carried.len() + choice.at;
        let fared = self.numbered().map(|(number, op)| {
            let pending = frontier.pending().iter().find(|pending| pending.number == number);
            match (op, pending, &choice.fate) {
                (_, _, Fate::Kill { cut: Some(cut) }) if number == end => Fared::Cut(*cut),
                _ if number >= end => Fared::Never,
                (_, Some(pending), fate) => frontier.fared(pending, fate),
                (op, None, _) if changes(op) => Fared::Durable,
                _ => Fared::Unchanging,
            }
        });
        Ok(fared.collect())
    }
}

impl Frontier<'_> {
    fn fared(&self, op: &PendingOp, fate: &Fate) -> Fared {
        match fate {
            Fate::Kill { .. } => Fared::Cached,
            Fate::BadMedia { write, .. } => {
                let written = matches!(op.op, MicroOp::Write { .. });
                let hit = written && write.is_none_or(|write| write == op.number);
                if hit { Fared::Garbled } else { Fared::Kept }
            }
            Fate::PowerLoss { rest, except, .. } => {
                let kept = self.kept(*rest, except);
                let lost: Vec<Part> =
                    parts(op, |effect| !kept.has(effect)).into_iter().map(|one| one.part).collect();
                match lost.as_slice() {
                    [] => Fared::Kept,
                    [Part::Whole] => Fared::Lost,
                    _ => Fared::Torn(lost),
                }
            }
        }
    }
}

/// Whether an operation changes anything that could be lost.
fn changes(op: &MicroOp) -> bool {
    match op {
        MicroOp::Write { .. }
        | MicroOp::SetLen { .. }
        | MicroOp::Link { .. }
        | MicroOp::MakeDir { .. }
        | MicroOp::Unlink { .. }
        | MicroOp::Rename { .. } => true,
        MicroOp::Sync { .. }
        | MicroOp::SyncDir { .. }
        | MicroOp::Issue { .. }
        | MicroOp::Ack { .. }
        | MicroOp::Shown { .. } => false,
    }
}
