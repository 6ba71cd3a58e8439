//! `trace_file`: a byte of flags, then a trace file. Invariants:
//! - what is accepted is framed by right checksums from its first byte to its last;
//! - written again it says the same, and then always in the same bytes;
//! - a refusal's place is within the file;
//! - crash states of what is accepted can be made, and be the disk of a next life.
//!
//! Of 32 inputs 31 get a glance, at the file alone: all but the last of these, without crash states.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::trace;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(trace::check, Some(trace::glance), input));
