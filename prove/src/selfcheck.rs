//! The harness on trial: each deliberately flawed subject must fail exactly its criteria.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proofhouse_golden::Naive;
use proofhouse_subjects::flawed::{self, Flawed};

use crate::criteria::{self, ALL};
use crate::finding::Finding;
use crate::measure::{self, Context, cbor, dependencies};
use crate::parallel::{self, Budget};
use crate::profile::Scale;
use crate::proof::Caught;

/// A lock file of an engine that keeps its data in another database.
const BORROWED: &str = r#"
    [[package]]
    name = "memmap2"
    dependencies = ["libsqlite3-sys"]
"#;

/// Runs the flawed subjects that must fail one of the wanted criteria, and the audits on flawed
/// material. What the budget did not reach is left out.
pub fn run<E: Sync>(context: &Context<E>, wanted: &BTreeSet<&str>) -> Vec<Caught> {
    let is_wanted = |due: &[&'static str]| due.iter().any(|criterion| wanted.contains(criterion));
    let subjects: Vec<_> =
        flawed::all().into_iter().filter(|flawed| is_wanted(flawed.fails)).collect();
    let audits = [BORROWED_STORAGE, LENGTH_FIRST_KEYS];
    let mut due: Vec<Caught> = subjects
        .iter()
        .map(|flawed| Caught {
            name: flawed.name,
            flaw: flawed.flaw,
            due: flawed.fails.to_vec(),
            failed: Vec::new(),
        })
        .collect();
    due.extend(audits.iter().map(Audit::unseen).filter(|caught| is_wanted(&caught.due)));
    let failed = context.cases(UNIT, parallel::COMPUTE, due.len() as u64, |case| {
        let case = usize::try_from(case).unwrap_or(usize::MAX);
        let failed: BTreeSet<&str> = match (subjects.get(case), due.get(case)) {
            (Some(flawed), _) => findings(context, flawed).iter().map(Finding::criterion).collect(),
            (None, Some(audit)) => {
                let audit = audits.iter().find(|one| one.name == audit.name);
                audit.filter(|one| (one.found)()).map(|one| one.due).into_iter().collect()
            }
            (None, None) => BTreeSet::new(),
        };
        failed.into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    let caught = failed.into_iter().filter_map(|(case, failed)| {
        let due = due.get(usize::try_from(case).ok()?)?.clone();
        let known = failed.iter().filter_map(|id| Some(criteria::find(id)?.id));
        Some(Caught { failed: known.collect(), ..due })
    });
    caught.collect()
}

/// The name of the flawed subjects as a unit of a run.
const UNIT: &str = "flawed subjects";

/// An audit on flawed material.
struct Audit {
    name: &'static str,
    flaw: &'static str,
    due: &'static str,
    /// Whether it finds the flaw.
    found: fn() -> bool,
}

const BORROWED_STORAGE: Audit = Audit {
    name: "borrowed-storage",
    flaw: "a lock file in which the engine reaches a database",
    due: "AC-05",
    found: || {
        let found = dependencies::audit(dependencies::MANIFEST, BORROWED);
        found.is_ok_and(|audit| audit.problem.is_some())
    },
};

const LENGTH_FIRST_KEYS: Audit = Audit {
    name: "length-first-keys",
    flaw: "a codec that orders map keys by length first",
    due: "AC-12",
    found: || cbor::vectors(&Naive::LENGTH_FIRST).is_ok_and(|(_, failure)| failure.is_some()),
};

impl Audit {
    fn unseen(&self) -> Caught {
        let Self { name, flaw, due, .. } = *self;
        Caught { name, flaw, due: vec![due], failed: Vec::new() }
    }
}

/// What the harness finds in a flawed subject, with the least work that must suffice.
fn findings<E: Sync>(context: &Context<E>, flawed: &Flawed) -> Vec<Finding> {
    let name = format!("flawed:{}", flawed.name);
    let small = Context {
        subject: &flawed.subject,
        name: &name,
        scale: Scale::self_check(),
        program: None,
        budget: Budget::default(),
        profile: context.profile,
        seed: context.seed,
        promise: context.promise,
        dir: context.dir,
        share: None,
    };
    let wanted = ALL.iter().map(|criterion| criterion.id).collect();
    measure::measure(&small, &wanted, &|_| {}).1
}
