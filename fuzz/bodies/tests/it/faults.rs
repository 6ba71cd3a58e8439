//! Each target finds its planted fault, here without a fuzzer's guidance: in seeds that are
//! damaged at random.

use proofhouse::replay::{Replayed, replay};
use proofhouse_fuzz_bodies::damage::{Tried, attempt};
use proofhouse_fuzz_bodies::{TARGETS, Target, Under, cbor, ops, seeds, target};

/// Inputs that are tried before a fault counts as not found.
const TRIES: u64 = 20_000;

/// What decides which.
const SEED: u64 = 7;

/// The damaged input at which a body breaks under its planted fault.
fn found(target: &Target) -> Option<Vec<u8>> {
    let all = seeds::all().unwrap();
    let beginning = &all[target.name];
    let Tried::Broken(input, _) = attempt(target, beginning, Under::Planted, TRIES, SEED) else {
        return None;
    };
    // What the code as it is breaks on is no proof that the fault was noticed.
    (target.body)(&input, Under::Sound).unwrap();
    Some(input)
}

#[track_caller]
fn check(name: &str) -> Vec<u8> {
    let target = target(name).unwrap();
    let found = found(target);
    found.unwrap_or_else(|| panic!("{name} does not notice {}", target.fault))
}

#[test]
fn every_target_notices_its_planted_fault() {
    for target in &TARGETS {
        check(target.name);
    }
}

#[test]
fn every_glance_notices_a_planted_fault() {
    let all = seeds::all().unwrap();
    let glances = TARGETS.iter().filter_map(|it| Some(Target { body: it.glance?, ..*it }));
    for glancing in glances {
        let name = glancing.name;
        assert!(found(&glancing).is_some(), "{name} glances, and does not notice");
        let tried = attempt(&glancing, &all[name], Under::Sound, 1_000, SEED);
        assert_eq!(tried, Tried::Held, "{name}");
    }
}

#[test]
fn a_crash_that_breaks_a_plan_becomes_a_case_that_plays_again() {
    let input = check("ops_crash");
    let case = ops::crash_case(&input, Under::Planted).unwrap().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let replayed = replay(&case, dir.path()).unwrap();
    assert!(matches!(replayed, Replayed::Again { kind, .. } if kind == case.kind), "{replayed:?}");
    assert!(ops::crash_case(&input, Under::Sound).unwrap().is_none());
}

#[test]
fn an_outcome_that_diverges_becomes_a_case_that_plays_again() {
    let input = check("ops_differential");
    let case = ops::differential_case(&input, Under::Planted).unwrap().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let replayed = replay(&case, dir.path()).unwrap();
    assert!(matches!(replayed, Replayed::Again { .. }), "{replayed:?}");
    assert!(ops::differential_case(&input, Under::Sound).unwrap().is_none());
}

#[test]
fn the_lenient_decoder_is_wrong_about_long_heads_only() {
    let flags = cbor::FLOATS;
    for (input, noticed) in [(&[flags, 0x18, 0x17][..], true), (&[flags, 0x17], false)] {
        assert_eq!(cbor::decoding(input, Under::Planted).is_err(), noticed, "{input:x?}");
    }
}

#[test]
fn what_is_sound_holds_on_damaged_inputs() {
    let all = seeds::all().unwrap();
    for target in &TARGETS {
        let tried = attempt(target, &all[target.name], Under::Sound, 1_000, SEED);
        assert_eq!(tried, Tried::Held, "{}", target.name);
    }
}
