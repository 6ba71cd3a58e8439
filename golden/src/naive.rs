//! A second codec, written for being obviously right: it shares nothing with the engine's but the
//! value type, and keeps no eye on speed. It writes the bytes of the generated vectors, is the
//! oracle the engine's codec is compared with, and carries the flaw that criterion AC-12 must
//! find: map keys ordered length-first.

use entidb_engine::codec::{
    Float, Limits, MAX_DEPTH, Map, Profile, RejectClass, Value, ValueError,
};

use crate::codec::Codec;

#[cfg(test)]
mod tests;

/// How the encoded keys of a map are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyOrder {
    Bytewise,
    LengthFirst,
}

/// The naive codec.
#[derive(Debug, Clone, Copy)]
pub struct Naive {
    order: KeyOrder,
}

impl Naive {
    /// Canonical: keys in bytewise order (RFC 8949 §4.2.1).
    pub const BYTEWISE: Self = Self { order: KeyOrder::Bytewise };

    /// Flawed: shorter keys first, as RFC 7049 §3.9 had it and RFC 8949 §4.2.3 still describes.
    /// Correct in everything else.
    pub const LENGTH_FIRST: Self = Self { order: KeyOrder::LengthFirst };

    fn less(self, left: &[u8], right: &[u8]) -> bool {
        match self.order {
            KeyOrder::Bytewise => left < right,
            KeyOrder::LengthFirst => (left.len(), left) < (right.len(), right),
        }
    }

    fn write(
        self,
        value: &Value,
        profile: Profile,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ValueError> {
        let is_container = matches!(value, Value::Array(_) | Value::Map(_));
        if is_container && depth == MAX_DEPTH {
            return Err(ValueError::TooDeep);
        }
        match value {
            Value::Null => out.push(0xf6),
            Value::Bool(false) => out.push(0xf4),
            Value::Bool(true) => out.push(0xf5),
            Value::Integer(n) if *n >= 0 => out.extend(head(0, n.unsigned_abs())),
            Value::Integer(n) => out.extend(head(1, n.unsigned_abs() - 1)),
            Value::Bytes(bytes) => {
                out.extend(head(2, bytes.len() as u64));
                out.extend(bytes);
            }
            Value::Text(text) => {
                out.extend(head(3, text.len() as u64));
                out.extend(text.bytes());
            }
            Value::Array(items) => {
                out.extend(head(4, items.len() as u64));
                for item in items {
                    self.write(item, profile, depth + 1, out)?;
                }
            }
            Value::Map(map) => self.write_map(map, profile, depth + 1, out)?,
            Value::Float(_) if profile == Profile::Standard => {
                return Err(ValueError::FloatForbidden);
            }
            Value::Float(float) => out.extend(shortest_float(float.get())),
        }
        Ok(())
    }

    fn write_map(
        self,
        map: &Map,
        profile: Profile,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ValueError> {
        let mut entries = Vec::new();
        for (key, value) in map.entries() {
            let (mut encoded_key, mut encoded_value) = (Vec::new(), Vec::new());
            self.write(key, profile, depth, &mut encoded_key)?;
            self.write(value, profile, depth, &mut encoded_value)?;
            entries.push((encoded_key, encoded_value));
        }
        match self.order {
            KeyOrder::Bytewise => entries.sort(),
            KeyOrder::LengthFirst => entries.sort_by_key(|(key, _)| (key.len(), key.clone())),
        }
        out.extend(head(5, entries.len() as u64));
        for (key, value) in entries {
            out.extend(key);
            out.extend(value);
        }
        Ok(())
    }
}

impl Codec for Naive {
    fn decode(
        &self,
        bytes: &[u8],
        profile: Profile,
        limits: &Limits,
    ) -> Result<Value, RejectClass> {
        if bytes.len() > limits.max_len {
            return Err(RejectClass::TooLarge);
        }
        if bytes.is_empty() {
            return Err(RejectClass::Empty);
        }
        let max_depth = limits.max_depth.min(MAX_DEPTH);
        let mut input = Input { codec: *self, rest: bytes, profile, max_depth };
        let value = input.item(0)?;
        if input.rest.is_empty() { Ok(value) } else { Err(RejectClass::TrailingBytes) }
    }

    fn encode(&self, value: &Value, profile: Profile) -> Result<Vec<u8>, ValueError> {
        let mut out = Vec::new();
        self.write(value, profile, 0, &mut out)?;
        Ok(out)
    }
}

/// The shortest head of a major type with an argument (RFC 8949 §3).
pub(crate) fn head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    let (info, skipped) = match argument {
        0..24 => return vec![major << 5 | bytes[7]],
        24..0x100 => (24, 7),
        0x100..0x1_0000 => (25, 6),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 0),
    };
    [&[major << 5 | info], &bytes[skipped..]].concat()
}

/// A number in the narrowest of the three widths that gives back all its bits.
fn shortest_float(number: f64) -> Vec<u8> {
    if let Some(half) = to_half(number) {
        return [&[0xf9][..], &half.to_be_bytes()].concat();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the loss is what is looked for")]
    let single = number as f32;
    if f64::from(single).to_bits() == number.to_bits() {
        return [&[0xfa][..], &single.to_be_bytes()].concat();
    }
    [&[0xfb][..], &number.to_be_bytes()].concat()
}

/// The half-precision bits of a number that has some: sign, 5 bits of exponent (bias 15), 10 bits
/// of significand; below 2^-14 a multiple of 2^-24 (IEEE 754 binary16).
fn to_half(number: f64) -> Option<u16> {
    let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = number.abs();
    if magnitude.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let quanta = magnitude * 2f64.powi(24);
    if quanta < 1024.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 1024")]
        return (quanta.fract() == 0.0).then_some(sign | quanta as u16);
    }
    let bits = magnitude.to_bits();
    let fits = magnitude <= 65504.0 && bits.trailing_zeros() >= 42;
    // Both exponents stand directly above their significand: rebias the two together.
    let half = (bits >> 42).wrapping_sub((1023 - 15) << 10);
    u16::try_from(half).ok().filter(|_| fits).map(|half| sign | half)
}

/// The number half-precision bits stand for.
fn from_half(bits: u16) -> f64 {
    let significand = f64::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => significand * 2f64.powi(-24),
        31 if significand == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + significand) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// What is left to decode.
struct Input<'a> {
    codec: Naive,
    rest: &'a [u8],
    profile: Profile,
    max_depth: usize,
}

impl Input<'_> {
    fn take(&mut self, len: u64) -> Result<Vec<u8>, RejectClass> {
        if len > self.rest.len() as u64 {
            return Err(RejectClass::Truncated);
        }
        let mut taken = Vec::new();
        while taken.len() as u64 != len {
            taken.push(self.rest[0]);
            self.rest = &self.rest[1..];
        }
        Ok(taken)
    }

    fn item(&mut self, depth: usize) -> Result<Value, RejectClass> {
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 0x1f);
        let following = match (info, major) {
            (0..24, _) => Vec::new(),
            (24..28, _) => self.take(1 << (info - 24))?,
            (31, 2..=5) => return Err(RejectClass::IndefiniteLength),
            (31, 7) => return Err(RejectClass::Break),
            _ => return Err(RejectClass::ReservedInfo),
        };
        let argument = match following.len() {
            0 => u64::from(info),
            _ => following.iter().fold(0, |argument, byte| argument << 8 | u64::from(*byte)),
        };
        if major == 6 {
            return Err(RejectClass::Tag);
        }
        if major == 7 {
            return self.simple_or_float(info, argument);
        }
        if head(major, argument).len() != 1 + following.len() {
            return Err(RejectClass::NonShortest);
        }
        let integer = i64::try_from(argument).map_err(|_| RejectClass::IntegerRange);
        match major {
            0 => Ok(Value::Integer(integer?)),
            1 => Ok(Value::Integer(-1 - integer?)),
            2 => Ok(Value::Bytes(self.take(argument)?)),
            3 => String::from_utf8(self.take(argument)?)
                .map(Value::Text)
                .map_err(|_| RejectClass::InvalidUtf8),
            _ if depth == self.max_depth => Err(RejectClass::TooDeep),
            4 => self.array(argument, depth + 1),
            _ => self.map(argument, depth + 1),
        }
    }

    fn simple_or_float(&self, info: u8, argument: u64) -> Result<Value, RejectClass> {
        #[expect(clippy::cast_possible_truncation, reason = "as many bytes as the width has")]
        let number = match info {
            20 => return Ok(Value::Bool(false)),
            21 => return Ok(Value::Bool(true)),
            22 => return Ok(Value::Null),
            23 => return Err(RejectClass::Undefined),
            0..25 => return Err(RejectClass::SimpleValue),
            _ if self.profile == Profile::Standard => return Err(RejectClass::FloatForbidden),
            25 => from_half(argument as u16),
            26 => f64::from(f32::from_bits(argument as u32)),
            _ => f64::from_bits(argument),
        };
        let float = Float::new(number).map_err(|_| RejectClass::NotANumber)?;
        if shortest_float(number).len() != 1 + (1 << (info - 24)) {
            return Err(RejectClass::NonShortest);
        }
        Ok(Value::Float(float))
    }

    fn array(&mut self, count: u64, depth: usize) -> Result<Value, RejectClass> {
        if count > self.rest.len() as u64 {
            return Err(RejectClass::Truncated);
        }
        (0..count).map(|_| self.item(depth)).collect::<Result<_, _>>().map(Value::Array)
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<Value, RejectClass> {
        if count.saturating_mul(2) > self.rest.len() as u64 {
            return Err(RejectClass::Truncated);
        }
        let mut entries = Vec::new();
        let mut previous: Option<&[u8]> = None;
        for _ in 0..count {
            let before = self.rest;
            let key = self.item(depth)?;
            let encoded = &before[..before.len() - self.rest.len()];
            match previous {
                Some(previous) if previous == encoded => return Err(RejectClass::DuplicateKey),
                Some(previous) if !self.codec.less(previous, encoded) => {
                    return Err(RejectClass::KeyOrder);
                }
                _ => previous = Some(encoded),
            }
            entries.push((key, self.item(depth)?));
        }
        // Keys differ in their bytes, hence as values: this cannot refuse them.
        Map::new(entries).map(Value::Map).map_err(|_| RejectClass::DuplicateKey)
    }
}
