//! Single records of a write-ahead log.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::literal::notation;
use super::rows::Rows;
use crate::file::Entry;
use crate::layout::{
    Hash, LOG_HEADER_LEN, LogBody, LogKey, LogRecord, log_envelope, log_record, with_crc,
};

const SOURCE: &str = "docs/format.md, 4";
/// The longest payload that is read.
const PAYLOAD_LEN_MAX: u32 = (64 << 20) + 128;

pub(super) fn entries() -> Vec<Entry> {
    [kinds(), stamps(), followed(), short(), flipped(), resealed(), version_1()]
        .into_iter()
        .flat_map(Rows::finish)
        .collect()
}

/// A record's fields and its length, as they are noted.
pub(super) fn value(record: &LogRecord) -> Json {
    let mut value = notation(record);
    value["length"] = log_record(record).len().to_string().into();
    value
}

fn key(txid: u64, collection: u32, entity: u8) -> LogKey {
    LogKey { txid, collection, entity: [entity; 16], before: None }
}

/// One record of each kind that a log of this format holds, with its name.
fn samples() -> [(&'static str, LogRecord); 5] {
    let record = |offset, record| LogRecord { generation: 7, offset, synced_to: 2, record };
    let content = b"\xa1\x61v\x19\x01\x00".to_vec();
    [
        ("begin", record(51, LogBody::Begin { txid: 3 })),
        ("put", record(94, LogBody::Put { key: key(3, 1, 0x11), content })),
        ("delete", record(168, LogBody::Delete(key(3, 2, 0x22)))),
        ("commit", record(232, LogBody::Commit { txid: 3, sequence: 3 })),
        ("checkpoint", record(0, LogBody::Checkpoint { cut: 2, reserved: 4096 })),
    ]
}

fn kinds() -> Rows {
    let mut rows = Rows::new("kind", SOURCE);
    let mut add = |id: &str, meaning: &str, record| {
        let record = LogRecord { generation: 1, offset: 51, synced_to: 0, record };
        rows.accept(id, meaning, &log_record(&record), value(&record));
    };
    for (name, number) in [("1", 1), ("max", u64::MAX)] {
        add(&format!("begin-{name}"), "a transaction begins", LogBody::Begin { txid: number });
        let commit = LogBody::Commit { txid: number, sequence: number };
        add(&format!("commit-{name}"), "it commits", commit);
        let checkpoint = LogBody::Checkpoint { cut: number - 1, reserved: number };
        add(&format!("checkpoint-{name}"), "a log begins", checkpoint);
    }
    for len in [0, 1, 23, 24, 255, 256, 1000] {
        let put = LogBody::Put { key: key(1, 1, 0), content: vec![0x5a; len] };
        add(&format!("put-{len}"), "an entity's content, which no record looks into", put);
    }
    let extreme = key(u64::MAX, u32::MAX, 0xff);
    add("put-extreme", "the greatest numbers", LogBody::Put { key: extreme, content: vec![0xa0] });
    add("delete", "an entity is deleted", LogBody::Delete(key(1, 1, 0)));
    add("delete-extreme", "the greatest numbers", LogBody::Delete(key(u64::MAX, u32::MAX, 0xff)));
    let hashed = || LogKey { before: Some(Hash([0xab; 32])), ..key(1, 1, 0) };
    let meaning = "a valid record with a hash, which no log of this format holds";
    add("put-hash", meaning, LogBody::Put { key: hashed(), content: vec![0xa0] });
    add("delete-hash", meaning, LogBody::Delete(hashed()));
    add("abort", "a valid record, which no log of this format holds", LogBody::Abort { txid: 1 });
    add(
        "commit-other",
        "txid and sequence are two fields",
        LogBody::Commit { txid: 1, sequence: 2 },
    );
    rows
}

fn stamps() -> Rows {
    let mut rows = Rows::new("stamp", SOURCE);
    for (id, generation, offset, synced_to) in [
        ("zero", 0, 0, 0),
        ("max", u32::MAX, u64::MAX, u64::MAX),
        ("generation", 0x0403_0201, 0, 0),
        ("offset", 1, 0x0807_0605_0403_0201, 0),
        ("synced-to", 1, 0, 0x0807_0605_0403_0201),
    ] {
        let record =
            LogRecord { generation, offset, synced_to, record: LogBody::Begin { txid: 1 } };
        rows.accept(id, "every field of the stamp", &log_record(&record), value(&record));
    }
    rows
}

fn followed() -> Rows {
    let mut rows = Rows::new("followed", SOURCE);
    for (name, record) in samples() {
        let bytes = log_record(&record);
        for (suffix, after) in [("zeros", &[0; 64][..]), ("itself", &bytes), ("one-byte", b"E")] {
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
        let bytes = log_record(&record);
        let borders = [0, 1, 3, 4, 6, 7, 10, 11, 15, 23, 31, 39, 43, 59];
        let ends = [bytes.len() - 4, bytes.len() - 1];
        let lengths: BTreeSet<_> = borders.into_iter().chain(ends).collect();
        for len in lengths.into_iter().filter(|len| *len < bytes.len()) {
            let id = format!("{name}-{len:03}");
            let meaning = format!("the first {len} of {} bytes", bytes.len());
            rows.reject(id, meaning, &bytes[..len], "short");
        }
    }
    let meaning = "too short to see that it is none";
    rows.reject("other-magic", meaning, b"XXXX\x02\0\x01\x08\0\0", "short");
    rows
}

/// The class of bytes whose length field may have changed, by that field alone.
fn class(bytes: &[u8]) -> &'static str {
    let length =
        bytes[7..LOG_HEADER_LEN].iter().rev().fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
    let whole = LOG_HEADER_LEN + length as usize + 4;
    if length <= PAYLOAD_LEN_MAX && whole > bytes.len() { "short" } else { "invalid" }
}

fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", SOURCE);
    for (name, record) in samples() {
        for (at, bit) in (0..log_record(&record).len()).zip((0..8).cycle()) {
            let mut bytes = log_record(&record);
            bytes[at] ^= 1 << bit;
            let meaning = format!("bit {bit} of byte {at} is flipped");
            rows.reject(format!("{name}-{at:03}"), meaning, &bytes, class(&bytes));
        }
    }
    rows
}

/// Records whose CRC is right and something else is wrong.
fn resealed() -> Rows {
    let mut rows = Rows::new("resealed", SOURCE);
    let payload = |record: &LogRecord| {
        let bytes = log_record(record);
        bytes[LOG_HEADER_LEN..bytes.len() - 4].to_vec()
    };
    for ((name, record), kind) in samples().into_iter().zip([1, 2, 3, 4, 6]) {
        let fields = payload(&record);
        let long = [fields.as_slice(), &[0]].concat();
        let cut = &fields[..fields.len() - 1];
        let meaning = "the fields end before the payload does";
        rows.reject(format!("{name}-long"), meaning, &log_envelope(2, kind, &long), "invalid");
        let meaning = "the payload ends before the fields do";
        rows.reject(format!("{name}-cut"), meaning, &log_envelope(2, kind, cut), "invalid");
        for version in [0, 3, 0x0102] {
            let bytes = log_envelope(version, kind, &fields);
            rows.reject(format!("{name}-version-{version}"), "no such version", &bytes, "invalid");
        }
        rows.reject(
            format!("{name}-empty"),
            "no payload at all",
            &log_envelope(2, kind, &[]),
            "invalid",
        );
    }
    let [(_, begin), (_, put), (_, delete), ..] = samples();
    for kind in [0, 7, 8, 0x7f, 0xff] {
        let bytes = log_envelope(2, kind, &payload(&begin));
        rows.reject(format!("type-{kind}"), "no such type", &bytes, "invalid");
    }
    for (name, kind, record) in [("put", 2, &put), ("delete", 3, &delete)] {
        for has_hash in [1, 2, 0xff] {
            let mut fields = payload(record);
            fields[20 + 28] = has_hash;
            let meaning = "has_hash is 0, or 1 with 32 bytes after it";
            let bytes = log_envelope(2, kind, &fields);
            rows.reject(format!("{name}-has-hash-{has_hash}"), meaning, &bytes, "invalid");
        }
    }
    for len in [0_u8, 5, 7] {
        let mut fields = payload(&put);
        fields[20 + 29] = len;
        let meaning = "the length of the content is not what is left";
        rows.reject(format!("put-len-{len}"), meaning, &log_envelope(2, 2, &fields), "invalid");
    }
    let mut magic = log_record(&begin);
    magic.truncate(magic.len() - 4);
    magic[0] = b'e';
    rows.reject("magic", "another magic number", &with_crc(magic), "invalid");
    for (id, length) in [("length-above", PAYLOAD_LEN_MAX + 1), ("length-max", u32::MAX)] {
        let mut bytes = log_record(&begin);
        bytes[7..11].copy_from_slice(&length.to_le_bytes());
        rows.reject(id, "a payload longer than any that is read", &bytes, "invalid");
    }
    let mut bytes = log_record(&begin);
    bytes[7..11].copy_from_slice(&PAYLOAD_LEN_MAX.to_le_bytes());
    rows.reject("length-longest", "the longest payload that is read", &bytes, "short");
    rows
}

/// Records of `EntiDB`'s own log, which this format knows and never holds.
fn version_1() -> Rows {
    let mut rows = Rows::new("version-1", "docs/format.md, 4: version 1");
    let key: Vec<u8> = [&1_u64.to_le_bytes()[..], &1_u32.to_le_bytes(), &[0x11; 16]].concat();
    let hash = [0xab; 32];
    let empty = 0_u32.to_le_bytes();
    let put = [&key, &[0][..], &empty].concat();
    let put_hash = [&key, &[1][..], &hash, &empty].concat();
    for (id, kind, payload) in [
        ("begin", 1, 1_u64.to_le_bytes().to_vec()),
        ("put", 2, put),
        ("put-hash", 2, put_hash),
        ("delete", 3, [&key, &[0][..]].concat()),
        ("delete-hash", 3, [&key, &[1][..], &hash].concat()),
        ("commit", 4, [1_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat()),
        ("abort", 5, 1_u64.to_le_bytes().to_vec()),
        ("checkpoint", 6, 1_u64.to_le_bytes().to_vec()),
    ] {
        rows.reject(id, "valid, and of version 1", &log_envelope(1, kind, &payload), "version-1");
    }
    let stamped = log_record(&samples()[0].1);
    let payload = &stamped[LOG_HEADER_LEN..stamped.len() - 4];
    let meaning = "a stamp in a record of version 1";
    rows.reject("stamped", meaning, &log_envelope(1, 1, payload), "invalid");
    let meaning = "a record of version 2 without a stamp";
    let bytes = log_envelope(2, 1, &1_u64.to_le_bytes());
    rows.reject("not-stamped", meaning, &bytes, "invalid");
    rows
}
