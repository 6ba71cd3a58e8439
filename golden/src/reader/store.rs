//! Logs, segments and stores, as the engine opens them: through its public API, on memory.
//!
//! A store shows what an open, a verification and a scan of every collection show: damage may be
//! reported by any of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use entidb_engine::format::manifest::{Manifest, SegmentInfo};
use entidb_engine::format::{names, segment as format};
use entidb_engine::storage::MemStorage;
use entidb_engine::{
    CollectionId, Database, EntityId, Error, ErrorClass, IdSource, OpenMode, Options,
};
use serde_json::{Value as Json, json};

use super::records::segment_fields;
use super::{Answer, NOT_GIVEN, notation};
use crate::families::READ_ONLY;

type Files = BTreeMap<String, Vec<u8>>;

/// What a store of these files shows.
pub(super) fn store(files: &Files, setting: &str) -> Answer {
    let mode = if setting == READ_ONLY { OpenMode::ReadOnly } else { OpenMode::Create };
    open(files, mode).and_then(|db| shown(&db)).map_err(|error| class(&error))
}

/// What a store shows that this log is left of.
pub(super) fn wal_log(bytes: &[u8], given: &Json) -> Answer {
    let mut manifest = Manifest::default();
    let generation: u32 = number(&given["generation"])?;
    let cut: u64 = number(&given["cut"])?;
    for id in given["collections"].as_array().ok_or(NOT_GIVEN)? {
        let id: u32 = number(id)?;
        manifest.collections.insert(format!("c{id}"), CollectionId::new(id));
        manifest.next_collection_id = manifest.next_collection_id.max(id + 1);
    }
    manifest.last_checkpoint = Some(cut);
    manifest.trailer.wals = vec![generation];
    manifest.trailer.next_generation = generation + 1;
    let files = Files::from([
        (names::MANIFEST.to_owned(), manifest.encode()),
        (names::wal(generation), bytes.to_vec()),
    ]);
    let mut shown = store(&files, "")?;
    for collection in shown["collections"].as_array_mut().into_iter().flatten() {
        // The names are not in a log.
        collection.as_object_mut().and_then(|fields| fields.remove("name"));
    }
    Ok(shown)
}

/// The records of a segment in a store that verifies.
pub(super) fn segment(bytes: &[u8], given: &Json) -> Answer {
    let mut manifest = Manifest::default();
    let mut digest = [0; 32];
    let digits = given["digest"].as_str().ok_or(NOT_GIVEN)?;
    hex::decode_to_slice(digits, &mut digest).map_err(|_| NOT_GIVEN)?;
    let (len, records) = (number(&given["len"])?, number(&given["records"])?);
    manifest.trailer.segments.insert(1, SegmentInfo { len, records, digest });
    manifest.trailer.next_segment_id = 2;
    manifest.last_checkpoint = Some(number(&given["last_checkpoint"])?);
    let files = Files::from([
        (names::MANIFEST.to_owned(), manifest.encode()),
        (names::segment_path(1), bytes.to_vec()),
    ]);
    store(&files, READ_ONLY)?;
    let (mut rest, mut found) = (bytes, Vec::new());
    while let Ok((record, len)) = format::decode(rest) {
        found.push(notation(&segment_fields(&record)));
        rest = &rest[len..];
    }
    if !rest.is_empty() {
        return Err("verified, and yet not all records".to_owned());
    }
    Ok(json!({ "records": found }))
}

fn number<T: std::str::FromStr>(digits: &Json) -> Result<T, String> {
    let number = digits.as_str().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| NOT_GIVEN.to_owned())
}

/// Small reserves: vectors are small, and a fresh log is zeros for the most part.
fn open(files: &Files, mode: OpenMode) -> Result<Database, Error> {
    let options = Options { mode, wal_reserve: 4096, ..Options::default() };
    Database::open_with(Arc::new(MemStorage::restore(files)), Box::new(NoIds), options)
}

/// A reader inserts nothing.
struct NoIds;

impl IdSource for NoIds {
    fn next_id(&mut self) -> std::io::Result<EntityId> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

fn shown(db: &Database) -> Result<Json, Error> {
    db.verify()?;
    let mut collections = Vec::new();
    for (name, id) in db.collections() {
        let mut entities = Vec::new();
        for entity in db.scan(id)? {
            let (entity, content) = entity?;
            entities.push([entity.to_string(), hex::encode(content)]);
        }
        collections.push(json!({ "name": name, "id": id.to_string(), "entities": entities }));
    }
    Ok(json!({ "sequence": db.sequence().to_string(), "collections": collections }))
}

fn class(error: &Error) -> String {
    match error.class() {
        ErrorClass::Corrupt => "corrupt".to_owned(),
        ErrorClass::Foreign => "foreign".to_owned(),
        ErrorClass::NewerVersion => "newer-version".to_owned(),
        ErrorClass::NeedsRecovery => "needs-recovery".to_owned(),
        ErrorClass::NotFound => "no-store".to_owned(),
        _ => error.to_string(),
    }
}
