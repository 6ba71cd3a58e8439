use super::encode::checksum;
use super::{MAGIC, Tag, VERSION, read_trace, write_trace};

/// A file of these payloads, each well framed: only what they say can be wrong.
fn file(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    for payload in payloads {
        let len = u32::try_from(payload.len()).unwrap().to_le_bytes();
        bytes.extend(len);
        bytes.extend(checksum(len, payload).to_le_bytes());
        bytes.extend(payload);
    }
    bytes
}

fn record(tag: Tag, numbers: &[u64], text: &str) -> Vec<u8> {
    let mut payload = vec![tag as u8];
    payload.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    payload.extend(text.as_bytes());
    payload
}

/// A trace with these records in its beginning and these operations.
fn trace(base: &[Vec<u8>], ops: &[Vec<u8>]) -> Vec<u8> {
    let mut payloads = vec![record(Tag::Head, &[0, 0], "")];
    payloads.extend(base.iter().cloned());
    payloads.push(record(Tag::Carried, &[], ""));
    payloads.push(record(Tag::Ops, &[], ""));
    payloads.extend(ops.iter().cloned());
    payloads.push(record(Tag::End, &[payloads.len() as u64], ""));
    file(&payloads)
}

#[track_caller]
fn refused(bytes: &[u8], reason: &str) {
    let error = read_trace(bytes).unwrap_err().to_string();
    assert!(error.starts_with("byte ") && error.ends_with(reason), "{error}");
}

#[test]
fn tags_are_the_numbers_of_their_names() {
    for tag in Tag::ALL {
        assert_eq!(Tag::of(*tag as u8), Some(*tag));
    }
    assert_eq!((0..=255).filter_map(Tag::of).count(), Tag::ALL.len());
}

#[test]
fn a_beginning_must_make_sense() {
    let dir = |ino| record(Tag::Dir, &[ino], "");
    let entry = |dir, ino, name| record(Tag::Entry, &[dir, ino], name);
    let small = record(Tag::File, &[5, 3], "");
    for (base, reason) in [
        (vec![dir(0)], "an inode twice"),
        (vec![dir(1 << 63)], "an inode number above 2^63 - 1"),
        (vec![dir(5), small.clone()], "an inode twice"),
        (vec![record(Tag::File, &[5, 1 << 63], "")], "a file larger than any"),
        (vec![record(Tag::Extent, &[0], "x")], "an extent of no file"),
        (vec![small.clone(), record(Tag::Extent, &[3], "x")], "past the end of its file"),
        (vec![small.clone(), record(Tag::Extent, &[u64::MAX], "x")], "past the end of its file"),
        (
            vec![small.clone(), record(Tag::Extent, &[0], "xy"), record(Tag::Extent, &[1], "z")],
            "an extent before the last one's end",
        ),
        (vec![entry(0, 5, "a")], "an entry of what is not there"),
        (vec![small.clone(), entry(0, 5, "a/b")], "not a name"),
        (vec![small.clone(), entry(0, 5, "..")], "not a name"),
        (vec![small.clone(), entry(0, 5, "a"), entry(0, 5, "a")], "a name twice"),
        (vec![dir(5), entry(0, 5, "a"), entry(0, 5, "b")], "two places, or within itself"),
        (vec![dir(5), entry(5, 5, "a")], "two places, or within itself"),
        (vec![dir(5), dir(6), entry(5, 6, "a"), entry(6, 5, "b")], "within itself"),
        (vec![entry(0, 0, "a")], "two places, or within itself"),
        (vec![record(Tag::Write, &[5, 0], "x")], "a record in the wrong place"),
        (vec![vec![]], "a record without a tag"),
        (vec![vec![200]], "a tag nobody knows"),
        (vec![vec![Tag::Dir as u8, 1]], "a record too short"),
        (vec![record(Tag::Dir, &[5, 6], "")], "a record too long"),
    ] {
        refused(&trace(&base, &[]), reason);
    }
    let sound = [small, dir(6), entry(6, 5, "a"), entry(0, 6, "d"), entry(0, 5, "b")];
    let read = read_trace(&trace(&sound, &[])[..]).unwrap();
    assert_eq!(read.base.file("d/a").unwrap().len(), 3);
    assert_eq!(read.base.file("b").unwrap().len(), 3);
}

#[test]
fn operations_must_make_sense() {
    let rename = |from, to, ino| record(Tag::Rename, &[from, to, ino, 1], "ab");
    let mkdir = |dir, ino| record(Tag::MakeDir, &[dir, ino], "a");
    for (ops, reason) in [
        (vec![record(Tag::Write, &[0, 0], "x")], "the other way round"),
        (vec![record(Tag::Write, &[5, u64::MAX], "x")], "past the end of any file"),
        (vec![record(Tag::SetLen, &[5, u64::MAX], "")], "past the end of any file"),
        (vec![mkdir(0, 5), record(Tag::Write, &[5, 0], "x")], "the other way round"),
        (vec![mkdir(0, 5), mkdir(0, 5)], "two places, or within itself"),
        (vec![mkdir(0, 5), mkdir(5, 6), rename(0, 6, 5)], "or into itself"),
        (vec![mkdir(0, 5), mkdir(0, 6), rename(6, 0, 5)], "where it is not, or into itself"),
        (vec![record(Tag::Rename, &[0, 0, 5, 3], "ab")], "a name too short"),
        (vec![record(Tag::Link, &[0, 5], "\0")], "not a name"),
        (vec![record(Tag::Dir, &[5], "")], "a record in the wrong place"),
    ] {
        refused(&trace(&[], &ops), reason);
    }
}

#[test]
fn records_come_in_order_and_are_counted() {
    let head = record(Tag::Head, &[0, 0], "");
    let carried = record(Tag::Carried, &[], "");
    let ops = record(Tag::Ops, &[], "");
    let end = |count| record(Tag::End, &[count], "");
    for (payloads, reason) in [
        (vec![carried.clone()], "a record in the wrong place"),
        (vec![head.clone(), head.clone()], "a record in the wrong place"),
        (vec![head.clone(), ops.clone()], "a record in the wrong place"),
        (vec![head.clone(), carried.clone(), end(2)], "a record in the wrong place"),
        (vec![head.clone(), carried.clone(), ops.clone(), end(4)], "a count that does not match"),
        (vec![head.clone(), carried.clone(), ops.clone()], "cut short"),
    ] {
        refused(&file(&payloads), reason);
    }
    assert!(read_trace(&file(&[head, carried, ops, end(3)])[..]).is_ok());
}

#[test]
fn whatever_is_accepted_is_a_trace_that_can_be_written_and_replayed() {
    let base = [
        record(Tag::Dir, &[1], ""),
        record(Tag::File, &[2, 9], ""),
        record(Tag::Extent, &[4], "data"),
        record(Tag::Entry, &[0, 1], "d"),
        record(Tag::Entry, &[1, 2], "f"),
    ];
    let ops = [
        record(Tag::MakeDir, &[1, 3], "e"),
        record(Tag::Link, &[3, 4], "g"),
        record(Tag::Write, &[4, 7], "bytes"),
        record(Tag::SyncDir, &[3], ""),
        record(Tag::Rename, &[1, 0, 3, 1], "eh"),
        record(Tag::Unlink, &[1, 2], "f"),
    ];
    let mut accepted = 0;
    for at in 0..base.len() + ops.len() {
        let len = base.get(at).unwrap_or_else(|| &ops[at - base.len()]).len();
        for (byte, value) in (0..len).flat_map(|byte| (0..=255).map(move |value| (byte, value))) {
            let (mut base, mut ops) = (base.clone(), ops.clone());
            let record = if at < base.len() { &mut base[at] } else { &mut ops[at - 5] };
            record[byte] = value;
            let Ok(read) = read_trace(&trace(&base, &ops)[..]) else { continue };
            accepted += 1;
            let mut written = Vec::new();
            write_trace(&read, &mut written).unwrap();
            let again = read_trace(&written[..]).unwrap();
            assert_eq!(again.ops, read.ops);
            let mut tree = again.base.clone();
            for (_, op) in again.numbered() {
                tree.apply(op);
            }
            assert!(tree.files().count() <= 4);
        }
    }
    assert!(accepted > 1000, "{accepted}");
}
