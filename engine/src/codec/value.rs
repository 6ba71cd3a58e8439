//! The values that have a canonical encoding.

use std::ops::Range;

use super::{Profile, ValueError, writer};

/// A decoded item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`.
    Null,
    /// `false` or `true`.
    Bool(bool),
    /// An integer; CBOR's wider range is refused, not clamped.
    Integer(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map, its keys in canonical order.
    Map(Map),
    /// A float; it has an encoding under [`Profile::Floats`] only.
    Float(Float),
}

/// A map whose entries are in canonical order, keys strictly ascending by their encoded bytes
/// (RFC 8949 §4.2.1). There is no way to make one that is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Map {
    entries: Vec<(Value, Value)>,
}

impl Map {
    /// A map of `entries`, given in any order.
    ///
    /// # Errors
    /// [`ValueError::DuplicateKey`] if two keys are equal, [`ValueError::TooDeep`] if a key has no
    /// encoding for its depth.
    pub fn new(entries: Vec<(Value, Value)>) -> Result<Self, ValueError> {
        let mut encoded = Vec::new();
        let mut keyed = Vec::with_capacity(entries.len());
        for entry in entries {
            let begin = encoded.len();
            // The widest profile: whether floats are allowed is decided when the map is encoded,
            // and does not change the order.
            writer::write(&entry.0, Profile::Floats, &mut encoded)?;
            keyed.push((begin..encoded.len(), entry));
        }
        let key = |at: &Range<usize>| &encoded[at.clone()];
        keyed.sort_by(|(left, _), (right, _)| key(left).cmp(key(right)));
        if keyed.windows(2).any(|pair| key(&pair[0].0) == key(&pair[1].0)) {
            return Err(ValueError::DuplicateKey);
        }
        Ok(Self { entries: keyed.into_iter().map(|(_, entry)| entry).collect() })
    }

    /// A map of entries whose encoded keys were seen to be strictly ascending.
    pub(super) fn from_ascending(entries: Vec<(Value, Value)>) -> Self {
        Self { entries }
    }

    /// The entries in canonical order.
    pub fn entries(&self) -> &[(Value, Value)] {
        &self.entries
    }

    /// The value of `key`. Looks at the entries one by one.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.entries.iter().find(|(candidate, _)| candidate == key).map(|(_, value)| value)
    }
}

/// A float that is a number. Equality is that of the bits: `0.0` and `-0.0` are different values,
/// as they have different encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Float {
    bits: u64,
}

impl Float {
    /// Wraps a number; infinities are numbers here.
    ///
    /// # Errors
    /// [`ValueError::NotANumber`].
    pub fn new(number: f64) -> Result<Self, ValueError> {
        if number.is_nan() {
            return Err(ValueError::NotANumber);
        }
        Ok(Self { bits: number.to_bits() })
    }

    /// The number, never `NaN`.
    pub fn get(self) -> f64 {
        f64::from_bits(self.bits)
    }
}
