//! Whole segments.

use serde_json::{Value as Json, json};

use super::build::{Write, delete, put, sealed, segment};
use super::literal::notation;
use super::rows::Rows;
use crate::file::Entry;
use crate::layout::{Hash, SegmentInfo, SegmentRecord};

const SOURCE: &str = "docs/format.md, 3";
/// The last sequence in segments, where no other is given.
const LAST: u64 = 9;

pub(super) fn entries() -> Vec<Entry> {
    [clean(), order(), sequences(), listed(), flipped(), cut()]
        .into_iter()
        .flat_map(Rows::finish)
        .collect()
}

fn given(info: &SegmentInfo, last_checkpoint: u64) -> Json {
    let mut given = notation(info);
    given["last_checkpoint"] = last_checkpoint.to_string().into();
    if let Some(fields) = given.as_object_mut() {
        fields.remove("id");
    }
    given
}

/// Four records of two collections, one of them a tombstone.
fn sample() -> Vec<SegmentRecord> {
    vec![
        sealed(put(1, 0x11, 31), 3),
        sealed(delete(1, 0x22), 5),
        sealed(put(1, 0x80, 41), 9),
        sealed(put(2, 0x11, 51), 4),
    ]
}

/// Records that stand in a segment as they are listed.
fn accept(rows: &mut Rows, id: &str, meaning: &str, records: &[SegmentRecord], last: u64) {
    let (bytes, info) = segment(1, records);
    let value = json!({ "records": records.iter().map(notation).collect::<Vec<_>>() });
    rows.accept(id, meaning, &bytes, value).given = Some(given(&info, last));
}

/// Records that no segment can hold.
fn reject(rows: &mut Rows, id: &str, meaning: &str, records: &[SegmentRecord], last: u64) {
    let (bytes, info) = segment(1, records);
    rows.reject(id, meaning, &bytes, "corrupt").given = Some(given(&info, last));
}

fn clean() -> Rows {
    let mut rows = Rows::new("clean", SOURCE);
    accept(&mut rows, "one", "one record", &[sealed(put(1, 0, 31), 1)], LAST);
    accept(&mut rows, "tombstone", "one tombstone", &[sealed(delete(1, 0), 1)], LAST);
    accept(&mut rows, "sample", "records of two collections", &sample(), LAST);
    let many: Vec<_> = (0..40).map(|entity| sealed(put(7, entity, entity), 1)).collect();
    accept(&mut rows, "forty", "more records than a sidecar has slots in a block", &many, LAST);
    let long: Write = (1, [0; 16], Some([&[0x59, 8, 0][..], &[0x5a; 2048]].concat()));
    accept(&mut rows, "long", "a long content", &[sealed(long, 1)], LAST);
    let meaning = "what a content is, a segment does not ask";
    let odd: Write = (1, [0; 16], Some(vec![0xff, 0x00]));
    accept(&mut rows, "any-content", meaning, &[sealed(odd, 1)], LAST);
    let empty: Write = (1, [0; 16], Some(Vec::new()));
    accept(&mut rows, "empty-content", meaning, &[sealed(empty, 1)], LAST);
    let collections = [sealed(put(0, 0, 31), 1), sealed(put(u32::MAX, 0xff, 32), 1)];
    accept(&mut rows, "any-collection", "collections that no store has", &collections, LAST);
    rows
}

fn order() -> Rows {
    let mut rows = Rows::new("order", SOURCE);
    let meaning = "collections are numbers, entities are bytes";
    let numbers = [sealed(put(1, 0xff, 31), 1), sealed(put(256, 0, 32), 1)];
    accept(&mut rows, "numbers", meaning, &numbers, LAST);
    let bytes = [sealed(put(1, 0x7f, 31), 1), sealed(put(1, 0x80, 32), 1)];
    accept(&mut rows, "bytes", meaning, &bytes, LAST);
    for (id, meaning, a, b) in [
        ("entities-descend", "entities out of order", put(1, 0x22, 31), put(1, 0x11, 32)),
        ("collections-descend", "collections out of order", put(2, 0x11, 31), put(1, 0x22, 32)),
        ("bytes-descend", "80 is above 7f", put(1, 0x80, 31), put(1, 0x7f, 32)),
        ("numbers-descend", "256 is above 1", put(256, 0, 31), put(1, 0, 32)),
        ("key-twice", "an entity twice", put(1, 0x11, 31), put(1, 0x11, 32)),
    ] {
        reject(&mut rows, id, meaning, &[sealed(a.clone(), 1), sealed(b.clone(), 2)], LAST);
    }
    let mut swapped = sample();
    swapped.swap(2, 3);
    reject(&mut rows, "last-two", "the last two records out of order", &swapped, LAST);
    rows
}

fn sequences() -> Rows {
    let mut rows = Rows::new("sequence", SOURCE);
    let one = |sequence| [sealed(put(1, 0x11, 31), sequence)];
    accept(&mut rows, "last", "as new as the last checkpoint", &one(LAST), LAST);
    accept(&mut rows, "max", "the greatest number", &one(u64::MAX), u64::MAX);
    reject(&mut rows, "zero", "no commit has number 0", &one(0), LAST);
    reject(&mut rows, "above", "newer than the last checkpoint", &one(LAST + 1), LAST);
    reject(&mut rows, "max-above", "newer than the last checkpoint", &one(u64::MAX), LAST);
    reject(&mut rows, "no-checkpoint", "a record where nothing was sealed", &one(1), 0);
    let mut sample = sample();
    sample[3].sequence = 0;
    reject(&mut rows, "zero-last", "no commit has number 0, in whatever record", &sample, LAST);
    rows
}

/// What MANIFEST says of the segment is not what it is.
fn listed() -> Rows {
    let mut rows = Rows::new("listed", "docs/format.md, 2 and 3");
    let (bytes, info) = segment(1, &sample());
    let mut add = |id: &str, meaning: &str, bytes: &[u8], info: SegmentInfo| {
        rows.reject(id, meaning, bytes, "corrupt").given = Some(given(&info, LAST));
    };
    for (id, len) in [("longer", info.len + 1), ("shorter", info.len - 1), ("no-length", 0)] {
        add(id, "another length is listed", &bytes, SegmentInfo { len, ..info });
    }
    for (id, records) in [("more-records", 5), ("fewer-records", 3), ("no-records", 0)] {
        add(id, "another number of records is listed", &bytes, SegmentInfo { records, ..info });
    }
    for at in [0, 15, 31] {
        let mut digest = info.digest;
        digest.0[at] ^= 1;
        let info = SegmentInfo { digest, ..info };
        add(&format!("digest-{at:02}"), "another digest is listed", &bytes, info);
    }
    let mut other = sample();
    other[2].payload[4] += 1;
    add("exchanged", "valid, and another segment than is listed", &segment(1, &other).0, info);
    let after = [bytes.as_slice(), &[0; 37]].concat();
    add("zeros-after", "zeros after the last record", &after, info);
    let len = info.len + 37;
    add("zeros-listed", "zeros after the last record, listed", &after, SegmentInfo { len, ..info });
    add("no-bytes", "an empty file", b"", info);
    rows
}

fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", SOURCE);
    let (bytes, info) = segment(1, &sample());
    for (at, bit) in (0..bytes.len()).step_by(3).zip((0..8).cycle()) {
        let mut file = bytes.clone();
        file[at] ^= 1 << bit;
        let meaning = format!("bit {bit} of byte {at} is flipped");
        let entry = rows.reject(format!("{at:03}"), meaning, &file, "corrupt");
        entry.given = Some(given(&info, LAST));
    }
    rows
}

/// A shorter file, listed with its new length, and with the digest of what is whole.
fn cut() -> Rows {
    let mut rows = Rows::new("cut", SOURCE);
    let (bytes, info) = segment(1, &sample());
    for len in [1, 3, 4, 36, 41, 42, 78, bytes.len() - 1] {
        let meaning = "the file ends inside a record, and its length is listed so";
        let listed = SegmentInfo { len: len as u64, ..info };
        let entry = rows.reject(format!("{len:03}"), meaning, &bytes[..len], "corrupt");
        entry.given = Some(given(&listed, LAST));
    }
    let hollow =
        SegmentInfo { len: 0, records: 0, digest: Hash(segment(1, &[]).1.digest.0), ..info };
    let entry = rows.reject("empty", "a segment without records", b"", "corrupt");
    entry.given = Some(given(&hollow, LAST));
    rows
}
