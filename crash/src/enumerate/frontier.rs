//! A crash point: what is durable there, what is pending, which events are due.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::choice::{BadChoice, Choice, Exception, Fate, Part, Rest};
use super::{CrashKind, CrashState};
use crate::content::{Content, PAGE, SECTOR};
use crate::media::{Kept, Pending, PendingOp, Profile};
use crate::trace::{MicroOp, Trace, Window};
use crate::tree::{Ino, Tree};

/// The moment before one operation of a trace, moving forward one at a time.
pub(super) struct Frontier<'t> {
    trace: &'t Trace,
    at: usize,
    /// What is durable; inodes without a name stay.
    base: Tree,
    /// What the process sees.
    visible: Tree,
    pending: Pending,
    window: Window,
}

impl<'t> Frontier<'t> {
    /// The moment before the first operation of this life.
    pub(super) fn new(trace: &'t Trace, profile: Profile) -> Self {
        let mut frontier = Self {
            trace,
            at: 0,
            base: trace.base.clone(),
            visible: trace.base.clone(),
            pending: Pending::new(profile),
            window: Window::before(trace),
        };
        for (number, op) in trace.carried.iter().enumerate() {
            frontier.take(number, op);
        }
        frontier
    }

    /// The moment after so many operations of this life, or the last there is.
    pub(super) fn at_point(trace: &'t Trace, profile: Profile, at: usize) -> Self {
        let mut frontier = Self::new(trace, profile);
        while frontier.at < at && frontier.advance() {}
        frontier
    }

    /// How many operations of this life have happened.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is not durable here.
    pub(super) fn pending(&self) -> &[PendingOp] {
        self.pending.ops()
    }

    /// The base-2 logarithm of the number of states a power loss can leave here.
    pub(super) fn space_log2(&self) -> f64 {
        self.pending.space_log2()
    }

    /// Lets one more operation happen; false at the end of the trace.
    pub(super) fn advance(&mut self) -> bool {
        let Some(op) = self.trace.ops.get(self.at) else { return false };
        self.take(self.trace.carried.len() + self.at, op);
        self.at += 1;
        true
    }

    fn take(&mut self, number: usize, op: &MicroOp) {
        self.window.observe(op);
        if matches!(op, MicroOp::Sync { .. } | MicroOp::SyncDir { .. }) {
            self.pending.settle(op, &mut self.base);
        } else {
            self.base.allocate(op);
            self.pending.push(number, op, &self.visible);
            self.visible.apply(op);
        }
    }

    /// How many bytes of the write that comes next may be done when a kill cuts it: every page
    /// border strictly inside it.
    pub(super) fn cuts(&self) -> impl Iterator<Item = u64> + use<> {
        let (offset, len) = match self.trace.ops.get(self.at) {
            Some(MicroOp::Write { offset, data, .. }) => (*offset, data.len() as u64),
            _ => (0, 0),
        };
        (offset / PAGE + 1..(offset + len).div_ceil(PAGE)).map(move |page| page * PAGE - offset)
    }

    /// Whether the choice can be made here.
    pub(super) fn check(&self, choice: &Choice) -> Result<(), BadChoice> {
        match &choice.fate {
            Fate::Kill { cut: Some(cut) } if !self.cuts().any(|border| border == *cut) => {
                Err(BadChoice::NoCut { at: self.at, cut: *cut })
            }
            Fate::PowerLoss { except, .. } => {
                match except.iter().find(|exception| self.effects(exception).is_empty()) {
                    Some(Exception { op, .. }) => {
                        Err(BadChoice::NotPending { op: *op, at: self.at })
                    }
                    None => Ok(()),
                }
            }
            Fate::BadMedia { write: Some(op), .. } if self.writes(Some(*op)).next().is_none() => {
                Err(BadChoice::NotPending { op: *op, at: self.at })
            }
            Fate::Kill { .. } | Fate::BadMedia { .. } => Ok(()),
        }
    }

    /// The state a choice made here stands for.
    pub(super) fn state(&self, choice: Choice) -> CrashState {
        let (kind, base, pending) = match &choice.fate {
            Fate::Kill { cut } => self.killed(*cut),
            Fate::PowerLoss { rest, except, .. } => self.lost_power(*rest, except),
            Fate::BadMedia { write, .. } => self.garbled(*write),
        };
        let Window { acked, issued, shown } = self.window;
        CrashState { at: self.at, kind, base, pending, acked, issued, shown, choice }
    }

    fn killed(&self, cut: Option<u64>) -> (CrashKind, Tree, Vec<MicroOp>) {
        let mut pending: Vec<MicroOp> =
            self.pending.ops().iter().flat_map(PendingOp::carried).collect();
        pending.extend(cut.and_then(|cut| self.cut_write(cut)));
        let mut base = self.base.clone();
        base.retain_reachable(pending.iter().filter_map(linked));
        // Content nobody can ever name again is gone with the process that held it open.
        pending.retain(|op| subject(op).is_none_or(|ino| base.content(ino).is_some()));
        (CrashKind::ProcessKill, base, pending)
    }

    fn cut_write(&self, cut: u64) -> Option<MicroOp> {
        let Some(MicroOp::Write { ino, offset, data }) = self.trace.ops.get(self.at) else {
            return None;
        };
        let done = usize::try_from(cut).ok().filter(|done| *done <= data.len())?;
        Some(MicroOp::Write { ino: *ino, offset: *offset, data: data.slice(..done) })
    }

    fn lost_power(&self, rest: Rest, except: &[Exception]) -> (CrashKind, Tree, Vec<MicroOp>) {
        let mut base = self.pending.materialise(&self.base, &self.kept(rest, except));
        base.retain_reachable(std::iter::empty());
        (CrashKind::PowerLoss, base, Vec::new())
    }

    /// All survived but the sectors of one pending write, or of all.
    fn garbled(&self, write: Option<usize>) -> (CrashKind, Tree, Vec<MicroOp>) {
        let (_, mut base, pending) = self.lost_power(Rest::Kept, &[]);
        for op in self.writes(write) {
            let MicroOp::Write { ino, .. } = op.op else { continue };
            // A file that no name reaches is gone.
            let len = base.content(ino).map_or(0, Content::len);
            for start in op.sectors.iter().map(|sector| sector * SECTOR) {
                let mut noise = noise(op.number, start);
                noise.truncate(usize::try_from(len.saturating_sub(start)).unwrap_or(usize::MAX));
                if !noise.is_empty() {
                    base.content_mut(ino).put(start, &noise);
                }
            }
        }
        (CrashKind::PowerLoss, base, pending)
    }

    /// The pending write of this number, or all.
    fn writes(&self, number: Option<usize>) -> impl Iterator<Item = &PendingOp> {
        let writes = self.pending.ops().iter().filter(|op| matches!(op.op, MicroOp::Write { .. }));
        writes.filter(move |op| number.is_none_or(|number| op.number == number))
    }

    /// What a power loss keeps.
    pub(super) fn kept(&self, rest: Rest, except: &[Exception]) -> Kept {
        let seeds = except.iter().flat_map(|exception| self.effects(exception)).collect();
        match rest {
            Rest::Kept => self.pending.kept_without(seeds),
            Rest::Lost => self.pending.kept_with(seeds),
        }
    }

    /// What may be found if as nearly as possible the effects that `lost` speaks of are lost:
    /// those and what comes after them; and all but what the others do not need.
    pub(super) fn nearest(&self, lost: &dyn Fn(&PendingOp, usize) -> bool) -> [u128; 2] {
        let effects = |due| {
            let ops = self.pending.ops().iter();
            let effects = ops.flat_map(|op| op.all_effects().map(move |effect| (op, effect)));
            effects.filter(move |(op, effect)| lost(op, *effect) == due).map(|(_, effect)| effect)
        };
        let lost = self.pending.kept_without(effects(true).collect());
        let kept = self.pending.kept_with(effects(false).collect());
        [lost, kept].map(|kept| self.pending.materialise(&self.base, &kept).digest())
    }

    /// The effects an exception speaks of; none if it does not fit.
    pub(super) fn effects(&self, exception: &Exception) -> Vec<usize> {
        let ops = self.pending.ops();
        let Ok(found) = ops.binary_search_by_key(&exception.op, |pending| pending.number) else {
            return Vec::new();
        };
        let op = &ops[found];
        match exception.part {
            Part::Whole => op.all_effects().collect(),
            Part::Size => op.size_effects().collect(),
            Part::Data => op.sector_effects().collect(),
            Part::Sectors { first, count } => part_of(op.sector_effects(), first, count),
            Part::Sizes { first, count } => part_of(op.size_effects(), first, count),
        }
    }
}

/// A sector of garbage, other for every write and every place.
fn noise(number: usize, start: u64) -> Vec<u8> {
    let place = [(number as u64).to_le_bytes(), start.to_le_bytes()].concat();
    (0..SECTOR / 16).flat_map(|part| xxh3_128_with_seed(&place, part).to_le_bytes()).collect()
}

/// A part of a range of effects; none if it does not lie within.
fn part_of(all: Range<usize>, first: usize, count: usize) -> Vec<usize> {
    match first.checked_add(count) {
        Some(end) if end <= all.len() => all.skip(first).take(count).collect(),
        _ => Vec::new(),
    }
}

/// The inode an operation gives a name.
fn linked(op: &MicroOp) -> Option<Ino> {
    match op {
        MicroOp::Link { ino, .. } | MicroOp::MakeDir { ino, .. } => Some(*ino),
        _ => None,
    }
}

/// The file whose content an operation changes.
fn subject(op: &MicroOp) -> Option<Ino> {
    match op {
        MicroOp::Write { ino, .. } | MicroOp::SetLen { ino, .. } => Some(*ino),
        _ => None,
    }
}
