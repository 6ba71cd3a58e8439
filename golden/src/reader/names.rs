//! Names and order, as the engine has them.

use std::str;

use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::names;
use entidb_engine::{CollectionId, EntityId};
use serde_json::json;

use super::Answer;
use crate::layout;

/// Bytes of a key: collection and entity.
const KEY_LEN: usize = 20;

/// What bytes are by name, as the rule of the vector asks.
pub(super) fn name(rule: &str, bytes: &[u8]) -> Answer {
    match rule {
        "file-name" => file_name(bytes),
        "collection-name" => collection_name(bytes),
        _ => key_order(bytes),
    }
}

fn file_name(bytes: &[u8]) -> Answer {
    let name = str::from_utf8(bytes).map_err(|_| "foreign")?;
    if let Some(generation) = names::parse_wal(name) {
        return Ok(json!({ "wal": generation.to_string() }));
    }
    if let Some(id) = name.strip_prefix("SEGMENTS/").and_then(names::parse_segment) {
        return Ok(json!({ "segment": id.to_string() }));
    }
    if let Some(id) = name.strip_prefix("INDEX/").and_then(names::parse_sidecar) {
        return Ok(json!({ "sidecar": id.to_string() }));
    }
    let known = [names::MANIFEST, names::MANIFEST_TMP, names::LEGACY_WAL, names::LOCK];
    known.contains(&name).then(|| json!({ "file": name })).ok_or_else(|| "foreign".to_owned())
}

/// A collection's name is what a MANIFEST can list.
fn collection_name(bytes: &[u8]) -> Answer {
    let mut manifest = Manifest::default();
    manifest.collections.insert("#".to_owned(), CollectionId::new(1));
    manifest.next_collection_id = 2;
    // The length and the one byte of the name give way to those under test.
    let (name, invalid) = (b"\x01\0#", || "invalid".to_owned());
    let mut written = manifest.encode();
    let end = written.len() - layout::CRC_LEN;
    written.truncate(end);
    let at = written.windows(name.len()).position(|it| it == name).ok_or_else(invalid)?;
    let len = u16::try_from(bytes.len()).map_err(|_| invalid())?.to_le_bytes();
    written.splice(at..at + name.len(), len.iter().chain(bytes).copied());
    let decoded = Manifest::decode(&layout::with_crc(written)).map_err(|_| invalid())?;
    let name = decoded.collections.keys().next().ok_or_else(invalid)?;
    Ok(json!({ "collection": name }))
}

/// The positions of keys in ascending order; equal ones as they come.
fn key_order(bytes: &[u8]) -> Answer {
    let (keys, rest) = bytes.as_chunks::<KEY_LEN>();
    if !rest.is_empty() {
        return Err("invalid".to_owned());
    }
    let mut keys: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(position, key)| {
            let (collection, entity) = key.split_at(4);
            let collection = collection.first_chunk().copied().map_or(0, u32::from_le_bytes);
            let entity = entity.first_chunk().copied().unwrap_or_default();
            (CollectionId::new(collection), EntityId::new(entity), position)
        })
        .collect();
    keys.sort();
    let order: Vec<_> = keys.iter().map(|(_, _, position)| position.to_string()).collect();
    Ok(json!({ "order": order }))
}
