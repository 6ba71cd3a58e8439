//! Known answers of the two checksums.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::rows::Rows;
use crate::file::Entry;
use crate::layout::crc32;

pub(super) fn entries() -> Vec<Entry> {
    [published(), lengths(), runs()].into_iter().flat_map(Rows::finish).collect()
}

/// What the standards themselves state.
fn published() -> Rows {
    let mut rows = Rows::new("published", "FIPS 180-4; ISO 3309, check value of CRC-32");
    for (id, bytes) in [
        ("empty", &b""[..]),
        ("check-value", b"123456789"),
        ("abc", b"abc"),
        ("two-blocks", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        ("fox", b"The quick brown fox jumps over the lazy dog"),
    ] {
        push(&mut rows, id.to_owned(), "a known answer", bytes);
    }
    rows
}

/// Lengths around the borders of words, and of SHA-256's blocks and their padding.
fn lengths() -> Rows {
    let mut rows = Rows::new("length", "FIPS 180-4 §5.1.1; docs/format.md, introduction");
    let borders = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65];
    for len in borders.into_iter().chain([111, 119, 120, 127, 128, 129, 255, 256, 257, 511, 512]) {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        push(&mut rows, format!("{len:03}"), "a length at a border", &bytes);
    }
    rows
}

/// Bytes that a mistaken initial value or final XOR would not tell apart.
fn runs() -> Rows {
    let mut rows = Rows::new("run", "docs/format.md, introduction");
    for byte in [0x00, 0xff, 0x80, 0x01] {
        for len in [1_usize, 4, 32, 4096] {
            push(&mut rows, format!("{byte:02x}-{len:04}"), "one byte, repeated", &vec![byte; len]);
        }
    }
    rows
}

fn push(rows: &mut Rows, id: String, meaning: &str, bytes: &[u8]) {
    let value = json!({
        "crc32": format!("{:08x}", crc32(bytes)),
        "sha256": hex::encode(Sha256::digest(bytes)),
    });
    rows.accept(id, meaning, bytes, value);
}
