//! What can be checked against the vectors, and the engine's codec as one such thing.

use entidb_engine::codec::{self, Limits, Profile, RejectClass, Value, ValueError};

/// A canonical CBOR codec under test.
pub trait Codec {
    /// Decodes one item that fills `bytes`.
    ///
    /// # Errors
    /// The class of the first broken rule.
    fn decode(&self, bytes: &[u8], profile: Profile, limits: &Limits)
    -> Result<Value, RejectClass>;

    /// Checks `bytes` without building the item.
    ///
    /// # Errors
    /// The class of the first broken rule.
    fn validate(&self, bytes: &[u8], profile: Profile, limits: &Limits) -> Result<(), RejectClass> {
        self.decode(bytes, profile, limits).map(drop)
    }

    /// The canonical encoding.
    ///
    /// # Errors
    /// Why the value has none.
    fn encode(&self, value: &Value, profile: Profile) -> Result<Vec<u8>, ValueError>;
}

/// The reference engine's codec.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineCodec;

impl Codec for EngineCodec {
    fn decode(
        &self,
        bytes: &[u8],
        profile: Profile,
        limits: &Limits,
    ) -> Result<Value, RejectClass> {
        codec::decode(bytes, profile, limits).map_err(|error| error.class)
    }

    fn validate(&self, bytes: &[u8], profile: Profile, limits: &Limits) -> Result<(), RejectClass> {
        codec::validate(bytes, profile, limits).map_err(|error| error.class)
    }

    fn encode(&self, value: &Value, profile: Profile) -> Result<Vec<u8>, ValueError> {
        codec::encode(value, profile)
    }
}
