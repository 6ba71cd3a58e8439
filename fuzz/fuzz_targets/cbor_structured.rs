//! `cbor_structured`: two values made of the input. Invariants:
//! - the naive codec encodes a value to the same bytes, or refuses it alike;
//! - what is encoded decodes to the value, and neither a prefix nor an extension of it decodes;
//! - equal values have equal bytes, different ones different bytes;
//! - a map's keys stand in the bytewise order of their encodings.

#![no_main]

use proofhouse_fuzz::run;
use proofhouse_fuzz_bodies::cbor;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(cbor::structured, None, input));
