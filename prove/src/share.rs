//! A run in parts: which shard each case belongs to, and what was answered before.
//!
//! The cases of a run are numbered within *units*, the pieces of work that measurements consist of.
//! A unit's name and a case's number alone decide the shard it belongs to: N shards answer every
//! case, each once. Crash states are deduplicated within a case, which no shard shares. Answers go
//! to a [`ledger`] as they come; a run that goes on, or that merges shards, takes those that are
//! there and assembles them exactly as one that has just asked for all.

pub mod ledger;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::parallel::{self, Budget};
use ledger::{Known, Ledger, LedgerError};

/// One of the parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, counted from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// More parts than a run has cases would be of no use.
const MOST: u32 = 1_000;

impl Shard {
    /// The shard, of so many, that a case belongs to.
    fn of_case(of: u32, unit: &str, case: u64) -> u32 {
        // Units of few cases must not all burden the first shard.
        let place = xxh3_64(unit.as_bytes()).wrapping_add(case) % u64::from(of.max(1));
        u32::try_from(place).unwrap_or_default() + 1
    }

    /// Whether a case belongs to this shard.
    pub fn owns(self, unit: &str, case: u64) -> bool {
        Self::of_case(self.of, unit, case) == self.number
    }

    /// Whether it is all there is.
    pub fn is_whole(self) -> bool {
        self.of == 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.parse().ok()?, of: of.parse().ok()? })
        });
        numbers
            .filter(|shard| (1..=shard.of).contains(&shard.number) && shard.of <= MOST)
            .ok_or_else(|| format!("K/N with K from 1 to N and N up to {MOST}, such as 2/4"))
    }
}

/// What of a run's cases is answered here.
pub struct Share {
    /// The part of the run that is carried out; nothing is where shards are merged.
    shard: Option<Shard>,
    known: BTreeMap<(String, u64), Known>,
    ledger: Option<Mutex<Ledger>>,
    seen: Mutex<Seen>,
}

/// What was met so far.
#[derive(Default)]
struct Seen {
    /// Since it was last asked.
    tally: Tally,
    /// Whether every case that is due here was answered and kept.
    complete: bool,
    problem: Option<LedgerError>,
    /// The time that answers took which were given before.
    before: Duration,
}

/// What units came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Cases answered, here or before.
    pub done: u64,
    /// Cases that the whole run has.
    pub of: u64,
    /// The time that those took which were answered before.
    pub before: Duration,
}

impl Share {
    /// A shard to be carried out, whose ledger may hold answers already.
    pub fn of_shard(shard: Shard, ledger: Ledger, known: Vec<Known>) -> Self {
        Self::new(Some(shard), Some(ledger), known)
    }

    /// All shards of a run: everything is answered.
    pub fn merged(known: Vec<Known>) -> Self {
        Self::new(None, None, known)
    }

    fn new(shard: Option<Shard>, ledger: Option<Ledger>, known: Vec<Known>) -> Self {
        let known = known.into_iter().map(|one| ((one.unit.clone(), one.case), one)).collect();
        let seen = Mutex::new(Seen { complete: true, ..Seen::default() });
        Self { shard, known, ledger: ledger.map(Mutex::new), seen }
    }

    /// The shard that is carried out; none where shards are merged.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// The time that answers took which were given before.
    pub fn before(&self) -> Duration {
        lock(&self.seen).before
    }

    /// The shard, unless it is the whole run.
    pub fn part(&self) -> Option<Shard> {
        self.shard.filter(|shard| !shard.is_whole())
    }

    /// The shard that a case belongs to.
    pub fn shard_of(&self, unit: &str, case: u64) -> Shard {
        let of = self.shard.map_or(1, |shard| shard.of);
        Shard { number: Shard::of_case(of, unit, case), of }
    }

    /// What was met since it was last taken.
    pub fn tally(&self) -> Tally {
        lock(&self.seen).tally
    }

    /// What was met since this was last asked.
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut lock(&self.seen).tally)
    }

    /// Ends the run: says in the ledger that nothing is missing, if that is so. Answers whether.
    ///
    /// # Errors
    /// [`LedgerError`] of anything that was to be kept or used and could not be.
    pub fn finish(&self) -> Result<bool, LedgerError> {
        let mut seen = lock(&self.seen);
        if let Some(problem) = seen.problem.take() {
            return Err(problem);
        }
        if let (true, Some(ledger)) = (seen.complete, &self.ledger) {
            lock(ledger).end()?;
        }
        Ok(seen.complete)
    }

    /// The answers of a unit's cases that belong here and that the budget reached, in case order.
    /// `unhurried` cases are not cut by the budget: they look at it themselves.
    pub(crate) fn cases<T: Serialize + DeserializeOwned + Send>(
        &self,
        unit: &str,
        (workers, total): (usize, u64),
        (budget, unhurried): (Budget, bool),
        case: impl Fn(u64) -> T + Sync,
    ) -> Vec<(u64, T)> {
        let is_due = |case: &u64| self.shard.is_none_or(|shard| shard.owns(unit, *case));
        let due: Vec<u64> = (0..total).filter(is_due).collect();
        let (mut answered, mut new, mut before) = (Vec::new(), Vec::new(), Duration::ZERO);
        for number in &due {
            match self.known.get(&(unit.to_owned(), *number)) {
                Some(known) => {
                    before += known.took;
                    answered.extend(self.note(known.answer()).map(|answer| (*number, answer)));
                }
                None => new.push(*number),
            }
        }
        if self.shard.is_some() {
            let cut = if unhurried { Budget::default() } else { budget };
            let done = parallel::map_on(workers, new.len() as u64, cut, |index| {
                let number =
                    usize::try_from(index).ok().and_then(|index| new.get(index).copied())?;
                let begun = Instant::now();
                let answer = case(number);
                // A case that the budget cut within itself is to be answered again.
                if !budget.is_spent() {
                    self.keep(unit, number, begun.elapsed(), &answer);
                }
                Some((number, answer))
            });
            answered.extend(done.into_iter().flatten());
            answered.sort_by_key(|(number, _)| *number);
        } else if let Some(missing) = new.first() {
            self.fail(LedgerError::Unanswered { unit: unit.to_owned(), case: *missing });
        }
        let mut seen = lock(&self.seen);
        seen.complete &= answered.len() == due.len() && !budget.is_spent();
        seen.tally.done += answered.len() as u64;
        seen.tally.of += total;
        seen.tally.before += before;
        seen.before += before;
        answered
    }

    fn keep<T: Serialize>(&self, unit: &str, case: u64, took: Duration, answer: &T) {
        let Some(ledger) = &self.ledger else { return };
        self.note(lock(ledger).keep(unit, case, took, answer));
    }

    fn note<T>(&self, came: Result<T, LedgerError>) -> Option<T> {
        came.map_err(|problem| self.fail(problem)).ok()
    }

    fn fail(&self, problem: LedgerError) {
        let mut seen = lock(&self.seen);
        seen.complete = false;
        seen.problem.get_or_insert(problem);
    }
}

/// Where the ledger of a shard is, in an output directory.
pub fn place(out: &std::path::Path, shard: Shard) -> PathBuf {
    out.join(format!("shard-{}-of-{}", shard.number, shard.of))
}

/// What these locks guard has no invariant that a panic could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
