//! Hands a target an input, and stops on what it finds.

use std::sync::OnceLock;

use proofhouse_fuzz_bodies::Under;
use proofhouse_fuzz_bodies::targets::{Body, look};

/// Set to 1, it puts each target's planted fault in the place of what is checked: the fuzzer must
/// find it. `scripts/fuzz-planted` does.
pub const PLANTED: &str = "PROOFHOUSE_FUZZ_PLANTED";

/// Set to 1, every input gets all that the target checks, and none a glance.
pub const IN_FULL: &str = "PROOFHOUSE_FUZZ_IN_FULL";

/// Gives an input a look; panics with what is broken, for libFuzzer to keep the input.
///
/// Not by a target's name: the counters of all code that a program may reach are looked through after
/// each input, so that it should reach no other target's.
pub fn run(body: Body, glance: Option<Body>, input: &[u8]) {
    static ASKED: OnceLock<(Under, bool)> = OnceLock::new();
    let is_set = |name| std::env::var_os(name).is_some_and(|value| value == "1");
    let (under, in_full) = *ASKED.get_or_init(|| {
        let under = if is_set(PLANTED) { Under::Planted } else { Under::Sound };
        (under, is_set(IN_FULL))
    });
    let glance = glance.filter(|_| !in_full);
    if let Err(broken) = look(body, glance, input, under) {
        panic!("{broken}");
    }
}
