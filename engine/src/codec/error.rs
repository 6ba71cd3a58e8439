//! Why bytes are not canonical, and why a value has no encoding.

use std::fmt;

/// The rule that refused bytes break. Classes, not messages, are what vectors and other
/// implementations agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectClass {
    /// No bytes at all.
    Empty,
    /// The input is longer than [`Limits::max_len`](super::Limits::max_len).
    TooLarge,
    /// The input ends inside an item, or a claimed length exceeds what is left of it.
    Truncated,
    /// Bytes follow the item.
    TrailingBytes,
    /// Additional information 28 to 30, or 31 where it has no meaning (RFC 8949 §3).
    ReservedInfo,
    /// A string, array or map of indefinite length (RFC 8949 §3.2).
    IndefiniteLength,
    /// A "break" outside any indefinite-length item (RFC 8949 §3.2.1).
    Break,
    /// A tag (RFC 8949 §3.4).
    Tag,
    /// The simple value `undefined`.
    Undefined,
    /// A simple value other than `false`, `true`, `null`, or one in two bytes (RFC 8949 §3.3).
    SimpleValue,
    /// A float where the profile has none.
    FloatForbidden,
    /// A float that is not a number, in any width and with any payload.
    NotANumber,
    /// An argument or a float not in its shortest form (RFC 8949 §4.2.1, §4.2.2).
    NonShortest,
    /// An integer below `i64::MIN` or above `i64::MAX`.
    IntegerRange,
    /// More containers open at once than allowed.
    TooDeep,
    /// A text string that is not UTF-8.
    InvalidUtf8,
    /// A map key that sorts before the key preceding it (RFC 8949 §4.2.1).
    KeyOrder,
    /// A map key equal to the key preceding it (RFC 8949 §5.6).
    DuplicateKey,
}

impl RejectClass {
    /// Every class.
    pub const ALL: [Self; 18] = [
        Self::Empty,
        Self::TooLarge,
        Self::Truncated,
        Self::TrailingBytes,
        Self::ReservedInfo,
        Self::IndefiniteLength,
        Self::Break,
        Self::Tag,
        Self::Undefined,
        Self::SimpleValue,
        Self::FloatForbidden,
        Self::NotANumber,
        Self::NonShortest,
        Self::IntegerRange,
        Self::TooDeep,
        Self::InvalidUtf8,
        Self::KeyOrder,
        Self::DuplicateKey,
    ];

    /// The stable name used in vectors and reports, such as `key-order`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too-large",
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing-bytes",
            Self::ReservedInfo => "reserved-info",
            Self::IndefiniteLength => "indefinite-length",
            Self::Break => "break",
            Self::Tag => "tag",
            Self::Undefined => "undefined",
            Self::SimpleValue => "simple-value",
            Self::FloatForbidden => "float-forbidden",
            Self::NotANumber => "not-a-number",
            Self::NonShortest => "non-shortest",
            Self::IntegerRange => "integer-range",
            Self::TooDeep => "too-deep",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::KeyOrder => "key-order",
            Self::DuplicateKey => "duplicate-key",
        }
    }

    /// What is wrong, and what the writer of the bytes should do instead.
    fn advice(self) -> &'static str {
        match self {
            Self::Empty => "no bytes; encode one value (null is f6)",
            Self::TooLarge => "longer than the limit; store less in one value or raise the limit",
            Self::Truncated => "the input ends inside an item; pass the item's bytes whole",
            Self::TrailingBytes => "bytes follow the item; pass one item only",
            Self::ReservedInfo => "reserved additional information; this is not CBOR",
            Self::IndefiniteLength => "indefinite length; write the length first",
            Self::Break => "break without an open item; write definite lengths",
            Self::Tag => "tag; store the content without a tag",
            Self::Undefined => "undefined; store null or leave the key out",
            Self::SimpleValue => "unknown simple value; use false, true or null",
            Self::FloatForbidden => "float; use an integer, or the profile with floats",
            Self::NotANumber => "not a number; store null or leave the key out",
            Self::NonShortest => "not in its shortest form; use the fewest bytes",
            Self::IntegerRange => "integer outside the range of i64; store it as bytes or text",
            Self::TooDeep => "nested too deep; flatten the value",
            Self::InvalidUtf8 => "text that is not UTF-8; store it as bytes",
            Self::KeyOrder => "map key out of order; sort keys by their encoded bytes",
            Self::DuplicateKey => "map key given twice; keep one of the entries",
        }
    }
}

impl fmt::Display for RejectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes that are not the canonical encoding of any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not canonical CBOR at byte {offset}: {}", class.advice())]
pub struct CodecError {
    /// The broken rule.
    pub class: RejectClass,
    /// Where, in bytes from the start of the input: the head of the offending item; the start of
    /// a key out of order or duplicate; the first byte of invalid UTF-8; the first trailing byte;
    /// [`Limits::max_len`](super::Limits::max_len) if the input is too large.
    pub offset: usize,
}

/// A value that has no canonical encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A float under [`Profile::Standard`](super::Profile::Standard).
    #[error("float in a profile without floats; use an integer, or the profile with floats")]
    FloatForbidden,
    /// A float that is not a number.
    #[error("not a number has no canonical encoding; use null or leave the key out")]
    NotANumber,
    /// A map given the same key twice.
    #[error("map key given twice; keep one of the entries")]
    DuplicateKey,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) containers open at once.
    #[error("value nested deeper than {} containers; flatten it", super::MAX_DEPTH)]
    TooDeep,
}
