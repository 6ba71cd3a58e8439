//! Smaller crashes that still fail: fewer operations lost or kept, then less of each.

use std::ops::Range;

use super::CrashState;
use super::choice::{BadChoice, Choice, Exception, Fate, Part, Rest};
use super::frontier::Frontier;
use crate::media::{PendingOp, Profile};
use crate::trace::Trace;

/// States looked at before the smallest one found so far is taken.
const BUDGET: u32 = 4096;

/// The smallest choice found at the same crash point whose state still `fails`: as few operations
/// as possible lost, or kept, whichever is fewer; then as few of their sectors and sizes. Removing
/// any one of them makes the failure go away, unless 4096 states did not suffice to get there.
///
/// A choice that does not fail is returned as it is.
///
/// # Errors
/// [`BadChoice`] if the choice does not fit the trace.
pub fn minimise(
    trace: &Trace,
    choice: &Choice,
    fails: &mut dyn FnMut(&CrashState) -> bool,
) -> Result<Choice, BadChoice> {
    let frontier = trace.frontier(choice, Profile::default())?;
    let mut search = Search { frontier: &frontier, at: choice.at, fails, left: BUDGET };
    if !search.fails(choice.fate.clone()) {
        return Ok(choice.clone());
    }
    let fate = match &choice.fate {
        Fate::Kill { .. } => search.first([Fate::Kill { cut: None }]),
        Fate::BadMedia { profile, .. } => {
            let writes = frontier.pending().iter().map(|op| Some(op.number));
            search.first(writes.map(|write| Fate::BadMedia { profile: *profile, write }))
        }
        Fate::PowerLoss { profile, rest, except } => Some(search.power(*profile, *rest, except)),
    };
    Ok(Choice { at: choice.at, fate: fate.unwrap_or_else(|| choice.fate.clone()) })
}

/// The parts of one operation that are exceptions.
type Group = Vec<Exception>;

struct Search<'a> {
    frontier: &'a Frontier<'a>,
    at: usize,
    fails: &'a mut dyn FnMut(&CrashState) -> bool,
    /// How many states may still be looked at.
    left: u32,
}

impl Search<'_> {
    fn fails(&mut self, fate: Fate) -> bool {
        let choice = Choice { at: self.at, fate };
        if self.left == 0 || self.frontier.check(&choice).is_err() {
            return false;
        }
        self.left -= 1;
        (self.fails)(&self.frontier.state(choice))
    }

    fn first(&mut self, fates: impl IntoIterator<Item = Fate>) -> Option<Fate> {
        fates.into_iter().find(|fate| self.fails(fate.clone()))
    }

    /// The smaller of the two descriptions: what was lost, and what was kept.
    fn power(&mut self, profile: Profile, rest: Rest, except: &[Exception]) -> Fate {
        let kept = self.frontier.kept(rest, except);
        let pending = self.frontier.pending();
        let [lost, kept] = [false, true].map(|chosen| -> Vec<Group> {
            let parts = pending.iter().map(|op| parts(op, |effect| kept.has(effect) == chosen));
            parts.filter(|group| !group.is_empty()).collect()
        });
        let lost = self.smallest(profile, Rest::Kept, lost);
        let kept = self.smallest(profile, Rest::Lost, kept);
        let size = |groups: &[Group]| (groups.len(), groups.iter().map(Vec::len).sum::<usize>());
        let (rest, groups) =
            if size(&kept) < size(&lost) { (Rest::Lost, kept) } else { (Rest::Kept, lost) };
        Fate::PowerLoss { profile, rest, except: groups.concat() }
    }

    fn smallest(&mut self, profile: Profile, rest: Rest, groups: Vec<Group>) -> Vec<Group> {
        let mut groups = ddmin(groups, &mut |groups: &[Group]| {
            self.fails(Fate::PowerLoss { profile, rest, except: groups.concat() })
        });
        let frontier = self.frontier;
        for index in 0..groups.len() {
            let Some(op) = pending(frontier, &groups[index]) else { continue };
            let spoken: Vec<usize> =
                groups[index].iter().flat_map(|exception| frontier.effects(exception)).collect();
            let effects = ddmin(spoken, &mut |effects: &[usize]| {
                let mut tried = groups.clone();
                tried[index] = parts(op, |effect| effects.contains(&effect));
                self.fails(Fate::PowerLoss { profile, rest, except: tried.concat() })
            });
            groups[index] = parts(op, |effect| effects.contains(&effect));
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}

/// The pending operation a group speaks of.
fn pending<'f>(frontier: &'f Frontier<'_>, group: &Group) -> Option<&'f PendingOp> {
    let number = group.first()?.op;
    frontier.pending().iter().find(|op| op.number == number)
}

/// The fewest exceptions that speak of exactly the chosen effects of an operation.
pub(super) fn parts(op: &PendingOp, chosen: impl Fn(usize) -> bool) -> Group {
    let (sectors, sizes) = (op.sector_effects(), op.size_effects());
    let all = |mut effects: Range<usize>| effects.all(&chosen);
    let exception = |part| Exception { op: op.number, part };
    if all(op.all_effects()) {
        return vec![exception(Part::Whole)];
    }
    let mut parts = Vec::new();
    if !sectors.is_empty() && all(sectors.clone()) {
        parts.push(Part::Data);
    } else {
        let runs = runs(sectors, &chosen).into_iter();
        parts.extend(runs.map(|(first, count)| Part::Sectors { first, count }));
    }
    if !sizes.is_empty() && all(sizes.clone()) {
        parts.push(Part::Size);
    } else {
        let runs = runs(sizes, &chosen).into_iter();
        parts.extend(runs.map(|(first, count)| Part::Sizes { first, count }));
    }
    parts.into_iter().map(exception).collect()
}

/// The stretches of chosen effects: where in the range they begin, and how long they are.
fn runs(effects: Range<usize>, chosen: &impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in effects.enumerate().filter(|(_, effect)| chosen(*effect)) {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == place => *count += 1,
            _ => runs.push((place, 1)),
        }
    }
    runs
}

/// A part of `items` that still fails and from which no single item can be taken, by delta
/// debugging (Zeller and Hildebrandt, 2002): ever smaller pieces are left out.
fn ddmin<T: Clone>(mut items: Vec<T>, fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    if items.is_empty() || fails(&[]) {
        return Vec::new();
    }
    let mut pieces = 2;
    while items.len() > 1 {
        let piece = items.len().div_ceil(pieces);
        let without = (0..items.len()).step_by(piece).find_map(|start| {
            let end = items.len().min(start + piece);
            let rest = [&items[..start], &items[end..]].concat();
            fails(&rest).then_some(rest)
        });
        if let Some(rest) = without {
            items = rest;
            pieces = 2.max(pieces - 1);
        } else if piece == 1 {
            break;
        } else {
            pieces = items.len().min(pieces * 2);
        }
    }
    items
}
