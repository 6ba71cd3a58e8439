//! `manifest_bytes`. Invariants:
//! - what is accepted encodes to the very bytes it was read from;
//! - its numbers are below those that come next, and it names at most two logs;
//! - its body alone is foreign: `EntiDB`'s own, to be adopted, not opened; of a newer minor
//!   version, which has a CRC, it is damaged;
//! - damage is told within the file, a newer version is above the one known.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::manifest;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(manifest::check, None, input));
