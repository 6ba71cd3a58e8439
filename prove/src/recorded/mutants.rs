//! Recorded lives with one sync or rename less, or one later: does any crash of them show it?

use proofhouse_crash::{Profile as Media, Tiers, mutations};

use super::explore::{Life, Verdicts, explore, first_wrong};
use super::judge::Judge;
use crate::explore::{Mutants, call_site};
use crate::parallel::Budget;

/// Mutates the calls of a life. `None` if some crash of it breaks a promise as it is: what could
/// a mutant show?
pub fn mutate(judge: &Judge, life: &Life, budget: Budget) -> Option<Mutants> {
    let tiers = Tiers::ALL.of(|crash| life.dues.judges(crash));
    if tiers == Tiers::NONE {
        return None;
    }
    let mut verdicts = Verdicts::default();
    let sound = explore(judge, life, Media::Posix, tiers, budget, &mut verdicts);
    if !sound.failures.is_empty() {
        return None;
    }
    let mut mutants = Mutants { lives: 1, ..Mutants::default() };
    let sites = life.trace.sites();
    for mutation in mutations(&life.trace) {
        let site = call_site(&life.trace, &sites, mutation.about(&life.trace));
        let noticed = mutants.noticed.entry((site, mutation.change)).or_default();
        noticed.made += 1;
        if noticed.by.is_some() || budget.is_spent() {
            continue;
        }
        let mutant = Life { trace: mutation.apply(&life.trace), ..life.clone() };
        let (judged, wrong) = first_wrong(judge, &mutant, Media::Posix, tiers, &verdicts);
        mutants.states += judged;
        noticed.by = wrong.map(|wrong| wrong.kind);
    }
    Some(mutants)
}
