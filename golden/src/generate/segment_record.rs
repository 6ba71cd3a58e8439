//! Single records of a segment.

use serde_json::Value as Json;

use super::literal::notation;
use super::rows::Rows;
use crate::file::Entry;
use crate::layout::{CRC_LEN, SegmentRecord, segment_record, with_crc};

const SOURCE: &str = "docs/format.md, 3";
/// Bytes of the shortest record.
const OVERHEAD: u32 = 37;
/// Where the flags stand.
const FLAGS_AT: usize = 24;

pub(super) fn entries() -> Vec<Entry> {
    [contents(), followed(), short(), flipped(), resealed()]
        .into_iter()
        .flat_map(Rows::finish)
        .collect()
}

fn record(collection: u32, entity: u8, sequence: u64, payload: Option<&[u8]>) -> SegmentRecord {
    SegmentRecord {
        collection,
        entity: [entity; 16],
        sequence,
        payload: payload.unwrap_or_default().to_vec(),
        tombstone: payload.is_none(),
    }
}

fn bytes(record: &SegmentRecord) -> Vec<u8> {
    // Payloads of vectors are far below the field's limit.
    segment_record(record).unwrap_or_default()
}

fn value(record: &SegmentRecord) -> Json {
    let mut value = notation(record);
    value["length"] = bytes(record).len().to_string().into();
    value
}

fn samples() -> [(&'static str, SegmentRecord); 2] {
    [
        ("entity", record(1, 0x11, 5, Some(b"\xa1\x61v\x01"))),
        ("tombstone", record(2, 0x22, 6, None)),
    ]
}

fn contents() -> Rows {
    let mut rows = Rows::new("content", SOURCE);
    let mut add = |id: String, meaning: &str, record: &SegmentRecord| {
        rows.accept(id, meaning, &bytes(record), value(record));
    };
    for len in [0, 1, 23, 24, 255, 256, 1000] {
        let content = vec![0x5a; len];
        let record = record(1, 0, 1, Some(&content));
        add(format!("length-{len:04}"), "a content, which no record looks into", &record);
    }
    for (name, content) in [("entity", Some(&b"\xa0"[..])), ("tombstone", None)] {
        add(format!("{name}-zero"), "the smallest numbers", &record(0, 0, 0, content));
        let greatest = record(u32::MAX, 0xff, u64::MAX, content);
        add(format!("{name}-max"), "the greatest numbers", &greatest);
        let ordered = record(0x0403_0201, 0, 0x0807_0605_0403_0201, content);
        add(format!("{name}-bytes"), "every byte of a number has its place", &ordered);
    }
    rows
}

fn followed() -> Rows {
    let mut rows = Rows::new("followed", SOURCE);
    for (name, record) in samples() {
        let bytes = bytes(&record);
        for (suffix, after) in [("zeros", &[0; 64][..]), ("itself", &bytes), ("one-byte", b"*")] {
            let all = [&bytes, after].concat();
            let meaning = "what follows a record is not its own";
            rows.accept(format!("{name}-{suffix}"), meaning, &all, value(&record));
        }
    }
    rows
}

fn short() -> Rows {
    let mut rows = Rows::new("short", SOURCE);
    for (name, record) in samples() {
        let bytes = bytes(&record);
        for len in [0, 1, 3, 4, 5, 8, 24, 25, bytes.len() - CRC_LEN, bytes.len() - 1] {
            let meaning = format!("the first {len} of {} bytes", bytes.len());
            rows.reject(format!("{name}-{len:03}"), meaning, &bytes[..len], "short");
        }
    }
    rows
}

fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", SOURCE);
    for (name, record) in samples() {
        for (at, bit) in (0..bytes(&record).len()).zip((0..8).cycle()) {
            let mut bytes = bytes(&record);
            bytes[at] ^= 1 << bit;
            let length = bytes[..4].iter().rev().fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
            let class = match length {
                ..OVERHEAD => "length",
                _ if length as usize > bytes.len() => "short",
                _ => "crc",
            };
            let meaning = format!("bit {bit} of byte {at} is flipped");
            rows.reject(format!("{name}-{at:03}"), meaning, &bytes, class);
        }
    }
    rows
}

/// Records whose CRC is right and something else is wrong.
fn resealed() -> Rows {
    let mut rows = Rows::new("resealed", SOURCE);
    for (name, record) in samples() {
        let covered = |flags| {
            let mut bytes = bytes(&record);
            bytes.truncate(bytes.len() - CRC_LEN);
            bytes[FLAGS_AT] = flags;
            with_crc(bytes)
        };
        for flags in [2, 3, 0x80, 0xff] {
            let id = format!("{name}-flags-{flags:02x}");
            rows.reject(id, "flags this version does not know", &covered(flags), "flags");
        }
        for length in [0, 4, OVERHEAD - 1] {
            let mut bytes = bytes(&record);
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            let id = format!("{name}-length-{length:02}");
            rows.reject(id, "shorter than the shortest record", &bytes, "length");
        }
        let mut bytes = bytes(&record);
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        rows.reject(format!("{name}-length-max"), "longer than the bytes", &bytes, "short");
    }
    let mut entity = bytes(&samples()[0].1);
    entity.truncate(entity.len() - CRC_LEN);
    entity[FLAGS_AT] = 1;
    rows.reject("tombstone-with-content", "a tombstone has none", &with_crc(entity), "flags");
    let meaning = "a tombstone's flag cleared is an entity without content";
    let mut tombstone = bytes(&samples()[1].1);
    tombstone.truncate(tombstone.len() - CRC_LEN);
    tombstone[FLAGS_AT] = 0;
    let empty = record(2, 0x22, 6, Some(b""));
    rows.accept("entity-without-content", meaning, &with_crc(tombstone), value(&empty));
    rows
}
