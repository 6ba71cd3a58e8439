//! The bodies hold on every input there is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proofhouse_fuzz_bodies::{TARGETS, Target, Under, seeds};
use proofhouse_model::panic_message;

use crate::checked_in;

/// Runs one input, in full and at a glance; a panic is told with the input's name as well.
#[track_caller]
fn check(target: &Target, name: &str, input: &[u8]) {
    for look in [Some(target.body), target.glance].into_iter().flatten() {
        let ran = catch_unwind(AssertUnwindSafe(|| look(input, Under::Sound)));
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(broken)) => panic!("{} on {name}: {broken}", target.name),
            Err(words) => panic!("{} panics on {name}: {}", target.name, panic_message(&*words)),
        }
    }
}

#[test]
fn the_bodies_hold_on_the_corpus_and_on_what_once_failed() {
    for target in &TARGETS {
        let inputs = checked_in(target);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for (name, input) in inputs {
            check(target, &name, &input);
        }
    }
}

#[test]
fn the_bodies_hold_on_what_fuzzing_begins_with() {
    let all = seeds::all().unwrap();
    for target in &TARGETS {
        let beginning = &all[target.name];
        assert!(!beginning.seeds.is_empty(), "{} has no seeds", target.name);
        for (number, input) in beginning.seeds.iter().enumerate() {
            check(target, &format!("seed {number}"), input);
        }
    }
}

#[test]
fn the_bodies_hold_on_nothing_and_on_single_bytes() {
    for target in &TARGETS {
        check(target, "nothing", &[]);
        for byte in 0..=u8::MAX {
            check(target, &format!("{byte:#04x}"), &[byte]);
        }
    }
}
