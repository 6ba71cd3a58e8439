//! Identities: which collection, which entity.

use std::cmp::Ordering;
use std::fmt;
use std::io;

/// A collection's number; from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionId(u32);

impl CollectionId {
    /// The collection with this number. A number that the store has not handed out is refused
    /// when it is used.
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// The number as it stands in files.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entity's identity within its collection: 16 bytes, ordered as bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntityId([u8; 16]);

impl EntityId {
    /// The identity with these bytes; all values are permitted.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The identity's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Ord for EntityId {
    /// As bytes: the first one that differs decides. As one number this takes a few instructions,
    /// and is most of what finding a key in memory costs.
    fn cmp(&self, other: &Self) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for EntityId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityId({self})")
    }
}

/// Where new identities come from. The engine has no entropy of its own: it is an argument.
pub trait IdSource: Send {
    /// The next candidate. It may repeat: an insert skips identities that are live.
    ///
    /// # Errors
    /// Whatever the source of entropy says.
    fn next_id(&mut self) -> io::Result<EntityId>;

    /// How many candidates an insert tries before it gives up. A good source never needs a
    /// second one; the default is far beyond bad luck.
    fn attempts(&self) -> u32 {
        64
    }
}

/// The engine's key: every entity belongs to exactly one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) collection: CollectionId,
    pub(crate) entity: EntityId,
}
