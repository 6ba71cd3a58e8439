//! Laws that hold for every program.

use std::collections::BTreeSet;

use proofhouse_crash::{
    Choice, CrashState, Dedup, Fate, Profile, SimDisk, TierCounts, Tiers, Trace, Tree, enumerate,
};
use proptest::prelude::*;

use crate::acts::{self, entry_programs, fixed, programs};
use crate::naive;
use crate::outcome::{every_outcome, outcome, pending_parts};

fn traced(program: &[acts::Act]) -> Trace {
    let disk = SimDisk::new();
    acts::run(&disk, program);
    disk.trace()
}

fn all(trace: &Trace) -> impl Iterator<Item = CrashState> {
    enumerate(trace, Profile::Posix, Tiers::ALL)
}

/// What tells states apart, in full.
fn story(state: &CrashState) -> (usize, String, Vec<String>, [Option<u64>; 3], u128) {
    let pending = state.pending.iter().map(|op| format!("{op:?}")).collect();
    let events = [Some(state.acked), Some(state.issued), state.shown];
    (state.at, outcome(&state.base), pending, events, state.key())
}

/// Compares all that brute force finds at each point with the naive rules.
fn agree(trace: &Trace) -> Result<(), TestCaseError> {
    for at in 0..=trace.ops.len() {
        if pending_parts(trace, at).len() <= 9 {
            prop_assert_eq!(every_outcome(trace, at), naive::allowed(trace, at).outcomes);
        }
    }
    let ways: f64 = (0..=trace.ops.len()).map(|at| naive::allowed(trace, at).ways).sum();
    prop_assert!((trace.legal_space_log2(Profile::Posix) - ways.log2()).abs() < 1e-9);
    Ok(())
}

proptest! {
    #![proptest_config(fixed(200))]

    #[test]
    fn brute_force_and_naive_rules_agree_at_every_point(program in programs(256, 6, 12)) {
        agree(&traced(&program))?;
    }

    #[test]
    fn brute_force_and_naive_rules_agree_on_entries(program in entry_programs(14)) {
        agree(&traced(&program))?;
    }

    #[test]
    fn every_enumerated_power_loss_is_allowed(program in programs(256, 6, 10)) {
        let trace = traced(&program);
        let allowed: Vec<BTreeSet<String>> = (0..=trace.ops.len())
            .map(|at| {
                let allowed = naive::allowed(&trace, at);
                if allowed.ways < 5e3 { allowed.outcomes } else { BTreeSet::new() }
            })
            .collect();
        for state in enumerate(&trace, Profile::Posix, Tiers::POWER_LOSS) {
            let allowed = &allowed[state.at];
            let found = outcome(&state.base);
            prop_assert!(
                allowed.is_empty() || allowed.contains(&found),
                "{}: {}", trace.explain(&state.choice), found
            );
        }
    }

    #[test]
    fn a_kill_shows_exactly_the_prefix(program in programs(1000, 9, 30)) {
        let trace = traced(&program);
        for state in enumerate(&trace, Profile::Posix, Tiers::KILLS) {
            let Fate::Kill { cut: None } = state.choice.fate else { continue };
            let mut prefix = Tree::new();
            trace.ops[..state.at].iter().for_each(|op| prefix.apply(op));
            prop_assert_eq!(state.visible().digest(), prefix.digest());
        }
    }

    #[test]
    fn a_choice_rebuilds_its_state(program in programs(700, 8, 16)) {
        let trace = traced(&program);
        for state in all(&trace) {
            let written = serde_json::to_string(&state.choice).unwrap();
            let choice: Choice = serde_json::from_str(&written).unwrap();
            let rebuilt = trace.state(&choice).unwrap();
            prop_assert_eq!(&rebuilt.choice, &state.choice);
            prop_assert_eq!(story(&rebuilt), story(&state));
        }
    }

    #[test]
    fn enumeration_is_deterministic_and_makes_no_choice_twice(program in programs(700, 8, 20)) {
        let (first, second) = (traced(&program), traced(&program));
        let mut choices = BTreeSet::new();
        let mut other = all(&second);
        for state in all(&first) {
            let new = choices.insert(format!("{:?}", state.choice));
            prop_assert!(new, "made twice: {}", state.choice);
            prop_assert_eq!(Some(story(&state)), other.next().map(|state| story(&state)));
        }
        prop_assert!(other.next().is_none());
    }

    #[test]
    fn states_with_one_key_look_and_fare_the_same(program in programs(700, 8, 16)) {
        let trace = traced(&program);
        let mut seen = std::collections::BTreeMap::new();
        let mut dedup = Dedup::default();
        let mut counts = TierCounts::default();
        for state in all(&trace) {
            let (_, _, pending, events, key) = story(&state);
            let looks = (outcome(&state.visible()), pending, events);
            let distinct = counts.count(&state, &mut dedup);
            prop_assert_eq!(distinct, !seen.contains_key(&key));
            prop_assert_eq!(seen.entry(key).or_insert_with(|| looks.clone()), &looks);
        }
        prop_assert_eq!(counts.total().distinct, dedup.len() as u64);
    }

    #[test]
    fn the_next_life_sees_what_the_state_shows(program in programs(700, 8, 16)) {
        let trace = traced(&program);
        for state in all(&trace) {
            let disk = SimDisk::from_state(&state);
            prop_assert_eq!(disk.tree().digest(), state.visible().digest());
            let all_at_start: BTreeSet<u128> =
                all(&disk.trace()).map(|next| next.visible().digest()).collect();
            prop_assert!(all_at_start.contains(&state.visible().digest()));
            disk.settle();
            prop_assert_eq!(disk.trace().base.digest(), state.visible().digest());
        }
    }
}
