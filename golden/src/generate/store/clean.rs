//! Stores that were closed cleanly, or that creation never finished.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Draft, Due, SOURCE, add, directory, sample_state};
use crate::generate::build::{Log, State, delete, put, sealed};
use crate::generate::rows::Rows;
use crate::layout::manifest;

pub(super) fn rows() -> Vec<Rows> {
    vec![clean(), bystanders(), unborn()]
}

fn clean() -> Rows {
    let mut rows = Rows::new("clean", SOURCE);
    let mut shows = |id: &str, meaning: &str, draft: &Draft, state: &State| {
        add(&mut rows, id, meaning, draft, Due::Shown, state);
    };
    let none = State::at(0);
    shows("created", "a store just created", &Draft::new(), &none);
    let collections = Draft::new().collections(&["users", "Users", "\u{e9}", "a"]);
    shows("collections", "collections without entities, by name", &collections, &none);
    shows(
        "sample",
        "later versions and tombstones hide earlier ones",
        &Draft::sample(),
        &sample_state(),
    );
    let checkpointed = Draft::new().collections(&["c"]).checkpoint(7);
    shows("all-deleted", "commits of which nothing is left", &checkpointed, &State::at(7));
    let zero = Draft::new().checkpoint(0);
    shows("checkpoint-0", "a checkpoint before the first commit", &zero, &none);
    let compacted = Draft::new()
        .collections(&["c"])
        .segment(4, &[sealed(put(1, 0x11, 99), 9), sealed(put(1, 0x22, 98), 8)])
        .segment(7, &[sealed(put(1, 0x11, 31), 3), sealed(delete(1, 0x22), 4)])
        .segment(1_000_000, &[sealed(put(1, 0x11, 41), 5), sealed(delete(1, 0x33), 9)])
        .checkpoint(9);
    let state = State::at(9).with(&[put(1, 0x11, 99), put(1, 0x22, 98)]);
    let meaning = "the highest sequence counts, not the highest number of a segment";
    shows("out-of-order", meaning, &compacted, &state);
    let strange = Draft::new()
        .collections(&["c"])
        .segment(1, &[sealed(put(1, 0x11, 31), 1), sealed(put(9, 0x11, 32), 1)])
        .checkpoint(1);
    let state = State::at(1).with(&[put(1, 0x11, 31)]);
    shows("unknown-collection", "a record of a collection that is not listed", &strange, &state);
    let greatest = Draft::new()
        .collections(&["c"])
        .segment(u64::MAX - 2, &[sealed(put(1, 0xff, 31), u64::MAX)])
        .checkpoint(u64::MAX);
    let state = State::at(u64::MAX).with(&[put(1, 0xff, 31)]);
    shows("greatest", "the greatest sequence there is", &greatest, &state);
    let long = (1, [0x11; 16], Some([&[0x59, 0x10, 0][..], &[0x5a; 4096]].concat()));
    let large = Draft::new().collections(&["c"]).segment(1, &[sealed(long.clone(), 1)]);
    shows(
        "large",
        "an entity larger than a page",
        &large.checkpoint(1),
        &State::at(0).and(&[long]),
    );
    let many: Vec<_> = (0..100).map(|entity| put(1, entity, entity)).collect();
    let records: Vec<_> = many.iter().map(|write| sealed(write.clone(), 1)).collect();
    let hundred = Draft::new().collections(&["c"]).segment(1, &records).checkpoint(1);
    shows("hundred", "a hundred entities", &hundred, &State::at(0).and(&many));
    rows
}

/// Files beside those of the store.
fn bystanders() -> Rows {
    let mut rows = Rows::new("bystanders", "docs/format.md, 1 and 5");
    let sample = Draft::sample;
    let mut shows = |id: &str, meaning: &str, draft: &Draft| {
        add(&mut rows, id, meaning, draft, Due::Shown, &sample_state());
    };
    shows("no-lock", "the lock's file is made anew", &sample().without("LOCK"));
    shows("no-wal-log", "EntiDB's log may be missing", &sample().without("wal.log"));
    shows("lock-content", "what the lock's file holds means nothing", &sample().file("LOCK", b"7"));
    let next = manifest(&Draft::new().manifest);
    let meaning = "the next MANIFEST before its rename means nothing";
    shows("next-manifest", meaning, &sample().file("MANIFEST.tmp", &next));
    shows("torn-next-manifest", meaning, &sample().file("MANIFEST.tmp", &next[..20]));
    for (id, name) in [
        ("foreign", "notes.txt"),
        ("foreign-segment", "SEGMENTS/seg-1.dat"),
        ("foreign-number", "wal-7.log"),
        ("foreign-case", "manifest"),
    ] {
        shows(id, "a foreign name is ignored", &sample().file(name, b"whatever"));
    }
    let mut log = Log::new(5, 3, 512);
    log.commit(4, &[put(1, 0x77, 77)]);
    let meaning = "a log that MANIFEST does not name does not exist";
    shows("unlisted-log", meaning, &sample().file("wal-000005.log", &log.file()));
    let mut reserved = sample();
    reserved.manifest.next_segment_id = 9;
    let meaning = "a segment that MANIFEST does not list does not exist";
    shows("unlisted-segment", meaning, &reserved.file("SEGMENTS/seg-000008.dat", b"torn"));
    let meaning = "a damaged sidecar changes nothing";
    shows("sidecar", meaning, &sample().file("INDEX/seg-000001.idx", b"ESDX"));
    rows
}

/// No MANIFEST, and nothing that one would name: creation never finished.
fn unborn() -> Rows {
    let mut rows = Rows::new("unborn", SOURCE);
    let empty = json!({ "sequence": "0", "collections": [] });
    for (id, meaning, names) in [
        ("nothing", "an empty directory", vec![]),
        ("lock", "creation stopped after the lock", vec![("LOCK", &b""[..])]),
        ("wal-log", "creation stopped after EntiDB's log", vec![("LOCK", b""), ("wal.log", b"")]),
        (
            "next",
            "creation stopped before the rename",
            vec![("wal.log", b""), ("MANIFEST.tmp", b"EM")],
        ),
        ("foreign", "foreign names do not count", vec![("notes.txt", b"a"), ("wal-1.log", b"b")]),
        ("foreign-segment", "foreign names do not count", vec![("SEGMENTS/seg-1.dat", b"a")]),
    ] {
        let files: BTreeMap<_, _> =
            names.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        directory(&mut rows, id, meaning, &files, Due::Created, Some(empty.clone()));
    }
    rows
}
