//! I/O mutation: each sync, directory sync and rename is left out, weakened or moved, and all crashes
//! enumerated again. A site that no crash misses bears no load: a wasted call, or one that is there
//! for something that plans do not show.
//!
//! For the reference engine `docs/format.md` argues every such site by name.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proofhouse_crash::Change;
use proofhouse_model::GenerateProfile;

use crate::cli::Problem;
use crate::explore::{CallSite, Explorer, Mutants, Noticed};
use crate::finding::Exit;
use crate::measure::Context;
use crate::measure::recorded::{Stop, record};
use crate::recorded::explore::Life;
use crate::recorded::judge::{Dues, Judge};
use crate::subject::{Commanded, Engine, scratch_place};
use crate::{parallel, recorded};

/// What is said of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// What came of each change that could be made.
    pub changes: BTreeMap<Change, Noticed>,
}

/// What mutating a subject's calls came to.
#[derive(Debug, Default)]
pub struct Mutated {
    /// By site.
    pub sites: BTreeMap<CallSite, Load>,
    /// Plans whose lives were mutated.
    pub plans: u64,
    /// Plans that fail as they are, so that mutants of them show nothing.
    pub failing: u64,
    /// Lives that were mutated.
    pub lives: u64,
    /// Crash states judged that only a mutant leaves.
    pub states: u64,
    /// Whether the budget ended it.
    pub cut_short: bool,
    /// The sites that bear no load, and have been argued.
    argued: BTreeSet<String>,
}

/// Creations mutated beside the plans.
const CREATIONS: u64 = 2;

/// Where the sites are argued that bear no load in the reference engine.
const FORMAT: &str = include_str!("../house/format.md");
/// The section in it.
const ARGUED: &str = "### Calls that bear no load";

/// Mutates the calls of a subject, over a few plans and creations.
pub fn mutate(context: &Context) -> Mutated {
    let plans = CREATIONS + context.scale.mutated_plans;
    let done = parallel::map(plans, context.budget, |case| one(context, case));
    let is_entidb = context.subject.about().is_entidb;
    let argued = if is_entidb { argued() } else { BTreeSet::new() };
    let cut_short = (done.len() as u64) < plans;
    let mut mutated = Mutated { cut_short, argued, ..Mutated::default() };
    for mutants in done {
        match mutants {
            Some(mutants) => mutated.add(mutants),
            None => mutated.failing += 1,
        }
    }
    mutated
}

/// Mutates the calls of an engine behind the line protocol, as they were recorded.
///
/// # Errors
/// Why nothing could be recorded.
pub fn mutate_recorded(context: &Context<Commanded>, program: &Path) -> Result<Mutated, Problem> {
    let recipe = context.subject.recipe(context.name, program);
    let scratch = scratch_place(context.dir);
    let about = context.subject.about();
    let mut mutated = Mutated::default();
    for case in 0..CREATIONS + context.scale.recorded_plans {
        let mut plan = context.plan("mutated calls", case, &GenerateProfile::recorded());
        if case < CREATIONS {
            plan.ops.clear();
        }
        let (recorded, history) = record(&recipe, &plan, &scratch).map_err(|stop| {
            let (Stop::Unmeasured(_, words) | Stop::Broken(words)) = stop;
            Problem::Other(words)
        })?;
        let judge = Judge::new(&recipe, &plan, about, &scratch);
        let dues = Dues::of_plan(about.promises, &history, context.promise);
        let life = Life { trace: recorded.trace.settled(), dues, after_power_loss: false };
        match recorded::mutants::mutate(&judge, &life, context.budget) {
            Some(mutants) => mutated.add(mutants),
            None => mutated.failing += 1,
        }
        mutated.cut_short |= context.budget.is_spent();
    }
    Ok(mutated)
}

/// One plan, or one creation; `None` if it fails as it is.
fn one(context: &Context, case: u64) -> Option<Mutants> {
    let creation = case < CREATIONS;
    let mut plan = context.plan("mutated calls", case, &GenerateProfile::crash());
    if creation {
        plan.ops.clear();
    }
    let explorer = if creation {
        Explorer::of_creation(context.subject, &plan)
    } else {
        Explorer::of_plan(context.subject, &plan)
    };
    explorer.mutate().ok().flatten()
}

/// The sites that `docs/format.md` argues: the code spans that begin the items of its section.
pub fn argued() -> BTreeSet<String> {
    let section = FORMAT.split_once(ARGUED).map_or("", |(_, section)| section);
    let lines = section.lines().take_while(|line| !line.starts_with('#'));
    let items = lines.filter_map(|line| line.strip_prefix("- `")?.split_once('`'));
    items.map(|(site, _)| site.to_owned()).collect()
}

impl Mutated {
    fn add(&mut self, mutants: Mutants) {
        self.plans += 1;
        self.lives += mutants.lives;
        self.states += mutants.states;
        for ((site, change), noticed) in mutants.noticed {
            let load = self.sites.entry(site).or_default();
            let known = load.changes.entry(change).or_default();
            known.made += noticed.made;
            known.by = known.by.or(noticed.by);
        }
    }

    /// How the process ends: in the reference engine, a site that neither bears load nor is argued
    /// is a divergence from what its format says. What was cut short, or had no plan that holds as
    /// it is, was not measured.
    pub fn exit(&self, is_entidb: bool) -> Exit {
        if is_entidb && self.idle().any(|site| !self.is_argued(site)) {
            Exit::Divergence
        } else if self.cut_short || self.plans == 0 {
            Exit::Unmeasured
        } else {
            Exit::Clean
        }
    }

    /// The sites that bear no load.
    pub fn idle(&self) -> impl Iterator<Item = &CallSite> {
        self.sites.iter().filter(|(_, load)| !load.is_borne()).map(|(site, _)| site)
    }

    /// Whether a site that bears no load has been argued.
    pub fn is_argued(&self, site: &CallSite) -> bool {
        self.argued.contains(&site.to_string())
    }
}

impl Load {
    /// How often the call was made, counted by the change that could be made most often.
    pub fn times(&self) -> u64 {
        self.changes.values().map(|noticed| noticed.made).max().unwrap_or_default()
    }

    /// Whether some change of it was noticed.
    pub fn is_borne(&self) -> bool {
        self.changes.values().any(|noticed| noticed.by.is_some())
    }
}
