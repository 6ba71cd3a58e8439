//! Work that the benchmarks share: entities of a fixed shape, stores of a known size.

pub mod peak;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use entidb_engine::{CollectionId, Database, EntityId, Options, Result};

/// Bytes of an entity in all benchmarks, as in the peers' figures.
pub const ENTITY_LEN: usize = HEAD.len() + CONTENT_LEN as usize;

const CONTENT_LEN: u8 = 145;

/// A map of one pair: text "p", and a byte string with a one-byte length.
const HEAD: [u8; 5] = [0xa1, 0x61, b'p', 0x58, CONTENT_LEN];

/// A canonical CBOR entity of [`ENTITY_LEN`] bytes: `{"p": bytes}`.
pub fn entity(number: u64) -> Bytes {
    let mut out = Vec::with_capacity(ENTITY_LEN);
    out.extend_from_slice(&HEAD);
    out.extend_from_slice(&number.to_be_bytes());
    out.resize(ENTITY_LEN, 0x5a);
    out.into()
}

/// The identity of entity `number`; scattered, so that neighbours are not written in order.
pub fn id(number: u64) -> EntityId {
    // An odd multiplier is a bijection on 64 bits (Knuth, TAOCP vol. 3, §6.4).
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&scattered.to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    EntityId::new(bytes)
}

/// Opens a store with one collection in `path`.
///
/// # Errors
/// The engine's.
pub fn store(path: &Path) -> Result<(Database, CollectionId)> {
    let db = Database::open(path, Options::default())?;
    let collection = match db.collection("entities") {
        Some(collection) => collection,
        None => db.create_collection("entities")?,
    };
    Ok((db, collection))
}

/// This thread's time on a core so far (proc(5): the first field of `schedstat`).
pub fn on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// Writes entities `0..count` in transactions of `batch` and leaves them in the WAL.
///
/// # Errors
/// The engine's.
pub fn load(db: &Database, collection: CollectionId, count: u64, batch: u64) -> Result<()> {
    let mut next = 0;
    while next < count {
        let mut txn = db.begin()?;
        for number in next..count.min(next + batch) {
            txn.put(collection, id(number), entity(number))?;
        }
        txn.commit()?;
        next += batch;
    }
    Ok(())
}
