//! `ops_crash`: a byte for the medium, two for which states, then a plan. Invariants:
//! - whatever a kill or a power loss leaves opens, and shows the state after as many events as were
//!   acknowledged, or more, up to those issued, by every way of reading;
//! - a second open shows the same;
//! - the store goes on: two more commits answer as the oracle does, and a clean close keeps all.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::ops;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(ops::crash, None, input));
