//! Bytes as they travel: text of hex digits, lower case when written, either case when read.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that are hex in JSON.
#[derive(Debug, PartialEq)]
pub(super) struct Hex(pub(super) Bytes);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor)
    }
}

/// Decodes from the reader's own text: contents can be long, and need no copy on the way.
struct HexVisitor;

impl de::Visitor<'_> for HexVisitor {
    type Value = Hex;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes as hex digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex, E> {
        let bytes = hex::decode(text).map_err(|error| E::custom(format!("not hex: {error}")))?;
        Ok(Hex(bytes.into()))
    }
}
