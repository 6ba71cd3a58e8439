//! `protocol_lines`: any lines. Invariants:
//! - a line is refused, or it is one JSON object with the number that was read;
//! - what is read encodes to one line that reads as the same;
//! - a refusal's column is within the line;
//! - a driver answers the requests it could read, each with its number and in order, in lines that
//!   are answers, and ends without an answer to what is no request.
//!
//! Of 32 inputs 31 get a glance, at four lines that are put to no driver: a line that is read is one JSON
//! text, what is read encodes to one line that reads as the same, and a refusal's column is within it.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::protocol;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(protocol::check, Some(protocol::lines), input));
