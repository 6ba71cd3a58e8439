//! Laws that hold for every program.

use std::collections::BTreeSet;

use proofhouse_crash::{
    Choice, CrashState, Dedup, Fate, PowerLoss, Profile, Random, SimDisk, TierCounts, Tiers, Trace,
    Tree, enumerate,
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

/// All tiers, pairs, random subsets and garbage among them.
fn all(trace: &Trace, profile: Profile) -> impl Iterator<Item = CrashState> {
    let random = Random { count: 2, seed: 1 };
    let tiers = Tiers { power_loss: PowerLoss::Pairs, random, bad_media: true, ..Tiers::ALL };
    enumerate(trace, profile, tiers)
}

const PROFILES: [Profile; 2] = [Profile::Posix, Profile::Ext4];

fn profiles() -> impl Strategy<Value = Profile> {
    prop_oneof![Just(Profile::Posix), Just(Profile::Ext4)]
}

/// What tells states apart, in full.
fn story(state: &CrashState) -> (usize, String, Vec<String>, [Option<u64>; 3], u128) {
    let pending = state.pending.iter().map(|op| format!("{op:?}")).collect();
    let events = [Some(state.acked), Some(state.issued), state.shown];
    (state.at, outcome(&state.base), pending, events, state.key())
}

/// Compares all that brute force finds at each point with the naive rules.
fn agree(trace: &Trace, profile: Profile, most: usize) -> Result<(), TestCaseError> {
    for at in 0..=trace.ops.len() {
        if pending_parts(trace, profile, at).len() <= most {
            let naive = naive::allowed_under(profile, trace, at).outcomes;
            prop_assert_eq!(every_outcome(trace, profile, at), naive, "{} at {}", trace, at);
        }
    }
    let points = (0..=trace.ops.len()).map(|at| naive::allowed_under(profile, trace, at).ways);
    let ways: f64 = points.sum();
    let space = trace.legal_space_log2(profile);
    prop_assert!((space - ways.log2()).abs() < 1e-9, "{} and {}", space, ways.log2());
    Ok(())
}

proptest! {
    #![proptest_config(fixed(200))]

    #[test]
    fn brute_force_and_naive_rules_agree_at_every_point(program in programs(256, 6, 12)) {
        for profile in PROFILES {
            agree(&traced(&program), profile, 9)?;
        }
    }

    #[test]
    fn brute_force_and_naive_rules_agree_across_blocks(program in programs(2048, 3, 7)) {
        agree(&traced(&program), Profile::Ext4, 11)?;
    }

    #[test]
    fn brute_force_and_naive_rules_agree_on_entries(program in entry_programs(14)) {
        for profile in PROFILES {
            agree(&traced(&program), profile, 9)?;
        }
    }

    #[test]
    fn every_enumerated_power_loss_is_allowed(
        profile in profiles(),
        program in programs(256, 6, 10),
    ) {
        let trace = traced(&program);
        let allowed: Vec<BTreeSet<String>> = (0..=trace.ops.len())
            .map(|at| {
                let allowed = naive::allowed_under(profile, &trace, at);
                if allowed.ways < 5e3 { allowed.outcomes } else { BTreeSet::new() }
            })
            .collect();
        let random = Random { count: 4, seed: 1 };
        let tiers = Tiers { power_loss: PowerLoss::Pairs, random, ..Tiers::POWER_LOSS };
        for state in enumerate(&trace, profile, tiers) {
            let allowed = &allowed[state.at];
            let found = outcome(&state.base);
            prop_assert!(
                allowed.is_empty() || allowed.contains(&found),
                "{}: {}", trace.explain(&state.choice), found
            );
        }
    }

    #[test]
    fn a_kill_shows_exactly_the_prefix(
        profile in profiles(),
        program in programs(1000, 9, 30),
    ) {
        let trace = traced(&program);
        for state in enumerate(&trace, profile, Tiers::KILLS) {
            let Fate::Kill { cut: None } = state.choice.fate else { continue };
            let mut prefix = Tree::new();
            trace.ops[..state.at].iter().for_each(|op| prefix.apply(op));
            prop_assert_eq!(state.visible().digest(), prefix.digest());
        }
    }

    #[test]
    fn a_choice_rebuilds_its_state(
        profile in profiles(),
        program in programs(700, 8, 16),
    ) {
        let trace = traced(&program);
        for state in all(&trace, profile) {
            let written = serde_json::to_string(&state.choice).unwrap();
            let choice: Choice = serde_json::from_str(&written).unwrap();
            let rebuilt = trace.state_under(&choice, profile).unwrap();
            prop_assert_eq!(&rebuilt.choice, &state.choice);
            prop_assert_eq!(story(&rebuilt), story(&state));
        }
    }

    #[test]
    fn enumeration_is_deterministic_and_makes_no_choice_twice(
        profile in profiles(),
        program in programs(700, 8, 20),
    ) {
        let (first, second) = (traced(&program), traced(&program));
        let mut choices = BTreeSet::new();
        let mut other = all(&second, profile);
        for state in all(&first, profile) {
            let new = choices.insert(format!("{:?}", state.choice));
            prop_assert!(new, "made twice: {}", state.choice);
            prop_assert_eq!(Some(story(&state)), other.next().map(|state| story(&state)));
        }
        prop_assert!(other.next().is_none());
    }

    #[test]
    fn states_with_one_key_look_and_fare_the_same(
        profile in profiles(),
        program in programs(700, 8, 16),
    ) {
        let trace = traced(&program);
        let mut seen = std::collections::BTreeMap::new();
        let mut dedup = Dedup::default();
        let mut counts = TierCounts::default();
        for state in all(&trace, profile) {
            let (_, _, pending, events, key) = story(&state);
            let looks = (outcome(&state.visible()), pending, events);
            let distinct = counts.count(&state, &mut dedup);
            prop_assert_eq!(distinct, !seen.contains_key(&key));
            prop_assert_eq!(seen.entry(key).or_insert_with(|| looks.clone()), &looks);
        }
        prop_assert_eq!(counts.total().distinct, dedup.len() as u64);
    }

    #[test]
    fn the_next_life_sees_what_the_state_shows(
        profile in profiles(),
        program in programs(700, 8, 16),
    ) {
        let trace = traced(&program);
        for state in all(&trace, profile) {
            let disk = SimDisk::from_state(&state);
            prop_assert_eq!(disk.tree().digest(), state.visible().digest());
            let all_at_start: BTreeSet<u128> =
                all(&disk.trace(), profile).map(|next| next.visible().digest()).collect();
            prop_assert!(all_at_start.contains(&state.visible().digest()));
            disk.settle();
            prop_assert_eq!(disk.trace().base.digest(), state.visible().digest());
        }
    }
}
