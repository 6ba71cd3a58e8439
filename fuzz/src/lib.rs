//! Hands a target an input, and stops on what it finds.

use std::sync::OnceLock;

use proofhouse_fuzz_bodies::{Checked, Under, target};

/// Set to 1, it puts each target's planted fault in the place of what is checked: the fuzzer must
/// find it. `scripts/fuzz-planted` does.
pub const PLANTED: &str = "PROOFHOUSE_FUZZ_PLANTED";

/// Set to 1, every input gets all that the target checks, and none a glance.
pub const IN_FULL: &str = "PROOFHOUSE_FUZZ_IN_FULL";

/// Runs the target of this name; panics with what is broken, for libFuzzer to keep the input.
pub fn run(name: &str, input: &[u8]) {
    static CHECK: OnceLock<Box<dyn Fn(&[u8]) -> Checked + Send + Sync>> = OnceLock::new();
    let check = CHECK.get_or_init(|| {
        let target = target(name).unwrap_or_else(|| panic!("no target {name}"));
        let is_set = |name| std::env::var_os(name).is_some_and(|value| value == "1");
        let under = if is_set(PLANTED) { Under::Planted } else { Under::Sound };
        if is_set(IN_FULL) {
            Box::new(move |input| (target.body)(input, under))
        } else {
            Box::new(move |input| target.fuzz(input, under))
        }
    });
    if let Err(broken) = check(input) {
        panic!("{broken}");
    }
}
