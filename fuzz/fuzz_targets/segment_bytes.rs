//! `segment_bytes`. Invariants:
//! - a segment verifies exactly if a second reader, written from the format document, finds every
//!   record sound, in order, of a commit in range, and all of them as MANIFEST lists them;
//! - what verifies shows exactly these entities, by each way of reading;
//! - what does not is refused by `verify` as corrupt, and no read of it shows anything but a
//!   record that is there.
//!
//! Of 32 inputs 31 get a glance, at records alone: whatever is taken for one, from the first on, is told
//! in the very bytes it was read from.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::segment;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(segment::check, Some(segment::records), input));
