//! `protocol_lines`: any lines. Invariants:
//! - a line is refused, or it is one JSON object with the number that was read;
//! - what is read encodes to one line that reads as the same;
//! - a refusal's column is within the line;
//! - a driver answers the requests it could read, each with its number and in order, in lines that
//!   are answers, and ends without an answer to what is no request.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::protocol;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(protocol::check, Some(protocol::lines), input));
