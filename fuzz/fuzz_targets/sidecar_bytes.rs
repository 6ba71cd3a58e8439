//! `sidecar_bytes`: a byte of flags, then a sidecar. Invariants:
//! - no damage to a sidecar changes any answer: of what is there, of what is not, of walks both
//!   ways, of ranges; the store opens and verifies;
//! - after a scrub the genuine sidecar is on the medium, byte for byte;
//! - even a forged one, with right checksums, makes no read show a content that is not there.
//!
//! Of 32 inputs 31 get a glance, at the sidecar alone: as far as it verifies it leads where the genuine
//! one does, and all of it verifies exactly if it is that one, or if it was forged.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::sidecar;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(sidecar::check, Some(sidecar::glance), input));
