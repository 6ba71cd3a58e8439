//! Short forms for the values and bytes the tables of vectors are made of.

#![expect(clippy::expect_used, reason = "source literals: a wrong one fails every test at once")]

use entidb_engine::codec::{Float, Map, Value};
use serde::Serialize;
use serde_json::Value as Json;

pub(super) fn int(number: i64) -> Value {
    Value::Integer(number)
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn bytes(hex: &str) -> Value {
    Value::Bytes(self::hex(hex))
}

pub(super) fn array(items: &[Value]) -> Value {
    Value::Array(items.to_vec())
}

pub(super) fn float(number: f64) -> Value {
    Value::Float(Float::new(number).expect("a number"))
}

/// A map of `entries`, in whatever order they are given.
pub(super) fn map(entries: &[(Value, Value)]) -> Value {
    Value::Map(Map::new(entries.to_vec()).expect("distinct keys"))
}

/// Bytes by their hexadecimal digits; blanks between items are for the reader.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace(' ', "")).expect("hexadecimal digits")
}

/// The notation of plain fields.
pub(super) fn notation(fields: &impl Serialize) -> Json {
    serde_json::to_value(fields).expect("plain data has a JSON text")
}
