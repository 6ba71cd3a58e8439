//! Readers: whatever answers what a vector stands for. Here, the engine as one.
//!
//! An answer is the value in the notation of the family (`vectors/README.md`), or the class of the
//! refusal. Both are compared as they are written, so a reader in another language answers alike.

mod manifest;
mod names;
mod records;
mod store;

use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::families;
use crate::vectors::{Material, Vector};

/// What reads vectors of the families whose values are compared as they are written.
pub trait Reader {
    /// What a vector stands for under a setting of its family.
    ///
    /// # Errors
    /// The class of the refusal.
    fn read(&self, family: &str, vector: &Vector, setting: &str) -> Result<Json, String>;
}

/// The reference engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineReader;

/// An answer: a value in the notation of its family, or a class.
type Answer = Result<Json, String>;

/// The answer to what is given that the family does not provide for.
const NOT_GIVEN: &str = "given otherwise than the family says";

impl Reader for EngineReader {
    fn read(&self, family: &str, vector: &Vector, setting: &str) -> Answer {
        match (family, &vector.material) {
            (families::HASH, Material::Bytes(bytes)) => Ok(hashes(bytes)),
            (families::NAME, Material::Bytes(bytes)) => names::name(&vector.rule, bytes),
            (families::WAL_RECORD, Material::Bytes(bytes)) => records::wal_record(bytes),
            (families::SEGMENT_RECORD, Material::Bytes(bytes)) => records::segment_record(bytes),
            (families::MANIFEST, Material::Bytes(bytes)) => manifest::manifest(bytes),
            (families::WAL_LOG, Material::Bytes(bytes)) => store::wal_log(bytes, &vector.given),
            (families::SEGMENT, Material::Bytes(bytes)) => store::segment(bytes, &vector.given),
            (families::STORE | families::RELEASE, Material::Files(files)) => {
                store::store(files, setting)
            }
            _ => Err("nothing this reader reads".to_owned()),
        }
    }
}

/// Both checksums by the crates that the engine takes them from.
fn hashes(bytes: &[u8]) -> Json {
    serde_json::json!({
        "crc32": format!("{:08x}", crc32fast::hash(bytes)),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

/// The notation of plain fields.
#[expect(clippy::expect_used, reason = "numbers, strings and lists of them")]
fn notation(fields: &impl Serialize) -> Json {
    serde_json::to_value(fields).expect("plain data has a JSON text")
}
