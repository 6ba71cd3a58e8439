//! `ops_differential`: a plan. Invariants:
//! - every answer is the oracle's, refusals and sequence numbers included;
//! - the store opens again and again, and closes;
//! - what is there at the end is what the oracle holds, by every way of reading.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::ops;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(ops::differential, None, input));
