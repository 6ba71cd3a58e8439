//! Scripts: what is asked of a driver, with every outcome due. The oracle says what is due; no
//! engine takes part.

mod acts;
mod entities;
mod lives;
mod refusals;

use proofhouse_model::{GenerateProfile, Op, Plan, generate};

use crate::file::Entry;
use acts::{Acts, Rule};

/// Plans of each kind that seeds become scripts of.
const DIFFERENTIAL: u64 = 24;
const CRASH: u64 = 12;

pub(super) fn entries() -> Vec<Entry> {
    [entities::rules(), refusals::rules(), lives::rules(), plans()]
        .into_iter()
        .flatten()
        .flat_map(Rule::finish)
        .collect()
}

/// Plans as `proofhouse prove` runs them.
fn plans() -> Vec<Rule> {
    let mut long = GenerateProfile::differential();
    long.ops = (40, 80);
    long.long = (3, 1);
    let mut differential = Rule::new("plan");
    for seed in 1..=DIFFERENTIAL {
        let acts = play(&generate(seed, &long), false);
        differential.add(format!("mixed-{seed:02}"), "a mix of all operations, by seed", acts);
    }
    let mut killed = Rule::new("plan-killed");
    for seed in 1..=CRASH {
        let acts = play(&generate(seed, &GenerateProfile::crash()), true);
        killed.add(
            format!("writes-{seed:02}"),
            "writes by seed, then a kill; then all is read",
            acts,
        );
    }
    vec![differential, killed]
}

fn play(plan: &Plan, killed: bool) -> Acts {
    let mut acts = Acts::open(plan.settings.clone());
    for op in &plan.ops {
        match op {
            Op::Reopen => acts.reopen(),
            op => acts.op(op),
        }
    }
    if killed {
        acts.kill();
    }
    acts.read_all();
    acts
}
