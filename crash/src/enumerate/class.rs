//! Findings by cause: which operation was lost, and which order or sync would have kept it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::choice::{BadChoice, Choice, Fate};
use super::frontier::Frontier;
use crate::media::{Kept, PendingOp, Profile};
use crate::trace::{MicroOp, Trace};
use crate::tree::Ino;

pub use crate::trace::Site;

/// What findings of one cause have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The operation that was lost; where none was, the one before which the crash came.
    pub site: Site,
    /// What would have kept it from being lost, or from being lost alone.
    pub missing: Missing,
}

/// Which order or sync a crash state shows to be missing.
///
/// A state can show several. The first that applies is told: a file's content lost behind a name
/// it was given later; something lost that was done before an acknowledgement; an operation torn;
/// something lost that was done before something that survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The content of a file, before the file was given its name.
    ContentBeforeOwnEntry,
    /// The content of a file, before an acknowledgement.
    ContentBeforeAck,
    /// An entry, before an acknowledgement.
    EntryBeforeAck,
    /// Bytes and size survive one without the other: a sync, or a check of the bytes.
    SizeWithData,
    /// A write survives in part: a check of all of it.
    WholeWrite,
    /// The content of a file, before other content.
    ContentBeforeContent,
    /// The content of a file, before an entry of another.
    ContentBeforeEntry,
    /// An entry, before content.
    EntryBeforeContent,
    /// An entry, before another.
    EntryBeforeEntry,
    /// No sync: what was lost is all that came last, or the process was killed.
    Nothing,
    /// A medium that leaves no garbage.
    GoodMedia,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentBeforeOwnEntry => "content not synced before its entry",
            Self::ContentBeforeAck => "content pending at acknowledgement",
            Self::EntryBeforeAck => "entry pending at acknowledgement",
            Self::SizeWithData => "size and data not synced together",
            Self::WholeWrite => "torn write",
            Self::ContentBeforeContent => "content not synced before later content",
            Self::ContentBeforeEntry => "content not synced before the entry of another file",
            Self::EntryBeforeContent => "entry not synced before later content",
            Self::EntryBeforeEntry => "entry not synced before a later entry",
            Self::Nothing => "no sync missing",
            Self::GoodMedia => "garbage in sectors under way",
        })
    }
}

impl fmt::Display for Class {
    /// One line: `write wal-#.log: content pending at acknowledgement`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.site, self.missing)
    }
}

impl Trace {
    /// The class of the state a choice stands for.
    ///
    /// # Errors
    /// [`BadChoice`] if the choice does not fit this trace.
    pub fn classify(&self, choice: &Choice) -> Result<Class, BadChoice> {
        let frontier = self.frontier(choice, Profile::default())?;
        let (number, missing) = match &choice.fate {
            Fate::Kill { .. } => (None, Missing::Nothing),
            Fate::BadMedia { write, .. } => (*write, Missing::GoodMedia),
            Fate::PowerLoss { rest, except, .. } => {
                let kept = frontier.kept(*rest, except);
                Losses::new(self, &frontier, &kept).missing()
            }
        };
        let mut sites = self.sites();
        let next = self.carried.len() + choice.at;
        let site = number.unwrap_or(next);
        let site = (site < sites.len()).then(|| sites.swap_remove(site));
        Ok(Class { site: site.unwrap_or_else(Site::end), missing })
    }

    /// Whether a state that a choice stands for could also be found under another profile. Never
    /// true if it could not; it may be false if only quite other losses lead to the same state.
    ///
    /// # Errors
    /// [`BadChoice`] if the choice does not fit this trace.
    pub fn legal_under(&self, choice: &Choice, profile: Profile) -> Result<bool, BadChoice> {
        let own = self.frontier(choice, profile)?;
        let Fate::PowerLoss { rest, except, .. } = &choice.fate else {
            return Ok(matches!(choice.fate, Fate::Kill { .. }));
        };
        let due = own.state(choice.clone()).base.digest();
        let losses = Losses::new(self, &own, &own.kept(*rest, except));
        let other = Frontier::at_point(self, profile, choice.at);
        Ok(other.nearest(&|op, effect| losses.took(op, effect)).contains(&due))
    }
}

/// What became of one pending operation.
#[derive(Default)]
struct Loss {
    /// Sectors and entries lost, and how many of these there were.
    data: usize,
    of: usize,
    sectors: Vec<u64>,
    /// How many sizes were lost, of how many, and the largest that survived.
    sizes: usize,
    of_sizes: usize,
    size: Option<u64>,
}

/// What a power loss took, by the number of the operation.
struct Losses<'t> {
    trace: &'t Trace,
    /// How many operations had happened, carried ones included.
    end: usize,
    ops: BTreeMap<usize, Loss>,
}

impl<'t> Losses<'t> {
    fn new(trace: &'t Trace, frontier: &Frontier<'_>, kept: &Kept) -> Self {
        let ops = frontier.pending().iter().map(|op| (op.number, Loss::of(op, kept))).collect();
        Self { trace, end: trace.carried.len() + frontier.at(), ops }
    }

    /// Whether an effect was lost; it may be one that another profile speaks of.
    fn took(&self, op: &PendingOp, effect: usize) -> bool {
        let Some(loss) = self.ops.get(&op.number) else { return false };
        let sectors = op.sector_effects();
        if op.is_entry() {
            return loss.data > 0;
        }
        if sectors.contains(&effect) {
            return loss.sectors.contains(&op.sectors[effect - sectors.start]);
        }
        let new = op.sizes.get(effect - sectors.end);
        loss.of_sizes > 0 && loss.size.is_none_or(|size| new.is_some_and(|new| new.size > size))
    }

    /// The operation to blame the state on, and why.
    fn missing(&self) -> (Option<usize>, Missing) {
        let lost: Vec<(usize, &MicroOp, &Loss)> = self
            .trace
            .numbered()
            .filter_map(|(number, op)| Some((number, op, self.ops.get(&number)?)))
            .filter(|(_, _, loss)| loss.any())
            .collect();
        let hidden = lost.iter().find_map(|(number, op, _)| self.hidden_by_entry(*number, op));
        // Of all that was pending at an acknowledgement the last is what was to be synced for it.
        let unacked = || lost.iter().rev().find_map(|(n, op, _)| self.acknowledged(*n, op));
        let torn = || lost.iter().find_map(|(number, _, loss)| Some((*number, loss.torn()?)));
        let overtaken = || lost.iter().find_map(|(number, op, _)| self.overtaken(*number, op));
        let found = hidden.or_else(unacked).or_else(torn).or_else(overtaken);
        match found {
            Some((number, missing)) => (Some(number), missing),
            None => (lost.first().map(|(number, ..)| *number), Missing::Nothing),
        }
    }

    /// The operations after one that survived, at least in part.
    fn survived_after(&self, number: usize) -> impl Iterator<Item = &MicroOp> {
        let happened = self.trace.numbered().take(self.end).skip(number + 1);
        let survived = |number: &usize| self.ops.get(number).is_none_or(|loss| !loss.all());
        happened.filter(move |(number, _)| survived(number)).map(|(_, op)| op)
    }

    fn hidden_by_entry(&self, number: usize, op: &MicroOp) -> Option<(usize, Missing)> {
        let file = content(op)?;
        let names_it = |later: &MicroOp| match later {
            MicroOp::Link { ino, .. } | MicroOp::Rename { ino, .. } => *ino == file,
            _ => false,
        };
        let hidden = self.survived_after(number).any(names_it);
        hidden.then_some((number, Missing::ContentBeforeOwnEntry))
    }

    fn acknowledged(&self, number: usize, op: &MicroOp) -> Option<(usize, Missing)> {
        let missing = match content(op) {
            Some(_) => Missing::ContentBeforeAck,
            None => Missing::EntryBeforeAck,
        };
        let is_ack = |later: &MicroOp| matches!(later, MicroOp::Ack { .. });
        self.survived_after(number).any(is_ack).then_some((number, missing))
    }

    fn overtaken(&self, number: usize, op: &MicroOp) -> Option<(usize, Missing)> {
        let later = self.survived_after(number).find(|op| content(op).is_some() || is_entry(op))?;
        let missing = match (content(op).is_some(), content(later).is_some()) {
            (true, true) => Missing::ContentBeforeContent,
            (true, false) => Missing::ContentBeforeEntry,
            (false, true) => Missing::EntryBeforeContent,
            (false, false) => Missing::EntryBeforeEntry,
        };
        Some((number, missing))
    }
}

impl Loss {
    fn of(op: &PendingOp, kept: &Kept) -> Self {
        let sectors = op.sectors.iter().zip(op.sector_effects());
        let gone = sectors.filter(|(_, effect)| !kept.has(*effect)).map(|(sector, _)| *sector);
        let mut loss = Self { sectors: gone.collect(), of: op.sectors.len(), ..Self::default() };
        loss.data = loss.sectors.len();
        if op.is_entry() {
            loss.of = 1;
            loss.data = usize::from(!op.all_effects().any(|effect| kept.has(effect)));
        }
        for (new, effect) in op.sizes.iter().zip(op.size_effects()) {
            loss.of_sizes += 1;
            if kept.has(effect) {
                loss.size = Some(new.size);
            } else {
                loss.sizes += 1;
            }
        }
        loss
    }

    fn any(&self) -> bool {
        self.data + self.sizes > 0
    }

    fn all(&self) -> bool {
        self.data == self.of && self.sizes == self.of_sizes
    }

    fn torn(&self) -> Option<Missing> {
        let whole = |lost, of| lost == 0 || lost == of;
        match (self.any() && !self.all(), whole(self.data, self.of)) {
            (false, _) => None,
            (true, true) if whole(self.sizes, self.of_sizes) => Some(Missing::SizeWithData),
            (true, _) => Some(Missing::WholeWrite),
        }
    }
}

/// The file whose content an operation changes.
fn content(op: &MicroOp) -> Option<Ino> {
    match op {
        MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } => Some(*ino),
        _ => None,
    }
}

fn is_entry(op: &MicroOp) -> bool {
    matches!(
        op,
        MicroOp::Link { .. }
            | MicroOp::MakeDir { .. }
            | MicroOp::Unlink { .. }
            | MicroOp::Rename { .. }
    )
}
