//! How many states a medium with a metadata journal allows.

use std::collections::BTreeMap;

use crate::media::{Effect, Pending};
use crate::tree::Ino;

/// The base-2 logarithm of the number of sets of effects that may survive: over every prefix of
/// the journal, the product over all files of what that prefix leaves open in them.
pub(super) fn log2(pending: &Pending) -> f64 {
    let (files, journal) = files(pending);
    let prefixes = (0..=journal).map(|prefix| files.iter().map(|file| file.log2(prefix)).sum());
    sum_log2(&prefixes.collect::<Vec<f64>>())
}

/// The base-2 logarithm of a sum of powers of two.
fn sum_log2(powers: &[f64]) -> f64 {
    let largest = powers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + powers.iter().map(|power| (power - largest).exp2()).sum::<f64>().log2()
}

/// A change of a file's size: it needs so much of the journal, and these versions of sectors.
struct Step {
    journal: u32,
    floor: Vec<(u64, u32)>,
}

/// What is pending of one file.
#[derive(Default)]
struct File {
    /// By sector, how many versions are pending.
    versions: BTreeMap<u64, u32>,
    /// Sizes it grew to, each after the one before it and after what it needs of the journal.
    grown: Vec<Step>,
    /// Lengths it was set to, each in its place in the journal.
    set: Vec<Step>,
}

/// The files with pending content, and how many effects the journal holds.
fn files(pending: &Pending) -> (Vec<File>, u32) {
    let mut files: BTreeMap<Ino, File> = BTreeMap::new();
    let mut journal = 0;
    for op in pending.ops() {
        let effects = op.effects();
        journal += u32::from(op.is_entry());
        let Some(file) = subject(&effects).map(|ino| files.entry(ino).or_default()) else {
            continue;
        };
        for sector in &op.sectors {
            *file.versions.entry(*sector).or_default() += 1;
        }
        for (new, effect) in op.sizes.iter().zip(&effects[op.sectors.len()..]) {
            let data = file.versions.range(new.data.clone());
            let floor = data.map(|(sector, version)| (*sector, *version)).collect();
            if matches!(effect, Effect::Length(_)) {
                journal += 1;
                file.set.push(Step { journal, floor });
            } else {
                file.grown.push(Step { journal, floor });
            }
        }
    }
    (files.into_values().collect(), journal)
}

/// The file whose content effects change.
fn subject(effects: &[Effect]) -> Option<Ino> {
    match effects.first() {
        Some(Effect::Sector(ino, _) | Effect::Growth(ino) | Effect::Length(ino)) => Some(*ino),
        _ => None,
    }
}

impl File {
    /// The logarithm of the number of ways if exactly this prefix of the journal survives.
    fn log2(&self, prefix: u32) -> f64 {
        let within = |step: &&Step| step.journal <= prefix;
        let mut least = BTreeMap::new();
        self.set.iter().take_while(within).for_each(|step| step.raise(&mut least));
        let mut ways = vec![self.versions_log2(&least)];
        for step in self.grown.iter().take_while(within) {
            step.raise(&mut least);
            ways.push(self.versions_log2(&least));
        }
        sum_log2(&ways)
    }

    /// The logarithm of the ways to choose a version of each sector, none below its least.
    fn versions_log2(&self, least: &BTreeMap<u64, u32>) -> f64 {
        let free = |sector, count| count + 1 - least.get(sector).copied().unwrap_or(0);
        self.versions.iter().map(|(sector, count)| f64::from(free(sector, count)).log2()).sum()
    }
}

impl Step {
    /// Raises the least versions to what this step needs.
    fn raise(&self, least: &mut BTreeMap<u64, u32>) {
        for (sector, version) in &self.floor {
            let known = least.entry(*sector).or_insert(0);
            *known = (*known).max(*version);
        }
    }
}
