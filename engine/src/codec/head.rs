//! Heads: the initial byte of an item and its argument (RFC 8949 §3).

use ciborium_ll::{Decoder, Encoder, Error, Header, simple};

use super::{Float, Profile, RejectClass};

/// A head some canonical item begins with. Lengths are claims: content may be missing.
pub(super) enum Head {
    Null,
    Bool(bool),
    Positive(u64),
    /// The number -1 - n for the argument n.
    Negative(u64),
    Float(Float),
    Bytes(usize),
    Text(usize),
    /// Number of items.
    Array(usize),
    /// Number of pairs.
    Map(usize),
}

/// Reads the head `input` begins with, and its length in bytes. `input` may be cut anywhere.
#[inline]
pub(super) fn read(input: &[u8], profile: Profile) -> Result<(Head, usize), RejectClass> {
    let mut decoder = Decoder::from(input);
    let header = decoder.pull().map_err(|error| match error {
        Error::Io(_) => RejectClass::Truncated,
        Error::Syntax(_) => malformed(input),
    })?;
    let len = decoder.offset();
    let head = admit(header, len, profile)?;
    // A head of one byte cannot be shorter.
    if len > 1 && shortest(header).1 != len {
        return Err(RejectClass::NonShortest);
    }
    Ok((head, len))
}

/// Why a complete head is none. Additional information 31 reaches this for integers and tags only.
fn malformed(input: &[u8]) -> RejectClass {
    match input.first().map(|initial| initial & 0x1f) {
        Some(28..=31) => RejectClass::ReservedInfo,
        // A length no `usize` holds: more than any input has left.
        _ => RejectClass::Truncated,
    }
}

/// Admits the kinds of head that canonical items of the profile begin with. Simple values in two
/// bytes are never `false`, `true` or `null` (RFC 8949 §3.3).
#[inline]
fn admit(header: Header, len: usize, profile: Profile) -> Result<Head, RejectClass> {
    Ok(match header {
        Header::Positive(argument) => Head::Positive(argument),
        Header::Negative(argument) => Head::Negative(argument),
        Header::Bytes(Some(count)) => Head::Bytes(count),
        Header::Text(Some(count)) => Head::Text(count),
        Header::Array(Some(count)) => Head::Array(count),
        Header::Map(Some(count)) => Head::Map(count),
        Header::Simple(simple::NULL) if len == 1 => Head::Null,
        Header::Simple(simple::FALSE) if len == 1 => Head::Bool(false),
        Header::Simple(simple::TRUE) if len == 1 => Head::Bool(true),
        Header::Simple(simple::UNDEFINED) if len == 1 => return Err(RejectClass::Undefined),
        Header::Simple(_) => return Err(RejectClass::SimpleValue),
        Header::Float(_) if profile == Profile::Standard => {
            return Err(RejectClass::FloatForbidden);
        }
        Header::Float(number) => {
            Head::Float(Float::new(number).map_err(|_| RejectClass::NotANumber)?)
        }
        Header::Tag(_) => return Err(RejectClass::Tag),
        Header::Break => return Err(RejectClass::Break),
        Header::Bytes(None) | Header::Text(None) | Header::Array(None) | Header::Map(None) => {
            return Err(RejectClass::IndefiniteLength);
        }
    })
}

/// The shortest encoding of a head, and its length: one initial byte and at most eight more.
pub(super) fn shortest(header: Header) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    let mut rest = &mut bytes[..];
    let written = Encoder::from(&mut rest).push(header).is_ok();
    debug_assert!(written, "nine bytes hold any head");
    let len = 9 - rest.len();
    (bytes, len)
}
