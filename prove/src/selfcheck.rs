//! The harness on trial: each deliberately flawed subject must fail exactly its criteria.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proofhouse_golden::Naive;
use proofhouse_subjects::flawed::{self, Flawed};

use crate::criteria::ALL;
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
    let count = subjects.len() as u64;
    let done = parallel::map(count, context.budget, |case| {
        let flawed = usize::try_from(case).ok().and_then(|case| subjects.get(case))?;
        Some(caught(context, flawed))
    });
    let audits = [borrowed_storage(), length_first_keys()];
    let audits = audits.into_iter().filter(|caught| is_wanted(&caught.due));
    done.into_iter().flatten().chain(audits).collect()
}

fn caught<E: Sync>(context: &Context<E>, flawed: &Flawed) -> Caught {
    let findings = findings(context, flawed);
    let failed: BTreeSet<_> = findings.iter().map(Finding::criterion).collect();
    Caught {
        name: flawed.name,
        flaw: flawed.flaw,
        due: flawed.fails.to_vec(),
        failed: failed.into_iter().collect(),
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
    };
    let wanted = ALL.iter().map(|criterion| criterion.id).collect();
    measure::measure(&small, &wanted, &|_| {}).1
}

fn borrowed_storage() -> Caught {
    let found = dependencies::audit(dependencies::MANIFEST, BORROWED);
    let found = found.is_ok_and(|audit| audit.problem.is_some());
    Caught {
        name: "borrowed-storage",
        flaw: "a lock file in which the engine reaches a database",
        due: vec!["AC-05"],
        failed: found.then_some("AC-05").into_iter().collect(),
    }
}

fn length_first_keys() -> Caught {
    let found = cbor::vectors(&Naive::LENGTH_FIRST).is_ok_and(|(_, failure)| failure.is_some());
    Caught {
        name: "length-first-keys",
        flaw: "a codec that orders map keys by length first",
        due: vec!["AC-12"],
        failed: found.then_some("AC-12").into_iter().collect(),
    }
}
