//! From values to canonical bytes.

use ciborium_ll::{Header, simple};

use super::head::shortest;
use super::{MAX_DEPTH, Profile, Value, ValueError};

/// Appends the canonical encoding of `value` to `out`. After an error `out` holds a part of it.
pub(super) fn write(value: &Value, profile: Profile, out: &mut Vec<u8>) -> Result<(), ValueError> {
    item(value, profile, 0, out)
}

/// Writes an item that stands inside `open` containers.
fn item(value: &Value, profile: Profile, open: usize, out: &mut Vec<u8>) -> Result<(), ValueError> {
    match value {
        Value::Null => head(Header::Simple(simple::NULL), out),
        Value::Bool(false) => head(Header::Simple(simple::FALSE), out),
        Value::Bool(true) => head(Header::Simple(simple::TRUE), out),
        Value::Integer(number) => head(integer(*number), out),
        Value::Bytes(bytes) => {
            head(Header::Bytes(Some(bytes.len())), out);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            head(Header::Text(Some(text.len())), out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Float(_) if profile == Profile::Standard => return Err(ValueError::FloatForbidden),
        Value::Float(float) => head(Header::Float(float.get()), out),
        Value::Array(_) | Value::Map(_) if open == MAX_DEPTH => return Err(ValueError::TooDeep),
        Value::Array(items) => {
            head(Header::Array(Some(items.len())), out);
            for element in items {
                item(element, profile, open + 1, out)?;
            }
        }
        Value::Map(map) => {
            head(Header::Map(Some(map.entries().len())), out);
            for (key, value) in map.entries() {
                item(key, profile, open + 1, out)?;
                item(value, profile, open + 1, out)?;
            }
        }
    }
    Ok(())
}

/// The head of an integer: a negative number n is carried as -1 - n, the complement of its bits.
fn integer(number: i64) -> Header {
    if number < 0 {
        Header::Negative((!number).cast_unsigned())
    } else {
        Header::Positive(number.cast_unsigned())
    }
}

fn head(header: Header, out: &mut Vec<u8>) {
    let (bytes, len) = shortest(header);
    out.extend_from_slice(&bytes[..len]);
}
