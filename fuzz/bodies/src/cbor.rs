//! The codec: `cbor_decode` from bytes, `cbor_structured` from values.

use arbitrary::Unstructured;
use entidb_engine::codec::{
    CodecError, Float, Limits, Map, Profile, RejectClass, Value, decode, encode, validate,
};
use proofhouse_golden::{Codec, Naive};

use crate::{Broken, Checked, Under, flagged};

/// First byte: floats are allowed.
pub const FLOATS: u8 = 1;
/// First byte: the limits are small.
pub const SMALL: u8 = 2;

const SMALL_LIMITS: Limits = Limits { max_depth: 4, max_len: 64 };

/// `cbor_decode`. Invariants:
/// - what is accepted encodes to the very bytes it was read from;
/// - validation and decoding agree, in the class and the place of a refusal;
/// - a refusal's place is within the input, an acceptance is within the limits;
/// - the naive codec accepts the same bytes as the same value, and refuses the others alike.
///
/// # Errors
/// What is broken.
pub fn decoding(input: &[u8], under: Under) -> Checked {
    let (bytes, profile, limits) = asked(input);
    let answer = answer(bytes, profile, &limits, under);
    let naive = Naive::BYTEWISE.decode(bytes, profile, &limits);
    let classes = answer.as_ref().map_err(|error| error.class);
    require!(classes == naive.as_ref().map_err(|class| *class), "{answer:?}, naive {naive:?}");
    match answer {
        Ok(value) => {
            require!(
                encode(&value, profile).as_deref() == Ok(bytes),
                "{value:?} encodes otherwise"
            );
            require!(validate(bytes, profile, &limits) == Ok(()), "not valid, yet decoded");
            require!(bytes.len() <= limits.max_len, "longer than the limit");
            require!(depth(&value) <= limits.max_depth, "deeper than the limit");
        }
        Err(error) => {
            require!(error.offset <= bytes.len(), "refused past the end: {error:?}");
            let valid = validate(bytes, profile, &limits);
            require!(valid == Err(error), "valid {valid:?}, decoded {error:?}");
        }
    }
    Ok(())
}

/// What most inputs of `cbor_decode` get: what is accepted encodes to the very bytes it was read
/// from, and a refusal's place is within the input.
///
/// # Errors
/// What is broken.
pub fn bijection(input: &[u8], under: Under) -> Checked {
    let (bytes, profile, limits) = asked(input);
    match answer(bytes, profile, &limits, under) {
        Ok(value) => {
            let encoded = encode(&value, profile);
            require!(encoded.as_deref() == Ok(bytes), "{value:?} encodes otherwise");
        }
        Err(error) => require!(error.offset <= bytes.len(), "refused past the end: {error:?}"),
    }
    Ok(())
}

/// What an input asks to decode, and how.
fn asked(input: &[u8]) -> (&[u8], Profile, Limits) {
    let (flags, bytes) = flagged(input);
    let profile = if flags & FLOATS == 0 { Profile::Standard } else { Profile::Floats };
    let limits = if flags & SMALL == 0 { Limits::default() } else { SMALL_LIMITS };
    (bytes, profile, limits)
}

fn answer(
    bytes: &[u8],
    profile: Profile,
    limits: &Limits,
    under: Under,
) -> Result<Value, CodecError> {
    match under {
        Under::Sound => decode(bytes, profile, limits),
        Under::Planted => lenient(bytes, profile, limits),
    }
}

/// The planted fault of `cbor_decode`: a decoder that accepts heads longer than need be.
fn lenient(bytes: &[u8], profile: Profile, limits: &Limits) -> Result<Value, CodecError> {
    let mut bytes = bytes.to_vec();
    loop {
        let answer = decode(&bytes, profile, limits);
        let Err(CodecError { class: RejectClass::NonShortest, offset }) = answer else {
            return answer;
        };
        let (major, info) = (bytes[offset] >> 5, bytes[offset] & 0x1f);
        if major == 7 {
            return answer;
        }
        let len = 1_usize << (info - 24);
        // Half as many bytes say the same; at one byte the head itself does.
        let (from, half) = (offset + 1, len / 2);
        bytes[offset] = if half == 0 { major << 5 | bytes[from] } else { major << 5 | (info - 1) };
        bytes.drain(from..from + len - half);
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => {
            let entries = map.entries().iter();
            1 + entries.map(|(key, value)| depth(key).max(depth(value))).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// `cbor_structured`: two values made of the input. Invariants:
/// - the naive codec encodes a value to the same bytes, or refuses it alike;
/// - what is encoded decodes to the value, and neither a prefix nor an extension of it decodes;
/// - equal values have equal bytes, different ones different bytes;
/// - a map's keys stand in the bytewise order of their encodings.
///
/// # Errors
/// What is broken.
pub fn structured(input: &[u8], under: Under) -> Checked {
    let mut source = Unstructured::new(input);
    let profile = if flag(&mut source) { Profile::Floats } else { Profile::Standard };
    let (one, other) = (value(&mut source, 0), value(&mut source, 0));
    let encodings = [&one, &other].map(|value| encoding(value, profile, under));
    let [Some(first), Some(second)] = [encodings[0].clone()?, encodings[1].clone()?] else {
        return Ok(());
    };
    require!((one == other) == (first == second), "{one:?} and {other:?}: {first:x?}");
    Ok(())
}

/// The encoding of a value, checked; `None` if it has none.
fn encoding(value: &Value, profile: Profile, under: Under) -> Result<Option<Vec<u8>>, Broken> {
    let (naive, limits) = (Naive::BYTEWISE.encode(value, profile), Limits::default());
    let encoded = match under {
        Under::Sound => encode(value, profile),
        // Flawed: shorter keys first.
        Under::Planted => Naive::LENGTH_FIRST.encode(value, profile),
    };
    let Ok(bytes) = encoded else {
        require!(encoded == naive, "{encoded:?}, naive {naive:?}");
        return Ok(None);
    };
    let again = decode(&bytes, profile, &limits);
    require!(again.as_ref() == Ok(value), "{bytes:x?} decodes to {again:?}");
    require!(naive.as_ref() == Ok(&bytes), "{bytes:x?}, naive {naive:x?}");
    let cut = &bytes[..bytes.len() - 1];
    require!(validate(cut, profile, &limits).is_err(), "a prefix of {bytes:x?} is valid");
    let longer = [bytes.as_slice(), &[0xf6]].concat();
    let class = validate(&longer, profile, &limits).map_err(|error| error.class);
    require!(class == Err(RejectClass::TrailingBytes), "{longer:x?} is {class:?}");
    Ok(Some(bytes))
}

/// A value made of the input. It ends with the input, or at a depth that no profile allows.
fn value(source: &mut Unstructured<'_>, depth: usize) -> Value {
    let kind = byte(source);
    // Deep values are reached by single bytes that nest, not by luck.
    let nests = depth < 140 && !source.is_empty();
    match kind {
        0 => Value::Null,
        1 | 2 => Value::Bool(kind == 1),
        3..=60 => Value::Integer(integer(source)),
        61..=80 => Value::Integer(i64::from(byte(source)) - 64),
        81..=110 => Value::Bytes(blob(source)),
        111..=150 => Value::Text(String::from_utf8_lossy(&blob(source)).into_owned()),
        151..=165 => Float::new(f64::from_bits(integer(source).cast_unsigned()))
            .map_or(Value::Null, Value::Float),
        166..=175 => Float::new(f64::from(byte(source)) / 4.0).map_or(Value::Null, Value::Float),
        176..=180 if nests => Value::Array(vec![value(source, depth + 1)]),
        181..=210 if nests => {
            Value::Array((0..byte(source) % 6).map(|_| value(source, depth + 1)).collect())
        }
        211.. if nests => {
            let pairs = (0..byte(source) % 8).map(|_| {
                let key = value(source, depth + 1);
                (key, value(source, depth + 1))
            });
            Map::new(pairs.collect()).map_or(Value::Null, Value::Map)
        }
        _ => Value::Integer(i64::from(kind)),
    }
}

fn byte(source: &mut Unstructured<'_>) -> u8 {
    source.arbitrary().unwrap_or_default()
}

fn flag(source: &mut Unstructured<'_>) -> bool {
    byte(source) & 1 == 1
}

/// A number of one to eight bytes, so that every width of head is met.
fn integer(source: &mut Unstructured<'_>) -> i64 {
    let width = byte(source);
    let number: i64 = source.arbitrary().unwrap_or_default();
    number >> (u32::from(width % 8) * 8)
}

fn blob(source: &mut Unstructured<'_>) -> Vec<u8> {
    let len = usize::from(byte(source) % 40);
    source.bytes(len.min(source.len())).unwrap_or_default().to_vec()
}
