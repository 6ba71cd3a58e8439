//! `directory_open`: a byte of flags, then files. Invariants:
//! - an open succeeds or says what is wrong: damaged, foreign, newer, or in the way;
//! - a refused open changes nothing that the next one would say;
//! - what verifies can be read, by every way alike: `verify` is never laxer than a read;
//! - a second open shows the same, and so does one after a clean close, which may be read-only.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::directory;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(directory::check, None, input));
