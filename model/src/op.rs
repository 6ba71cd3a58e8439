//! Operations: what a plan asks of a subject, in words any engine can understand.

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
    /// plan's entropy list that is not live in the collection.
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
    /// Takes a snapshot into a slot, releasing what the slot held.
    Snapshot {
        /// The slot.
        slot: Slot,
    },
    /// Reads one entity as of a snapshot; `Failed(Misuse)` if the slot is empty.
    SnapshotGet {
        /// The slot.
        slot: Slot,
        /// Where.
        collection: Collection,
        /// Which.
        id: Id,
    },
    /// Reads a whole collection as of a snapshot; `Failed(Misuse)` if the slot is empty.
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
    /// Closes cleanly and opens again: ends the transaction (abandoned) and all snapshots.
    Reopen,
}

/// Entities of one collection in identity order.
pub type Entities = Vec<(Id, Bytes)>;
