//! Names of files and collections, and the order of keys.

use serde_json::json;

use super::rows::Rows;
use crate::file::Entry;

pub(super) fn entries() -> Vec<Entry> {
    let rows = [files(), foreign_files(), collections(), order(), identities()];
    rows.into_iter().flat_map(Rows::finish).collect()
}

fn files() -> Rows {
    let mut rows = Rows::new("file-name", "docs/format.md, 1");
    for name in ["MANIFEST", "MANIFEST.tmp", "wal.log", "LOCK"] {
        let meaning = "a fixed name";
        rows.accept(name.to_lowercase(), meaning, name.as_bytes(), json!({ "file": name }));
    }
    for number in [1, 9, 10, 999_999, 1_000_000, u64::from(u32::MAX)] {
        let value = json!({ "wal": number.to_string() });
        let name = format!("wal-{number:06}.log");
        rows.accept(format!("wal-{number}"), "a log by its number", name.as_bytes(), value);
    }
    for number in [1, 42, 999_999, 1_000_000, u64::from(u32::MAX) + 1, u64::MAX] {
        let value = json!({ "segment": number.to_string() });
        let name = format!("SEGMENTS/seg-{number:06}.dat");
        rows.accept(format!("segment-{number}"), "a segment by its number", name.as_bytes(), value);
    }
    for number in [1, u64::MAX] {
        let value = json!({ "sidecar": number.to_string() });
        let name = format!("INDEX/seg-{number:06}.idx");
        rows.accept(format!("sidecar-{number}"), "a segment's sidecar", name.as_bytes(), value);
    }
    for (id, name, value) in [
        ("wal-0", "wal-000000.log", json!({ "wal": "0" })),
        ("segment-0", "SEGMENTS/seg-000000.dat", json!({ "segment": "0" })),
    ] {
        let meaning = "the form of a number no file gets, and still a name of ours";
        rows.accept(id, meaning, name.as_bytes(), value);
    }
    rows
}

fn foreign_files() -> Rows {
    let mut rows = Rows::new("file-name", "docs/format.md, 1: exactly of these forms");
    for (id, name, meaning) in [
        ("empty", "", "no name at all"),
        ("short-number", "wal-00001.log", "five digits"),
        ("long-number", "wal-0000001.log", "a needless zero"),
        ("sign", "wal-+00001.log", "a sign"),
        ("minus", "wal--00001.log", "a sign"),
        ("blank", "wal- 00001.log", "a blank"),
        ("hexadecimal", "wal-00000a.log", "no decimal digit"),
        ("arabic-digits", "wal-٠٠٠٠٠١.log", "digits, though not of ASCII"),
        ("above-u32", "wal-4294967296.log", "above the numbers of logs"),
        ("suffix", "wal-000001.log.bak", "something after it"),
        ("prefix", "awal-000001.log", "something before it"),
        ("upper-case", "WAL-000001.LOG", "case counts"),
        ("manifest-lower", "manifest", "case counts"),
        ("manifest-suffix", "MANIFEST.bak", "something after it"),
        ("manifest-blank", "MANIFEST ", "a blank after it"),
        ("segment-above", "seg-000001.dat", "a segment outside SEGMENTS"),
        ("segment-short", "SEGMENTS/seg-1.dat", "one digit"),
        ("segment-long", "SEGMENTS/seg-0000001.dat", "a needless zero"),
        ("segment-above-u64", "SEGMENTS/seg-18446744073709551616.dat", "above all numbers"),
        ("segment-extension", "SEGMENTS/seg-000001.tmp", "another kind"),
        ("sidecar-in-segments", "SEGMENTS/seg-000001.idx", "a sidecar in SEGMENTS"),
        ("segment-in-index", "INDEX/seg-000001.dat", "a segment in INDEX"),
        ("wal-in-segments", "SEGMENTS/wal-000001.log", "a log in SEGMENTS"),
        ("segments-lower", "segments/seg-000001.dat", "case counts"),
        ("notes", "notes.txt", "something else"),
    ] {
        rows.reject(id, meaning, name.as_bytes(), "foreign");
    }
    rows.reject("not-utf8", "no text", b"wal-\xff00001.log", "foreign");
    rows
}

fn collections() -> Rows {
    let mut rows = Rows::new("collection-name", "docs/format.md, 2: collections");
    let longest = "n".repeat(255);
    let (wide, blanks) = ("\u{1f4d6}".repeat(63), "\u{00e9}\u{0301}");
    for (id, name, meaning) in [
        ("one-byte", "a", "the shortest"),
        ("longest", longest.as_str(), "255 bytes"),
        ("wide", wide.as_str(), "252 bytes, 63 characters"),
        ("blank", " ", "a blank is a character"),
        ("zero", "\0", "so is zero"),
        ("slash", "a/../b", "names of collections are no paths"),
        ("not-normalised", blanks, "text is not normalised"),
        ("quote", "\"\\", "what JSON escapes"),
        ("line-feed", "a\nb", "a line feed"),
        ("byte-order-mark", "\u{feff}a", "a mark is a character"),
    ] {
        rows.accept(id, meaning, name.as_bytes(), json!({ "collection": name }));
    }
    for (id, name, meaning) in [
        ("empty", &b""[..], "no bytes"),
        ("too-long", &[b'n'; 256], "256 bytes"),
        ("surrogate", b"\xed\xa0\x80", "an encoded surrogate"),
        ("overlong", b"\xc0\xaf", "an overlong form"),
        ("cut", b"a\xc3", "cut inside a character"),
        ("lone", b"\x80", "a lone continuation byte"),
        ("above-unicode", b"\xf4\x90\x80\x80", "above U+10FFFF"),
    ] {
        rows.reject(id, meaning, name, "invalid");
    }
    rows
}

fn order() -> Rows {
    let mut rows =
        Rows::new("key-order", "docs/format.md, 3: collection as a number, entity as bytes");
    let entity = |first: u8, last: u8| {
        let mut id = [0; 16];
        (id[0], id[15]) = (first, last);
        id
    };
    for (id, meaning, keys, order) in [
        (
            "collection-is-a-number",
            "256 is above 1, though its first byte is below",
            vec![(256, entity(0, 0)), (1, entity(0, 0))],
            [1, 0].as_slice(),
        ),
        (
            "collection-has-no-sign",
            "the greatest number is above 1",
            vec![(u32::MAX, entity(0, 0)), (1, entity(0, 0))],
            &[1, 0],
        ),
        (
            "entity-is-bytes",
            "the first byte decides, not the last",
            vec![(1, entity(1, 0)), (1, entity(0, 1))],
            &[1, 0],
        ),
        (
            "entity-has-no-sign",
            "80 is above 7f",
            vec![(1, entity(0x80, 0)), (1, entity(0x7f, 0xff))],
            &[1, 0],
        ),
        (
            "collection-first",
            "the collection decides before the entity",
            vec![(2, entity(0, 0)), (1, entity(0xff, 0xff))],
            &[1, 0],
        ),
        (
            "middle-byte",
            "every byte counts",
            vec![(1, [1; 16]), (1, entity(1, 0)), (1, [0; 16]), (1, [0xff; 16])],
            &[2, 1, 0, 3],
        ),
    ] {
        let bytes = joined(&keys);
        let order: Vec<_> = order.iter().map(ToString::to_string).collect();
        rows.accept(id, meaning, &bytes, json!({ "order": order }));
    }
    rows.reject("cut", "the last key is cut short", &[0; 39], "invalid");
    rows
}

/// Keys, one behind the other.
fn joined(keys: &[(u32, [u8; 16])]) -> Vec<u8> {
    keys.iter()
        .flat_map(|(collection, entity)| collection.to_le_bytes().into_iter().chain(*entity))
        .collect()
}

/// Identities alone: any 16 bytes are one, no more and no fewer.
fn identities() -> Rows {
    let mut rows = Rows::new("key-order", "docs/format.md, 3: entity");
    let (zero, full) = ([0; 16], [0xff; 16]);
    let one_bit = (0..16).map(|at| {
        let mut id = zero;
        id[at] = 1;
        id
    });
    let bits: Vec<_> = one_bit.collect();
    let upward: Vec<_> = [0, 1, 0x7f, 0x80, 0xfe, 0xff].map(|byte| [byte; 16]).into();
    for (id, meaning, ids, order) in [
        ("identity-zero", "all bits zero is an identity", vec![zero], vec![0]),
        ("identity-full", "all bits one is an identity", vec![full], vec![0]),
        ("identity-ends", "the greatest and the least", vec![full, zero], vec![1, 0]),
        ("identity-each-byte", "every byte counts, the first most", bits, (0..16).rev().collect()),
        ("identity-ascending", "bytes have no sign", upward, (0..6).collect()),
    ] {
        let keys: Vec<_> = ids.into_iter().map(|id| (1, id)).collect();
        let order: Vec<_> = order.iter().map(i32::to_string).collect();
        rows.accept(id, meaning, &joined(&keys), json!({ "order": order }));
    }
    for (id, meaning, len) in [
        ("identity-none", "a collection and no identity", 4),
        ("identity-cut", "an identity of 15 bytes", 19),
        ("identity-long", "an identity of 17 bytes", 21),
    ] {
        rows.reject(id, meaning, &vec![0x2d; len], "invalid");
    }
    rows
}
