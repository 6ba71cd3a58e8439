//! `cbor_decode`. Invariants:
//! - what is accepted encodes to the very bytes it was read from;
//! - validation and decoding agree, in the class and the place of a refusal;
//! - a refusal's place is within the input, an acceptance is within the limits;
//! - the naive codec accepts the same bytes as the same value, and refuses the others alike.
//!
//! Of 32 inputs 31 get a glance, at the engine's codec alone: what is accepted encodes to the very bytes
//! it was read from, and a refusal's place is within the input.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::cbor;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(cbor::decoding, Some(cbor::bijection), input));
