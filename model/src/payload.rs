//! Payloads: entity contents as short recipes, so that plans stay readable and shrink well.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::rng::Rng;

/// The largest [`Payload::Entity`] that a plan file may ask for, in bytes: a short line must not
/// be able to claim unbounded memory.
pub const MAX_ENTITY_SIZE: u32 = 16 << 20;

/// The content of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
    /// A canonical CBOR map that carries its tag and is filled up to a size.
    Entity {
        /// Makes the content unique within a plan.
        tag: u32,
        /// Length in bytes; at most [`MAX_ENTITY_SIZE`] in files. The map's frame takes 7 to 11
        /// bytes, a smaller size means the frame alone.
        #[serde(deserialize_with = "bounded_size")]
        size: u32,
    },
    /// Bytes as they are.
    Raw {
        /// The content, hex in files.
        #[serde(rename = "hex", serialize_with = "to_hex", deserialize_with = "from_hex")]
        bytes: Bytes,
        /// Whether they are canonical CBOR: stated by the plan, so that the oracle knows what is
        /// due without a decoder of its own.
        canonical: bool,
    },
}

impl Payload {
    /// The content. Deterministic; for entities of different tags always different.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Entity { tag, size } => entity(*tag, *size as usize).into(),
            Self::Raw { bytes, .. } => bytes.clone(),
        }
    }

    /// Whether the content is one canonical CBOR item (RFC 8949 §4.2.1).
    pub const fn is_canonical(&self) -> bool {
        match self {
            Self::Entity { .. } => true,
            Self::Raw { canonical, .. } => *canonical,
        }
    }
}

/// CBOR major types (RFC 8949 §3.1), in the upper three bits of a head.
const UNSIGNED: u8 = 0 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const MAP: u8 = 5 << 5;

/// `{"t": tag, "z": filler}` of exactly `size` bytes, or with an empty filler if that is longer.
///
/// A shortest head grows by a byte or two at 24, 256 and 65536, so some totals have no filler:
/// there the key grows to `"zz"` or `"zzz"`. All three sort after `"t"`. The filler differs from
/// sector to sector and from tag to tag, so that torn and mixed sectors cannot look whole.
fn entity(tag: u32, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size.max(11));
    head(&mut bytes, MAP, 2);
    head(&mut bytes, TEXT, 1);
    bytes.push(b't');
    head(&mut bytes, UNSIGNED, tag as usize);
    let rest = size.saturating_sub(bytes.len());
    let (key, filler) =
        (1..=3).find_map(|key| Some((key, filler_len(rest, 1 + key)?))).unwrap_or((1, 0));
    head(&mut bytes, TEXT, key);
    bytes.extend_from_slice(&b"zzz"[..key]);
    head(&mut bytes, BYTES, filler);
    let end = bytes.len() + filler;
    let mut rng = Rng::new(u64::from(tag));
    while bytes.len() < end {
        let word = rng.next().to_le_bytes();
        bytes.extend_from_slice(&word[..word.len().min(end - bytes.len())]);
    }
    bytes
}

/// The length of the byte string that takes exactly `rest - key` bytes with its head, if any.
fn filler_len(rest: usize, key: usize) -> Option<usize> {
    [1, 2, 3, 5].into_iter().find_map(|head| {
        let filler = rest.checked_sub(key + head)?;
        (head_len(filler) == head).then_some(filler)
    })
}

/// Bytes of the shortest head with this argument (RFC 8949 §4.2.1), for arguments below 2^32.
const fn head_len(argument: usize) -> usize {
    match argument {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 5,
    }
}

fn head(bytes: &mut Vec<u8>, major: u8, argument: usize) {
    let big_endian = (argument as u64).to_be_bytes();
    let tail = head_len(argument) - 1;
    let info = match tail {
        0 => big_endian[7],
        1 => 24,
        2 => 25,
        _ => 26,
    };
    bytes.push(major | info);
    bytes.extend_from_slice(&big_endian[8 - tail..]);
}

fn bounded_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let size = u32::deserialize(deserializer)?;
    if size > MAX_ENTITY_SIZE {
        return Err(de::Error::custom(format!("size {size} exceeds {MAX_ENTITY_SIZE}")));
    }
    Ok(size)
}

fn to_hex<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::decode(text).map(Bytes::from).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests;
