//! `wal_bytes`: two bytes of flags and cut, then a log. Invariants:
//! - a second reader, written from the format document, takes the same for torn, for corrupt and
//!   for committed: the store shows exactly the complete commits;
//! - an accepted log whose end is zeroed at any place after the first record is never corrupt, and
//!   shows a prefix of its commits (unless it quotes records of its own, which none does that the
//!   engine wrote);
//! - recovery keeps what it showed: a second open shows the same, and both verify.
//!
//! Of 32 inputs 31 get a glance, at records alone: whatever is taken for one, from the first on, is told
//! in the very bytes it was read from.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::wal;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(wal::check, Some(wal::records), input));
