//! Operations: what a plan asks of a subject, in words any engine can understand.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::payload::Payload;

/// A collection of a plan, written `c0` … `c255`.
///
/// Plans use few collections, so a byte is enough and keeps operations `Copy` where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Collection(pub u8);

/// The 16-byte identity of an entity within its collection; ordered as bytes, written as hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(pub [u8; 16]);

/// Names one of a client's open snapshots.
pub type Slot = u8;

/// One request to a subject.
///
/// A write outside `Begin` … `Commit` is a transaction of its own. Every operation has a defined
/// outcome in every state (a commit without a transaction is `Failed(Misuse)`), so removing
/// operations from a plan always leaves a valid plan: shrinking needs no preconditions.
///
/// Reads and writes of a collection that does not exist are `Failed(NotFound)`. Payloads longer
/// than the settings allow, or not canonical where that is asked, are `Failed(Invalid)`. A failed
/// operation changes nothing, and an open transaction stays open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Creates a collection; `Failed(Conflict)` if it exists. Not part of a transaction: inside
    /// one it is `Failed(Misuse)`.
    CreateCollection {
        /// The collection to create.
        collection: Collection,
    },
    /// Begins a write transaction; `Failed(Misuse)` inside one.
    Begin,
    /// Commits the open transaction.
    Commit,
    /// Abandons the open transaction.
    Abort,
    /// Inserts or replaces an entity.
    Put {
        /// Where.
        collection: Collection,
        /// Which.
        id: Id,
        /// The new content.
        payload: Payload,
    },
    /// Stores an entity under an identity of the engine's choosing: the first draw from the
    /// plan's entropy list that is not live in the collection, among as many draws as the list
    /// is long; `Failed(Conflict)` if all are live. A refused payload draws nothing.
    Insert {
        /// Where.
        collection: Collection,
        /// The content.
        payload: Payload,
    },
    /// Deletes an entity; deleting an absent one writes nothing.
    Delete {
        /// Where.
        collection: Collection,
        /// Which.
        id: Id,
    },
    /// Reads one entity.
    Get {
        /// Where.
        collection: Collection,
        /// Which.
        id: Id,
    },
    /// Reads several entities, answers in the order asked.
    GetMany {
        /// Where.
        collection: Collection,
        /// Which, possibly with repetitions.
        ids: Vec<Id>,
    },
    /// Reads a whole collection in identity order.
    Scan {
        /// Where.
        collection: Collection,
    },
    /// Reads the entities of a collection between two identities, as [`Op::Scan`] reads all. A range
    /// that ends where it begins, or before, is empty.
    ScanRange {
        /// Where.
        collection: Collection,
        /// The first identity; none: from the start.
        from: Option<Id>,
        /// The first identity that is beyond; none: to the end.
        to: Option<Id>,
        /// Whether the last one comes first.
        descending: bool,
    },
    /// Takes a snapshot into a slot, releasing what the slot held.
    Snapshot {
        /// The slot.
        slot: Slot,
    },
    /// Reads one entity as of a snapshot; `Failed(Misuse)` if the slot is empty, and after that
    /// `Failed(NotFound)` if the collection does not exist now. Collections are not part of
    /// snapshots: one that is younger than the snapshot is empty in it.
    SnapshotGet {
        /// The slot.
        slot: Slot,
        /// Where.
        collection: Collection,
        /// Which.
        id: Id,
    },
    /// Reads a whole collection as of a snapshot; fails as [`Op::SnapshotGet`] does.
    SnapshotScan {
        /// The slot.
        slot: Slot,
        /// Where.
        collection: Collection,
    },
    /// Releases a snapshot; releasing an empty slot does nothing.
    SnapshotRelease {
        /// The slot.
        slot: Slot,
    },
    /// Makes older log unnecessary; never changes what is read. `Failed(Misuse)` inside a
    /// transaction of the same client.
    Checkpoint,
    /// Rewrites what is stored without what nobody needs any more; never changes what is read.
    /// `Failed(Misuse)` inside a transaction of the same client.
    Compact,
    /// Carries out a part of a compaction, which it begins if none is under way: as [`Op::Compact`].
    /// How large a part is for the engine to say: all of it, if it has no smaller ones.
    CompactStep,
    /// Looks at everything stored, read or not, whether it is as it was written; never changes what
    /// is read. `Failed(Corrupt)` if it is not, `Failed(Misuse)` inside a transaction of the same
    /// client.
    Scrub,
    /// Closes cleanly and opens again: ends the transaction (abandoned) and all snapshots.
    Reopen,
}

/// Entities of one collection in the order they were read, which is that of their identities, or
/// against it where that was asked for.
pub type Entities = Vec<(Id, Bytes)>;

impl Id {
    /// The `n`-th identity of the small universes that plans use.
    ///
    /// Low and high end both vary, so an engine that orders identities as little-endian or as
    /// native integers instead of as bytes gives a wrong scan.
    pub const fn nth(n: u8) -> Self {
        let mut bytes = [0; 16];
        bytes[0] = n % 4;
        bytes[15] = n / 4;
        Self(bytes)
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl From<Collection> for String {
    fn from(collection: Collection) -> Self {
        collection.to_string()
    }
}

impl TryFrom<String> for Collection {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_prefix('c')
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .filter(|collection| collection.to_string() == text)
            .ok_or_else(|| format!("not a collection (c0 to c255): {text:?}"))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| format!("not an identity (32 hex digits): {text:?}"))?;
        Ok(Self(bytes))
    }
}

/// The line of a plan file that holds this operation.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
