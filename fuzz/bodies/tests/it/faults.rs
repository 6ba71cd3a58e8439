//! Each target finds its planted fault, here without a fuzzer's guidance: in seeds that are
//! damaged at random.

use proofhouse::replay::{Replayed, replay};
use proofhouse_fuzz_bodies::{TARGETS, Target, Under, cbor, ops, seeds, target};
use proofhouse_model::rng::Rng;

/// Inputs that are tried before a fault counts as not found.
const TRIES: usize = 20_000;

/// The damaged input at which a body breaks under its planted fault.
fn found(target: &Target) -> Option<Vec<u8>> {
    let all = seeds::all().unwrap();
    let seeds: Vec<_> = all[target.name].seeds.iter().cloned().collect();
    let mut rng = Rng::new(7);
    (0..TRIES).find_map(|_| {
        let mut input = rng.pick(&seeds)?.clone();
        for _ in 0..rng.below(4) {
            damage(&mut input, &mut rng);
        }
        // What the code as it is breaks on is no proof that the fault was noticed.
        (target.body)(&input, Under::Sound).unwrap();
        (target.body)(&input, Under::Planted).is_err().then_some(input)
    })
}

fn damage(input: &mut Vec<u8>, rng: &mut Rng) {
    let at = usize::try_from(rng.below(input.len() as u64 + 1)).unwrap();
    let byte = rng.next().to_le_bytes()[0];
    match (rng.below(5), input.get_mut(at)) {
        (0, Some(changed)) => *changed ^= 1 << (byte % 8),
        (1, Some(changed)) => *changed = byte,
        (2, Some(_)) => drop(input.remove(at)),
        (3, _) => input.push(byte),
        _ => input.insert(at, byte),
    }
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
