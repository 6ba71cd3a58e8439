//! Hands a body an input, and stops on what it finds.

use std::sync::OnceLock;

use proofhouse_fuzz_bodies::{Checked, Under};

/// Set to 1, it puts each target's planted fault in the place of what is checked: the fuzzer must
/// find it. `scripts/fuzz-planted` does.
pub const PLANTED: &str = "PROOFHOUSE_FUZZ_PLANTED";

/// Runs a body; panics with what is broken, for libFuzzer to keep the input.
pub fn run(body: fn(&[u8], Under) -> Checked, input: &[u8]) {
    static UNDER: OnceLock<Under> = OnceLock::new();
    let planted = || std::env::var_os(PLANTED).is_some_and(|value| value == "1");
    let under = *UNDER.get_or_init(|| if planted() { Under::Planted } else { Under::Sound });
    if let Err(broken) = body(input, under) {
        panic!("{broken}");
    }
}
