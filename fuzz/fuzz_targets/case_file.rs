//! `case_file`. Invariants:
//! - what is accepted is one JSON object of this format and of a version this program knows;
//! - written again it says the same, and then always in the same bytes;
//! - its plan survives as a plan file, its lives can be asked for their traces, its causes chosen;
//! - damage is told within the file.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::case;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(case::check, None, input));
