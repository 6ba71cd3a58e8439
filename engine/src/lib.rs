//! `EntiDB`: a compact embedded entity database that keeps what it acknowledged.
//!
//! Entities are canonical CBOR documents under 16-byte identities, in collections. Writes are
//! transactions, one at a time; a commit is one append to the write-ahead log and one sync, which
//! commits of several threads share, and is visible and durable when it returns. Readers see
//! snapshots and wait for nobody.
//!
//! ```
//! use entidb_engine::{Database, EntityId, Options, Result};
//!
//! # fn main() -> Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("store");
//! let db = Database::open(&path, Options::default())?;
//! let users = db.create_collection("users")?;
//!
//! let mut txn = db.begin()?;
//! let id = EntityId::new([1; 16]);
//! txn.put(users, id, b"\xa1\x61v\x01".as_slice().into())?; // {"v": 1}
//! assert_eq!(txn.commit()?, 1);
//!
//! assert_eq!(db.get(users, id)?.as_deref(), Some(b"\xa1\x61v\x01".as_slice()));
//! db.close()
//! # }
//! ```
//!
//! What stands on disk is specified in `docs/format.md`; what is assumed of a disk, in
//! `docs/media.md`. The engine does all I/O through [`storage::Storage`], and takes entropy as an
//! argument: there is no other way in.

pub mod codec;
mod database;
mod error;
mod fetch;
pub mod format;
mod ids;
mod memtable;
mod merge;
mod options;
mod range;
mod readers;
mod scan;
mod segment;
pub mod storage;
mod sync;
mod view;
mod wal;

pub use database::{
    Compaction, CompactionControl, CompactionProgress, CompactionState, Database, Scrub,
    ScrubFinding, ScrubReport, Snapshot, Verified, WriteTxn,
};
pub use error::{Error, ErrorClass, Result};
pub use ids::{CollectionId, EntityId, IdSource};
pub use options::{AutoCheckpoint, OpenMode, Options};
pub use scan::Scan;
