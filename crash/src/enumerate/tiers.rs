//! Which choices each tier makes at a crash point.

mod subsets;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CrashKind;
use super::choice::{Choice, Exception, Fate, Part, Rest};
use super::frontier::Frontier;
use crate::media::{PendingOp, Profile};
use crate::trace::MicroOp;

/// A family of crash states, from cheap to thorough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Process kills: every prefix, and cuts inside a write at page borders.
    T0,
    /// Power loss: all pending lost; each operation alone lost; each alone kept.
    T1,
    /// Power loss within operations: torn writes, size without data, data without size.
    T2,
    /// Power loss that took two operations: of different files, or of content and entry.
    T3,
    /// Power loss that took or left a random subset.
    T4,
    /// Power loss on a medium that leaves garbage in sectors under way. Decides no verdict.
    BadMedia,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMedia => f.write_str("bad-media"),
            tier => fmt::Debug::fmt(tier, f),
        }
    }
}

/// How thoroughly power loss is enumerated; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerLoss {
    /// Not at all.
    None,
    /// At each point, all pending operations lost.
    AllLost,
    /// Tier T1.
    Single,
    /// Tiers T1 and T2.
    Torn,
    /// Tiers T1, T2 and T3.
    Pairs,
}

/// How many random subsets to take at each crash point, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// How many are drawn; those that are too small or were drawn before are dropped.
    pub count: u32,
    /// Decides which.
    pub seed: u64,
}

/// Which states to enumerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tiers {
    /// Tier T0.
    pub kill: bool,
    /// How much of power loss.
    pub power_loss: PowerLoss,
    /// Tier T4.
    pub random: Random,
    /// The tier of its own that decides no verdict.
    pub bad_media: bool,
}

impl Tiers {
    /// Process kills only: T0.
    pub const KILLS: Self = Self {
        kill: true,
        power_loss: PowerLoss::None,
        random: Random { count: 0, seed: 0 },
        bad_media: false,
    };
    /// T0 and, at each point, all pending lost: for crashes within recovery.
    pub const NESTED: Self = Self { power_loss: PowerLoss::AllLost, ..Self::KILLS };
    /// T0, T1 and T2.
    pub const ALL: Self = Self { power_loss: PowerLoss::Torn, ..Self::KILLS };
    /// Power loss only: T1 and T2.
    pub const POWER_LOSS: Self = Self { kill: false, ..Self::ALL };
    /// Garbage in sectors under way, and nothing else.
    pub const BAD_MEDIA: Self = Self { kill: false, bad_media: true, ..Self::KILLS };
    /// No state at all.
    pub const NONE: Self = Self { kill: false, ..Self::KILLS };

    /// Of these, the tiers of those kinds of crash that are asked for.
    #[must_use]
    pub fn of(self, asked: impl Fn(CrashKind) -> bool) -> Self {
        let kill = self.kill && asked(CrashKind::ProcessKill);
        if asked(CrashKind::PowerLoss) {
            Self { kill, ..self }
        } else {
            Self { kill, ..Self::KILLS }
        }
    }
}

/// The choices of the tiers at one crash point, in order. None is made twice.
pub(super) fn choices(frontier: &Frontier<'_>, profile: Profile, tiers: Tiers) -> Vec<Choice> {
    let mut fates = Vec::new();
    if tiers.kill {
        fates.push(Fate::Kill { cut: None });
        fates.extend(frontier.cuts().map(|cut| Fate::Kill { cut: Some(cut) }));
    }
    let mut lose_power = |rest: Rest, except: Vec<Exception>| {
        fates.push(Fate::PowerLoss { profile, rest, except });
    };
    if tiers.power_loss >= PowerLoss::AllLost {
        lose_power(Rest::Lost, Vec::new());
    }
    if tiers.power_loss >= PowerLoss::Single {
        for op in frontier.pending() {
            let whole = || vec![Exception { op: op.number, part: Part::Whole }];
            lose_power(Rest::Kept, whole());
            lose_power(Rest::Lost, whole());
        }
    }
    if tiers.power_loss >= PowerLoss::Torn {
        // An entry lost alone, the rest kept, is T1's omission; with the rest lost, all is lost.
        for op in frontier.pending() {
            for (rest, parts) in torn(op) {
                let except = parts.into_iter().map(|part| Exception { op: op.number, part });
                lose_power(rest, except.collect());
            }
        }
    }
    if tiers.power_loss >= PowerLoss::Pairs {
        subsets::pairs(frontier.pending()).for_each(|pair| lose_power(Rest::Kept, pair));
    }
    for (rest, except) in subsets::random(tiers.random, frontier.at(), frontier.pending()) {
        lose_power(rest, except);
    }
    if tiers.bad_media {
        fates.extend(garbled(frontier.pending(), profile));
    }
    fates.into_iter().map(|fate| Choice { at: frontier.at(), fate }).collect()
}

/// Garbage in what each pending write touches, and, if there are several, in what all touch.
fn garbled(pending: &[PendingOp], profile: Profile) -> Vec<Fate> {
    let writes = pending.iter().filter(|op| matches!(op.op, MicroOp::Write { .. }));
    let writes: Vec<usize> = writes.map(|op| op.number).collect();
    let all = (writes.len() > 1).then_some(Fate::BadMedia { profile, write: None });
    let each = writes.iter().map(|op| Fate::BadMedia { profile, write: Some(*op) });
    each.chain(all).collect()
}

/// How one operation can tear, each way with all other pending operations kept and lost.
fn torn(op: &PendingOp) -> Vec<(Rest, Vec<Part>)> {
    let mut tears = Vec::new();
    if !op.sectors.is_empty() && !op.sizes.is_empty() {
        // Size without data, then data without size.
        tears.extend([(Rest::Kept, vec![Part::Data]), (Rest::Lost, vec![Part::Size])]);
        tears.extend([(Rest::Kept, vec![Part::Size]), (Rest::Lost, vec![Part::Data])]);
    }
    for grown in 1..op.sizes.len() {
        let later = Part::Sizes { first: grown, count: op.sizes.len() - grown };
        tears.push((Rest::Kept, vec![later]));
        tears.push((Rest::Lost, vec![Part::Sizes { first: 0, count: grown }]));
    }
    for (kept, lost) in splits(op.sectors.len()) {
        let size = size_with(op, &kept);
        tears.push((Rest::Kept, lost));
        tears.push((Rest::Lost, kept.into_iter().chain(size).collect()));
    }
    tears
}

/// The sizes of an operation that need no sectors but the `kept` ones: all of them, where sizes
/// need no data.
fn size_with(op: &PendingOp, kept: &[Part]) -> Option<Part> {
    let is_kept = |sector: u64| {
        let at = op.sectors.partition_point(|own| *own < sector);
        kept.iter().any(|part| match part {
            Part::Sectors { first, count } => (*first..first + count).contains(&at),
            _ => false,
        })
    };
    let count = op.sizes.iter().take_while(|new| new.data.clone().all(is_kept)).count();
    match count {
        0 => None,
        all if all == op.sizes.len() => Some(Part::Size),
        count => Some(Part::Sizes { first: 0, count }),
    }
}

/// The ways to split `count` sectors into kept and lost ones: every prefix kept, every suffix
/// kept, each inner sector alone kept, each inner sector alone lost. For the outer sectors the
/// last two are a prefix or a suffix.
fn splits(count: usize) -> Vec<(Vec<Part>, Vec<Part>)> {
    let run = |first: usize, end: usize| Part::Sectors { first, count: end - first };
    let mut splits = Vec::new();
    for border in 1..count {
        splits.push((vec![run(0, border)], vec![run(border, count)]));
        splits.push((vec![run(border, count)], vec![run(0, border)]));
    }
    for inner in 1..count.saturating_sub(1) {
        let alone = vec![run(inner, inner + 1)];
        let others = vec![run(0, inner), run(inner + 1, count)];
        splits.push((alone.clone(), others.clone()));
        splits.push((others, alone));
    }
    splits
}
