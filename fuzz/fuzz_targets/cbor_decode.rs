//! `cbor_decode`. Invariants:
//! - what is accepted encodes to the very bytes it was read from;
//! - validation and decoding agree, in the class and the place of a refusal;
//! - a refusal's place is within the input, an acceptance is within the limits;
//! - the naive codec accepts the same bytes as the same value, and refuses the others alike.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::cbor;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(cbor::decoding, Some(cbor::bijection), input));
