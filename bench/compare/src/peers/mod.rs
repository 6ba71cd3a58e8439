//! The engine and its peers, each behind [`Store`](crate::store::Store).

mod entidb;
mod entidb_core;
mod fjall;
mod lmdb;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod sled;
mod sqlite;

use crate::store::Peer;

/// The engine first, then its peers.
pub const PEERS: &[Peer] = &[
    entidb::PEER,
    lmdb::PEER,
    redb::PEER,
    sqlite::PEER,
    fjall::PEER,
    entidb_core::PEER,
    #[cfg(feature = "rocksdb")]
    rocksdb::PEER,
    sled::PEER,
];

pub use entidb::open_without_checkpoints;
