//! Strict canonical CBOR: every value has exactly one encoding, every other byte string is refused.
//!
//! The encoding is RFC 8949 §4.2.1 ("core deterministic encoding"): shortest heads, definite
//! lengths, map keys in the bytewise order of their encodings. Two laws hold for every profile:
//!
//! * `decode(b)` succeeds ⇒ `encode(decode(b)) == b`;
//! * `encode(v)` succeeds ⇒ `decode(encode(v)) == v`.
//!
//! Hence equal values have equal bytes, and hashes, comparisons and replicas may work on bytes
//! alone. What has no place in the value model (tags, `undefined`, other simple values, integers
//! outside `i64`) is refused, never converted.
//!
//! # Which class is reported
//! Bytes that break several rules are refused for the first one in reading order. At one head the
//! rules apply in this order: reserved additional information, head cut short, the kinds that are
//! never accepted (indefinite length, break, tag, simple values, floats by profile, `NaN`),
//! shortest form, integer range, depth, content cut short, UTF-8. A map key is compared with the
//! key before it as soon as the key is complete, before its value is read.

mod error;
mod head;
mod reader;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{CodecError, RejectClass, ValueError};
pub use value::{Float, Map, Value};

/// Containers that may be open at once: 128. A leaf outside any container has depth 0, `[]` has
/// depth 1. The bound also bounds recursion.
pub const MAX_DEPTH: usize = 128;

/// Which values are allowed. The profile is part of every golden vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// No floating-point numbers at all: the profile of stored entities.
    #[default]
    Standard,
    /// Floats in the shortest of the three widths that preserves the value; `NaN` is refused,
    /// negative zero and the infinities are kept, `1.0` is not the integer 1 (RFC 8949 §4.2.2).
    Floats,
}

/// Bounds on what a decoder is asked to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Containers that may be open at once. A value above [`MAX_DEPTH`] counts as [`MAX_DEPTH`].
    pub max_depth: usize,
    /// Length of the whole input, in bytes.
    pub max_len: usize,
}

impl Default for Limits {
    /// [`MAX_DEPTH`] containers, 64 MiB.
    fn default() -> Self {
        Self { max_depth: MAX_DEPTH, max_len: 64 << 20 }
    }
}

/// Checks that `bytes` are one canonical item, without building it and without allocating.
///
/// Accepts exactly what [`decode`] accepts, with the same error otherwise.
///
/// # Errors
/// The class of the first broken rule and where it was broken.
pub fn validate(bytes: &[u8], profile: Profile, limits: &Limits) -> Result<(), CodecError> {
    reader::read(bytes, profile, limits)
}

/// Decodes one canonical item that fills `bytes` entirely.
///
/// Memory is bounded by a constant times the length of `bytes`, whatever lengths they claim.
///
/// # Errors
/// The class of the first broken rule and where it was broken.
pub fn decode(bytes: &[u8], profile: Profile, limits: &Limits) -> Result<Value, CodecError> {
    reader::read(bytes, profile, limits)
}

/// The canonical encoding of `value`.
///
/// # Errors
/// [`ValueError::FloatForbidden`] if the profile has no floats, [`ValueError::TooDeep`] if more
/// than [`MAX_DEPTH`] containers are open at once.
pub fn encode(value: &Value, profile: Profile) -> Result<Vec<u8>, ValueError> {
    let mut bytes = Vec::new();
    writer::write(value, profile, &mut bytes)?;
    Ok(bytes)
}
