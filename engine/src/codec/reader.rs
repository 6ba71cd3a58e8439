//! From bytes to values, refusing whatever is not canonical.
//!
//! One walk serves validation and decoding, so that the two cannot disagree: it is generic over
//! what it builds, and for validation it builds nothing. No length is believed before the input
//! was seen to hold that many bytes, and no buffer is reserved from a claim.

use super::head::{self, Head};
use super::{CodecError, Float, Limits, MAX_DEPTH, Map, Profile, RejectClass, Value};

/// An item without parts.
pub(super) enum Leaf<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(Float),
    Bytes(&'a [u8]),
    Text(&'a str),
}

/// What a walk over the bytes builds.
pub(super) trait Build: Sized {
    fn leaf(leaf: Leaf<'_>) -> Self;
    fn array(items: Vec<Self>) -> Self;
    /// `entries` have strictly ascending encoded keys.
    fn map(entries: Vec<(Self, Self)>) -> Self;
}

/// Builds nothing. A vector of units counts and never allocates.
impl Build for () {
    fn leaf(_: Leaf<'_>) {}
    fn array(_: Vec<()>) {}
    fn map(_: Vec<((), ())>) {}
}

impl Build for Value {
    fn leaf(leaf: Leaf<'_>) -> Self {
        match leaf {
            Leaf::Null => Self::Null,
            Leaf::Bool(truth) => Self::Bool(truth),
            Leaf::Integer(number) => Self::Integer(number),
            Leaf::Float(float) => Self::Float(float),
            Leaf::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Leaf::Text(text) => Self::Text(text.to_owned()),
        }
    }

    fn array(items: Vec<Self>) -> Self {
        Self::Array(items)
    }

    fn map(entries: Vec<(Self, Self)>) -> Self {
        Self::Map(Map::from_ascending(entries))
    }
}

/// Reads the one item that must fill `bytes`.
pub(super) fn read<T: Build>(
    bytes: &[u8],
    profile: Profile,
    limits: &Limits,
) -> Result<T, CodecError> {
    if bytes.len() > limits.max_len {
        return Err(CodecError { class: RejectClass::TooLarge, offset: limits.max_len });
    }
    if bytes.is_empty() {
        return Err(CodecError { class: RejectClass::Empty, offset: 0 });
    }
    let max_depth = limits.max_depth.min(MAX_DEPTH);
    let mut reader = Reader { bytes, offset: 0, profile, max_depth };
    let item = reader.item(0)?;
    if reader.offset < bytes.len() {
        return Err(CodecError { class: RejectClass::TrailingBytes, offset: reader.offset });
    }
    Ok(item)
}

/// A position in the input. Invariant: `offset <= bytes.len()`.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    profile: Profile,
    max_depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads an item that stands inside `open` containers; at most `max_depth` calls deep.
    fn item<T: Build>(&mut self, open: usize) -> Result<T, CodecError> {
        let start = self.offset;
        let reject = |class| CodecError { class, offset: start };
        let (head, len) = head::read(&self.bytes[start..], self.profile).map_err(reject)?;
        self.offset += len;
        let integer =
            |argument: u64| i64::try_from(argument).map_err(|_| reject(RejectClass::IntegerRange));
        let leaf = match head {
            Head::Null => Leaf::Null,
            Head::Bool(truth) => Leaf::Bool(truth),
            Head::Positive(argument) => Leaf::Integer(integer(argument)?),
            Head::Negative(argument) => Leaf::Integer(!integer(argument)?),
            Head::Float(float) => Leaf::Float(float),
            Head::Bytes(len) => Leaf::Bytes(self.take(len, start)?),
            Head::Text(len) => Leaf::Text(self.text(len, start)?),
            Head::Array(count) => {
                self.admit(open, count, start)?;
                return self.array(count, open + 1);
            }
            Head::Map(count) => {
                self.admit(open, count.saturating_mul(2), start)?;
                return self.map(count, open + 1);
            }
        };
        Ok(T::leaf(leaf))
    }

    /// The next `len` bytes, the content of the item at `start`.
    fn take(&mut self, len: usize, start: usize) -> Result<&'a [u8], CodecError> {
        let content = self.bytes[self.offset..]
            .get(..len)
            .ok_or(CodecError { class: RejectClass::Truncated, offset: start })?;
        self.offset += len;
        Ok(content)
    }

    fn text(&mut self, len: usize, start: usize) -> Result<&'a str, CodecError> {
        let begin = self.offset;
        let content = self.take(len, start)?;
        std::str::from_utf8(content).map_err(|error| CodecError {
            class: RejectClass::InvalidUtf8,
            offset: begin + error.valid_up_to(),
        })
    }

    /// Admits a container of `items` items inside `open` others: each item takes a byte at least.
    fn admit(&self, open: usize, items: usize, start: usize) -> Result<(), CodecError> {
        let class = if open >= self.max_depth {
            RejectClass::TooDeep
        } else if items > self.bytes.len() - self.offset {
            RejectClass::Truncated
        } else {
            return Ok(());
        };
        Err(CodecError { class, offset: start })
    }

    fn array<T: Build>(&mut self, count: usize, open: usize) -> Result<T, CodecError> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.item(open)?);
        }
        Ok(T::array(items))
    }

    fn map<T: Build>(&mut self, count: usize, open: usize) -> Result<T, CodecError> {
        let mut entries = Vec::new();
        // No encoding is empty, so the first key is above this.
        let mut previous: &[u8] = &[];
        for _ in 0..count {
            let offset = self.offset;
            let key = self.item(open)?;
            let encoded = &self.bytes[offset..self.offset];
            if encoded == previous {
                return Err(CodecError { class: RejectClass::DuplicateKey, offset });
            }
            if encoded < previous {
                return Err(CodecError { class: RejectClass::KeyOrder, offset });
            }
            previous = encoded;
            entries.push((key, self.item(open)?));
        }
        Ok(T::map(entries))
    }
}
