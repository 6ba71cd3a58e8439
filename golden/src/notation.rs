//! The language-neutral notation of logical values and of bytes (`vectors/README.md`).
//!
//! Whatever is long and regular has a short form, so that a vector stays one readable line. The
//! forms are chosen by rule, not by hand: the same value always has the same notation.

use std::fmt::Write as _;
use std::iter;

use entidb_engine::codec::{Float, MAX_DEPTH, Map, Value};
use serde_json::{Value as Json, json};

#[cfg(test)]
mod tests;

/// Runs and nests of at least this many equal parts are written once, with a count.
const RUN_MIN: usize = 32;

/// How one container stands around one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// `[inner]`.
    Array,
    /// `{0: inner}`.
    Value,
    /// `{inner: 0}`.
    Key,
}

impl Nesting {
    const ALL: [Self; 3] = [Self::Array, Self::Value, Self::Key];

    fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Value => "value",
            Self::Key => "key",
        }
    }

    fn wrap(self, inner: Value) -> Result<Value, String> {
        match self {
            Self::Array => Ok(Value::Array(vec![inner])),
            Self::Value => to_map(vec![(Value::Integer(0), inner)]),
            Self::Key => to_map(vec![(inner, Value::Integer(0))]),
        }
    }

    /// The value inside, if this is how it is wrapped.
    fn unwrap(self, value: &Value) -> Option<&Value> {
        match (self, value) {
            (Self::Array, Value::Array(items)) => match items.as_slice() {
                [inner] => Some(inner),
                _ => None,
            },
            (Self::Value, Value::Map(map)) => match map.entries() {
                [(Value::Integer(0), inner)] => Some(inner),
                _ => None,
            },
            (Self::Key, Value::Map(map)) => match map.entries() {
                [(inner, Value::Integer(0))] => Some(inner),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The notation of a value.
pub(crate) fn from_value(value: &Value) -> Json {
    if let Some((nesting, times, inner)) = nested(value) {
        return json!({ "nested": [nesting.name(), from_value(inner)], "times": times });
    }
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Integer(number) => json!({ "int": number.to_string() }),
        Value::Float(float) => json!({ "float": format!("{:016x}", float.get().to_bits()) }),
        Value::Bytes(bytes) => match run(bytes) {
            Some(byte) => json!({ "bytes": hex::encode([*byte]), "times": bytes.len() }),
            None => json!({ "bytes": hex::encode(bytes) }),
        },
        Value::Text(text) => match run(text.as_bytes()).filter(|byte| byte.is_ascii()) {
            Some(_) => json!({ "text": &text[..1], "times": text.len() }),
            None => json!({ "text": text }),
        },
        Value::Array(items) => match run(items) {
            Some(item) => json!({ "array": [from_value(item)], "times": items.len() }),
            None => json!({ "array": items.iter().map(from_value).collect::<Vec<_>>() }),
        },
        Value::Map(map) if is_numbered(map) => json!({ "numbered": map.entries().len() }),
        Value::Map(map) => {
            let pairs = map.entries().iter();
            json!({ "map": pairs.map(|(k, v)| [from_value(k), from_value(v)]).collect::<Vec<_>>() })
        }
    }
}

/// The value a notation stands for, or what is wrong with it.
pub(crate) fn to_value(notation: &Json) -> Result<Value, String> {
    let unknown = || format!("{notation} is not the notation of a value");
    let object = match notation {
        Json::Null => return Ok(Value::Null),
        Json::Bool(truth) => return Ok(Value::Bool(*truth)),
        Json::Object(object) => object,
        _ => return Err(unknown()),
    };
    let times = object.get("times").map(count).transpose()?;
    let mut kinds = object.iter().filter(|(kind, _)| *kind != "times");
    let (Some((kind, content)), None) = (kinds.next(), kinds.next()) else {
        return Err(unknown());
    };
    match (kind.as_str(), content, times) {
        ("int", Json::String(digits), None) => {
            digits.parse().map(Value::Integer).map_err(|_| format!("{digits} is not an i64"))
        }
        ("float", Json::String(bits), None) => to_float(bits),
        ("bytes", Json::String(hex), times) => {
            let bytes = hex::decode(hex).map_err(|error| error.to_string())?;
            Ok(Value::Bytes(bytes.repeat(times.unwrap_or(1))))
        }
        ("text", Json::String(text), times) => Ok(Value::Text(text.repeat(times.unwrap_or(1)))),
        ("array", Json::Array(items), times) => {
            let items = items.iter().map(to_value).collect::<Result<Vec<_>, _>>()?;
            let times = times.unwrap_or(1);
            Ok(Value::Array(iter::repeat_n(items, times).flatten().collect()))
        }
        ("map", Json::Array(pairs), None) => {
            to_map(pairs.iter().map(to_pair).collect::<Result<_, _>>()?)
        }
        ("numbered", number, None) => to_map(numbered(count(number)?)?),
        ("nested", Json::Array(parts), Some(times)) => match parts.as_slice() {
            [Json::String(name), inner] => to_nested(name, inner, times),
            _ => Err(unknown()),
        },
        _ => Err(unknown()),
    }
}

/// The deep nest of like containers a value is, and what is inside. JSON parsers bound nesting:
/// without this form the deepest values had no notation.
fn nested(value: &Value) -> Option<(Nesting, usize, &Value)> {
    Nesting::ALL.into_iter().find_map(|nesting| {
        let layers = iter::successors(Some(value), |value| nesting.unwrap(value));
        let (times, inner) = layers.enumerate().last()?;
        (times >= RUN_MIN).then_some((nesting, times, inner))
    })
}

fn to_nested(name: &str, inner: &Json, times: usize) -> Result<Value, String> {
    if times > MAX_DEPTH {
        return Err(format!(
            "nested {times} times, but no value is nested deeper than {MAX_DEPTH}"
        ));
    }
    let known = Nesting::ALL.into_iter().find(|nesting| nesting.name() == name);
    let nesting = known.ok_or_else(|| format!("unknown nesting {name:?}"))?;
    (0..times).try_fold(to_value(inner)?, |inner, _| nesting.wrap(inner))
}

/// The entries {0: null, 1: null, ...}, so many of them.
pub(crate) fn numbered(count: usize) -> Result<Vec<(Value, Value)>, String> {
    let count = i64::try_from(count).map_err(|error| error.to_string())?;
    Ok((0..count).map(|number| (Value::Integer(number), Value::Null)).collect())
}

fn is_numbered(map: &Map) -> bool {
    let entries = map.entries();
    entries.len() >= RUN_MIN
        && numbered(entries.len()).is_ok_and(|numbered| entries == numbered.as_slice())
}

/// The element a long sequence consists of.
fn run<T: PartialEq>(elements: &[T]) -> Option<&T> {
    let (first, rest) = elements.split_first()?;
    (elements.len() >= RUN_MIN && rest.iter().all(|element| element == first)).then_some(first)
}

fn count(notation: &Json) -> Result<usize, String> {
    let count = notation.as_u64().and_then(|count| usize::try_from(count).ok());
    count.ok_or_else(|| format!("{notation} is not a count"))
}

fn to_float(bits: &str) -> Result<Value, String> {
    let parsed = u64::from_str_radix(bits, 16).ok().filter(|_| bits.len() == 16);
    let number = parsed.map(f64::from_bits).and_then(|number| Float::new(number).ok());
    number
        .map(Value::Float)
        .ok_or_else(|| format!("{bits} is not 16 hexadecimal digits of a number"))
}

fn to_pair(pair: &Json) -> Result<(Value, Value), String> {
    match pair.as_array().map(Vec::as_slice) {
        Some([key, value]) => Ok((to_value(key)?, to_value(value)?)),
        _ => Err(format!("{pair} is not a pair of key and value")),
    }
}

fn to_map(entries: Vec<(Value, Value)>) -> Result<Value, String> {
    Map::new(entries).map(Value::Map).map_err(|error| error.to_string())
}

/// Diagnostic notation (RFC 8949 §8), for readers only: what is long is cut with `...`.
pub(crate) fn diagnostic(value: &Value) -> String {
    let mut out = String::new();
    diagnose(value, &mut out);
    out
}

fn diagnose(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Float(float) if float.get().is_infinite() => {
            out.push_str(if float.get() > 0.0 { "Infinity" } else { "-Infinity" });
        }
        Value::Float(float) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{:?}", float.get());
        }
        Value::Bytes(bytes) => {
            let shown = &bytes[..bytes.len().min(RUN_MIN)];
            let cut = if shown.len() < bytes.len() { "..." } else { "" };
            let _ = write!(out, "h'{}{cut}'", hex::encode(shown));
        }
        Value::Text(text) => {
            let shown: String = text.chars().take(RUN_MIN).collect();
            let cut = if shown.len() < text.len() { "..." } else { "" };
            let _ = write!(out, "{}{cut}", Json::String(shown));
        }
        Value::Array(items) => {
            enclose(out, ['[', ']'], items, diagnose);
        }
        Value::Map(map) => {
            enclose(out, ['{', '}'], map.entries(), |(key, value), out| {
                diagnose(key, out);
                out.push_str(": ");
                diagnose(value, out);
            });
        }
    }
}

fn enclose<T>(
    out: &mut String,
    ends: [char; 2],
    parts: &[T],
    mut one: impl FnMut(&T, &mut String),
) {
    out.push(ends[0]);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if index == RUN_MIN {
            out.push_str("...");
            break;
        }
        one(part, out);
    }
    out.push(ends[1]);
}
