//! Ways to damage bytes, and to hide it behind right checksums.

use entidb_engine::format::segment;
use proofhouse_model::rng::Rng;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::families;
use crate::layout::{CRC_LEN, LOG_HEADER_LEN, crc32};
use crate::vectors::{Material, Vector};

/// Damages what a vector gives to read; answers what was done.
pub(super) fn vector(family: &str, vector: &mut Vector, rng: &mut Rng) -> String {
    match &mut vector.material {
        Material::Bytes(file) => {
            let records = records(family, file);
            let mut story = bytes(file, rng);
            if rng.chance(60) {
                story += &reseal(family, file, &records);
            }
            if family == families::SEGMENT && rng.chance(60) {
                vector.given["digest"] = json!(hex::encode(digest(file)));
                vector.given["len"] = json!(file.len().to_string());
                story += ", listed so";
            }
            story
        }
        Material::Files(files) => {
            let names: Vec<_> = files.keys().cloned().collect();
            let Some(name) = rng.pick(&names) else { return "nothing to damage".to_owned() };
            if rng.chance(5) {
                files.remove(name);
                return format!("{name} removed");
            }
            let Some(file) = files.get_mut(name) else { return "nothing to damage".to_owned() };
            let family = match name.as_str() {
                "MANIFEST" => families::MANIFEST,
                log if log.starts_with("wal-") => families::WAL_LOG,
                _ => families::SEGMENT,
            };
            let records = records(family, file);
            let mut story = format!("{name}: {}", bytes(file, rng));
            if rng.chance(50) {
                story += &reseal(family, file, &records);
            }
            story
        }
        Material::Nothing => "nothing to damage".to_owned(),
    }
}

/// Damages bytes in one place; answers what was done.
pub(super) fn bytes(bytes: &mut Vec<u8>, rng: &mut Rng) -> String {
    let below = |rng: &mut Rng, len: usize| usize::try_from(rng.below(len as u64)).unwrap_or(0);
    let at = below(rng, bytes.len());
    let odd = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff];
    match (rng.below(10), bytes.get_mut(at)) {
        (0, _) => {
            bytes.truncate(at);
            format!("cut to {at} bytes")
        }
        (1, _) => {
            let byte = rng.next().to_le_bytes()[0];
            bytes.insert(at, byte);
            format!("{byte:02x} inserted at {at}")
        }
        (2, Some(_)) => {
            bytes.remove(at);
            format!("byte {at} removed")
        }
        (3, Some(_)) => {
            let end = (at + below(rng, 64) + 1).min(bytes.len());
            bytes[at..end].fill(0);
            format!("bytes {at} to {end} zeroed")
        }
        (4, Some(byte)) => {
            *byte = rng.pick(&odd).copied().unwrap_or_default();
            format!("byte {at} set to {byte:02x}")
        }
        (_, Some(byte)) => {
            let bit = rng.below(8);
            *byte ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        (_, None) => {
            bytes.push(0);
            "a zero appended".to_owned()
        }
    }
}

/// Where the records of a file begin and end, before it is damaged.
fn records(family: &str, file: &[u8]) -> Vec<(usize, usize)> {
    let len_at = |at: usize, field: usize, more: usize| {
        let length = file.get(at + field..)?.first_chunk().copied().map(u32::from_le_bytes)?;
        usize::try_from(length).ok()?.checked_add(more)
    };
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let len = match family {
            families::WAL_LOG | families::WAL_RECORD => {
                let is_record = file.get(at..).is_some_and(|rest| rest.starts_with(b"EWAL"));
                len_at(at, 7, LOG_HEADER_LEN + CRC_LEN).filter(|_| is_record)
            }
            families::SEGMENT | families::SEGMENT_RECORD => len_at(at, 0, 0),
            families::MANIFEST => Some(file.len()),
            _ => None,
        };
        match len.filter(|len| *len > CRC_LEN && at + len <= file.len()) {
            Some(len) => found.push((at, at + len)),
            None => return found,
        }
        at = found.last().map_or(file.len(), |(_, end)| *end);
    }
}

/// Gives every record the CRC that its bytes now have.
fn reseal(family: &str, file: &mut [u8], records: &[(usize, usize)]) -> String {
    let end = file.len();
    let whole = [(0, end)];
    let records = if family == families::MANIFEST { &whole[..] } else { records };
    for (start, end) in records {
        if let Some(record) = file.get_mut(*start..*end).filter(|record| record.len() > CRC_LEN) {
            let (covered, sum) = record.split_at_mut(record.len() - CRC_LEN);
            sum.copy_from_slice(&crc32(covered).to_le_bytes());
        }
    }
    ", resealed".to_owned()
}

/// The digest that MANIFEST would list for these records, as far as there are any.
fn digest(file: &[u8]) -> [u8; 32] {
    let (mut rest, mut crcs) = (file, Vec::new());
    while let Ok((_, len)) = segment::decode(rest) {
        crcs.extend_from_slice(&rest[len - CRC_LEN..len]);
        rest = &rest[len..];
    }
    Sha256::digest(&crcs).into()
}
