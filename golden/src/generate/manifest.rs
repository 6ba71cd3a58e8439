//! Whole MANIFEST files.

use super::literal::notation;
use super::rows::Rows;
use crate::entidb::{Collection, Index, Manifest, manifest_body};
use crate::file::Entry;
use crate::layout::{
    CRC_LEN, Generation, Hash, MINOR_AT, NewerMinor, SegmentInfo, StoreManifest, manifest as bytes,
    with_crc,
};

const SOURCE: &str = "docs/format.md, 2";
/// Where the version numbers stand, and that of the format.
const MANIFEST_VERSION_AT: usize = 4;
const MAJOR_AT: usize = 6;

pub(super) fn entries() -> Vec<Entry> {
    [fields(), versions(), newer_minor(), foreign(), broken(), malformed(), flipped(), cut()]
        .into_iter()
        .flat_map(Rows::finish)
        .collect()
}

pub(super) fn empty() -> StoreManifest {
    StoreManifest {
        body: Manifest {
            next_collection_id: 1,
            collections: Vec::new(),
            next_index_id: 1,
            indexes: Vec::new(),
            last_checkpoint: None,
        },
        next_segment_id: 1,
        next_generation: 1,
        segments: Vec::new(),
        wals: Vec::new(),
        newer: None,
    }
}

pub(super) fn collection(name: &str, id: u32) -> Collection {
    Collection { name: name.to_owned(), id }
}

fn index(id: u64) -> Index {
    let path = vec!["name".to_owned()];
    Index { id, collection: 1, path, kind: 0, unique: false, created_at: 2 }
}

fn segment(id: u64) -> SegmentInfo {
    SegmentInfo { id, len: 41, records: 1, digest: Hash([0xd1; 32]) }
}

/// Two collections, a checkpoint, a segment, a log.
fn sample() -> StoreManifest {
    StoreManifest {
        body: Manifest {
            next_collection_id: 3,
            collections: vec![collection("a", 2), collection("users", 1)],
            last_checkpoint: Some(5),
            ..empty().body
        },
        next_segment_id: 2,
        next_generation: 2,
        segments: vec![segment(1)],
        wals: vec![Generation(1)],
        newer: None,
    }
}

/// [`sample`] after a change.
fn changed(change: impl FnOnce(&mut StoreManifest)) -> StoreManifest {
    let mut manifest = sample();
    change(&mut manifest);
    manifest
}

fn fields() -> Rows {
    let mut rows = Rows::new("fields", SOURCE);
    let mut add = |id: &str, meaning: &str, manifest: &StoreManifest| {
        rows.accept(id, meaning, &bytes(manifest), notation(manifest));
    };
    add("empty", "a store just created", &empty());
    add("sample", "a store with some of everything", &sample());
    for (id, checkpoint) in [("none", None), ("zero", Some(0)), ("max", Some(u64::MAX))] {
        let manifest = changed(|it| it.body.last_checkpoint = checkpoint);
        add(&format!("checkpoint-{id}"), "the last checkpoint, if any", &manifest);
    }
    let names = ["", "B", "a", "aa", "\u{e9}", "\u{1f4d6}"].map(|name| format!("{name}!"));
    let many = names.iter().zip(1..).map(|(name, id)| collection(name, id)).collect();
    let manifest = changed(|it| {
        it.body.collections = many;
        it.body.next_collection_id = 100;
    });
    add("collections-by-bytes", "names ascend as bytes", &manifest);
    let longest = changed(|it| it.body.collections = vec![collection(&"n".repeat(255), 1)]);
    add("longest-name", "a name of 255 bytes", &longest);
    let greatest = StoreManifest {
        body: Manifest {
            next_collection_id: u32::MAX,
            collections: vec![collection("last", u32::MAX - 1)],
            next_index_id: u64::MAX,
            ..empty().body
        },
        next_segment_id: u64::MAX,
        next_generation: u32::MAX,
        segments: vec![SegmentInfo {
            id: u64::MAX - 1,
            len: u32::MAX.into(),
            records: u64::from(u32::MAX) / 37,
            digest: Hash([0xff; 32]),
        }],
        wals: vec![Generation(u32::MAX - 1)],
        newer: None,
    };
    add("greatest", "the greatest numbers", &greatest);
    let wals = |wals: &[u32]| {
        changed(|it| {
            it.next_generation = 10;
            it.wals = wals.iter().copied().map(Generation).collect();
        })
    };
    add("closed", "no live log", &wals(&[]));
    add("two-logs", "two live logs", &wals(&[3, 9]));
    let segments = changed(|it| {
        it.next_segment_id = 1_000_001;
        it.segments = [1, 2, 1_000_000].map(segment).to_vec();
    });
    add("three-segments", "segments by number", &segments);
    let indexes = changed(|it| {
        it.body.next_index_id = 4;
        let path = vec!["a".to_owned(), String::new()];
        let other = Index { path, kind: 1, unique: true, ..index(3) };
        it.body.indexes = vec![index(1), other];
    });
    add("indexes", "indexes are read, whether or not they are maintained", &indexes);
    rows
}

/// The file with a number of two bytes set, under a CRC of its own.
fn renumbered(at: usize, number: u16) -> Vec<u8> {
    let mut file = bytes(&sample());
    file.truncate(file.len() - CRC_LEN);
    file[at..at + 2].copy_from_slice(&number.to_le_bytes());
    with_crc(file)
}

fn trailer_version_at() -> usize {
    manifest_body(&sample().body).map_or(0, |body| body.len()) + 4
}

fn versions() -> Rows {
    let mut rows = Rows::new("version", "docs/format.md, 2 and 8");
    for (name, at, known) in [
        ("manifest", MANIFEST_VERSION_AT, 2),
        ("major", MAJOR_AT, 1),
        ("minor", MINOR_AT, 0),
        ("trailer", trailer_version_at(), 1),
    ] {
        for number in [known + 1, known + 2, 0x0100 + known, u16::MAX] {
            let id = format!("{name}-{number}");
            if at == MINOR_AT {
                let newer = newer(number, &[]);
                let meaning = "a newer minor version is read";
                rows.accept(id, meaning, &bytes(&newer), notation(&newer));
            } else {
                rows.reject(id, "a newer version", &renumbered(at, number), "newer-version");
            }
        }
        for number in 0..known {
            let id = format!("{name}-{number}");
            rows.reject(id, "no such version", &renumbered(at, number), "corrupt");
        }
        let mut damaged = renumbered(at, known + 1);
        damaged[at] ^= 0x40;
        let meaning = "a newer version whose CRC is wrong is damage";
        rows.reject(format!("{name}-damaged"), meaning, &damaged, "corrupt");
    }
    let unknown = with_crc(b"EMFN\x03\0whatever a later version holds".to_vec());
    let meaning = "of a newer version nothing but the number is read";
    rows.reject("unknown-layout", meaning, &unknown, "newer-version");
    let meaning = "the first version that is not known decides";
    let mut both = renumbered(MAJOR_AT, 2);
    both.truncate(both.len() - CRC_LEN);
    both[MANIFEST_VERSION_AT] = 1;
    rows.reject("older-and-newer", meaning, &with_crc(both), "corrupt");
    rows
}

/// The sample, written by a newer minor version with fields of its own.
fn newer(format_minor: u16, fields: &[u8]) -> StoreManifest {
    changed(|it| it.newer = Some(NewerMinor { format_minor, fields: fields.to_vec() }))
}

/// What a newer minor version may add, and what it may not change.
fn newer_minor() -> Rows {
    let mut rows = Rows::new("newer-minor", "docs/format.md, 2 and 8");
    let mut add = |id: &str, meaning: &str, manifest: &StoreManifest| {
        rows.accept(id, meaning, &bytes(manifest), notation(manifest));
    };
    let meaning = "fields after the trailer are passed over";
    for (id, fields) in [("byte", &[0][..]), ("text", b"later fields"), ("trailer", b"EMFT\x01\0")]
    {
        add(&format!("fields-{id}"), meaning, &newer(1, fields));
    }
    let mut indexed = newer(1, b"");
    indexed.body.next_index_id = 3;
    indexed.body.indexes = vec![index(1), Index { kind: 2, ..index(2) }];
    add("index-kind-2", "an index of a kind that is not known", &indexed);
    indexed.body.indexes[1].kind = u8::MAX;
    add("index-kind-255", "an index of a kind that is not known", &indexed);
    let mut refuse = |id: &str, meaning: &str, manifest: &StoreManifest, at: Option<usize>| {
        let mut file = bytes(manifest);
        file.truncate(file.len() - CRC_LEN);
        if let Some(at) = at {
            file[at] ^= 0x80;
        }
        rows.reject(id, meaning, &with_crc(file), "corrupt");
    };
    let wals = vec![Generation(4), Generation(4)];
    let meaning = "rules between fields hold as before";
    refuse("rule", meaning, &StoreManifest { wals, ..newer(1, b"") }, None);
    let (body, names) = (newer(1, b""), MINOR_AT + 10);
    refuse("body", "a body cut by its own count", &body, Some(names + 3));
    let mut flipped = bytes(&newer(1, b"later fields"));
    let last = flipped.len() - CRC_LEN - 1;
    flipped[last] ^= 1;
    rows.reject("fields-damaged", "the CRC covers what is not known, too", &flipped, "corrupt");
    let mut older = newer(1, b"later fields");
    older.newer = older.newer.map(|newer| NewerMinor { format_minor: 0, ..newer });
    rows.reject("fields-of-ours", "this version has no such fields", &bytes(&older), "corrupt");
    rows
}

fn foreign() -> Rows {
    let mut rows = Rows::new("foreign", "docs/format.md, 2: reading");
    let body = |manifest: &StoreManifest| manifest_body(&manifest.body).unwrap_or_default();
    let meaning = "EntiDB's own: the file ends with the body";
    let indexed = changed(|it| it.body.indexes = vec![index(1)]);
    for (id, manifest) in [("empty", empty()), ("sample", sample()), ("index", indexed)] {
        rows.reject(format!("version-2-{id}"), meaning, &body(&manifest), "foreign");
        // Version 1 has no index block: of the next number and of the count nothing is left.
        let mut older = body(&StoreManifest {
            body: Manifest { indexes: Vec::new(), ..manifest.body },
            ..empty()
        });
        let checkpoint = older.len() - if id == "empty" { 1 } else { 9 };
        older.drain(checkpoint - 12..checkpoint);
        older[MANIFEST_VERSION_AT] = 1;
        rows.reject(format!("version-1-{id}"), meaning, &older, "foreign");
        older.push(0);
        let meaning = "a byte after the body, and no trailer";
        rows.reject(format!("version-1-{id}-byte-more"), meaning, &older, "corrupt");
    }
    let meaning = "only the layout of a foreign body is looked at, not its numbers";
    let numbers = changed(|it| it.body.next_collection_id = 1);
    rows.reject("numbers", meaning, &body(&numbers), "foreign");
    let order = changed(|it| it.body.collections.reverse());
    rows.reject("order", "names out of order are no body", &body(&order), "corrupt");
    let mut newer = body(&sample());
    newer[MINOR_AT] = 1;
    rows.reject("newer", "a newer body has no CRC to show that it is one", &newer, "corrupt");
    rows.reject("no-bytes", "an empty file", b"", "corrupt");
    rows
}

/// Manifests that verify and break a rule.
fn broken() -> Rows {
    let mut rows = Rows::new("broken-rule", SOURCE);
    let mut add = |id: &str, meaning: &str, change: &dyn Fn(&mut StoreManifest)| {
        rows.reject(id, meaning, &bytes(&changed(change)), "corrupt");
    };
    add("names-descend", "names out of order", &|it| it.body.collections.reverse());
    add("names-equal", "a name twice", &|it| {
        it.body.collections = vec![collection("a", 1), collection("a", 2)];
    });
    add("number-twice", "two collections of one number", &|it| {
        it.body.collections = vec![collection("a", 1), collection("b", 1)];
    });
    add("number-not-below-next", "the next number is taken", &|it| it.body.next_collection_id = 2);
    add("name-empty", "a name without bytes", &|it| {
        it.body.collections = vec![collection("", 1)];
    });
    add("name-too-long", "a name of 256 bytes", &|it| {
        it.body.collections = vec![collection(&"n".repeat(256), 1)];
    });
    let indexes = |list: Vec<Index>, next: u64| {
        move |it: &mut StoreManifest| {
            it.body.indexes.clone_from(&list);
            it.body.next_index_id = next;
        }
    };
    add("indexes-descend", "indexes out of order", &indexes(vec![index(2), index(1)], 3));
    add("indexes-equal", "an index twice", &indexes(vec![index(1), index(1)], 3));
    add("index-not-below-next", "the next number is taken", &indexes(vec![index(3)], 3));
    let kind = Index { kind: 2, ..index(1) };
    add("index-kind", "no such kind of index", &indexes(vec![kind], 3));
    let segments = |ids: [u64; 2], next| {
        move |it: &mut StoreManifest| {
            it.segments = ids.map(segment).to_vec();
            it.next_segment_id = next;
        }
    };
    add("segments-descend", "segments out of order", &segments([2, 1], 3));
    add("segments-equal", "a segment twice", &segments([1, 1], 3));
    add("segment-not-below-next", "the next number is taken", &segments([1, 3], 3));
    let info = |len, records| {
        move |it: &mut StoreManifest| it.segments[0] = SegmentInfo { len, records, ..segment(1) }
    };
    add("segment-without-records", "a segment has at least one record", &info(41, 0));
    add("segment-too-short", "a record has at least 37 bytes", &info(73, 2));
    add("segment-empty", "no bytes and no records", &info(0, 0));
    add("segment-too-long", "a segment is shorter than 4 GiB", &info(1 << 32, 1));
    let wals = |numbers: &'static [u32], next| {
        move |it: &mut StoreManifest| {
            it.wals = numbers.iter().copied().map(Generation).collect();
            it.next_generation = next;
        }
    };
    add("logs-descend", "logs out of order", &wals(&[2, 1], 3));
    add("logs-equal", "a log twice", &wals(&[1, 1], 3));
    add("log-not-below-next", "the next number is taken", &wals(&[3], 3));
    add("three-logs", "more than two live logs", &wals(&[1, 2, 3], 4));
    rows
}

/// Files that verify and cannot be read to their end.
fn malformed() -> Rows {
    let mut rows = Rows::new("malformed", SOURCE);
    let covered = || {
        let mut file = bytes(&sample());
        file.truncate(file.len() - CRC_LEN);
        file
    };
    let mut add = |id: &str, meaning: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = covered();
        change(&mut file);
        rows.reject(id, meaning, &with_crc(file), "corrupt");
    };
    let body = trailer_version_at() - 4;
    let end = covered().len();
    add("magic", "another magic number", &|file| file[0] = b'e');
    add("trailer-magic", "another magic number", &|file| file[body] = b'e');
    add("no-trailer", "the CRC follows the body", &|file| file.truncate(body));
    add("trailer-cut", "the file ends inside the trailer", &|file| file.truncate(end - 1));
    add("body-cut", "the file ends inside the body", &|file| file.truncate(body - 1));
    add("byte-more", "a byte after the trailer", &|file| file.push(0));
    add("nothing", "a CRC of nothing", &Vec::clear);
    add("magic-alone", "a magic number alone", &|file| file.truncate(4));
    add("collection-count", "more collections than bytes", &|file| file[14..18].fill(0xff));
    add("name-length", "a name longer than the file", &|file| file[18..20].fill(0xff));
    add("name-not-utf8", "a name that is no text", &|file| file[20] = 0xff);
    add("has-checkpoint", "a flag that is neither 0 nor 1", &|file| file[body - 9] = 2);
    add("no-checkpoint", "a flag that says 0 before a number", &|file| file[body - 9] = 0);
    let segments = body + 18;
    add("segment-count", "more segments than bytes", &|file| file[segments..][..4].fill(0xff));
    add("log-count", "more logs than bytes", &|file| file[end - 8] = 2);
    add("log-count-zero", "fewer logs than bytes", &|file| file[end - 8] = 0);
    let mut indexed = bytes(&changed(|it| {
        it.body.indexes = vec![index(1)];
        it.body.next_index_id = 2;
    }));
    indexed.truncate(indexed.len() - CRC_LEN);
    let at = indexed.windows(4).position(|it| it == b"name").unwrap_or_default();
    indexed[at + 5] = 2;
    let meaning = "a flag that is neither 0 nor 1";
    rows.reject("index-unique", meaning, &with_crc(indexed), "corrupt");
    rows
}

fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", SOURCE);
    for (at, bit) in (0..bytes(&sample()).len()).zip((0..8).cycle()) {
        let mut file = bytes(&sample());
        file[at] ^= 1 << bit;
        let meaning = format!("bit {bit} of byte {at} is flipped");
        rows.reject(format!("{at:03}"), meaning, &file, "corrupt");
    }
    rows
}

fn cut() -> Rows {
    let mut rows = Rows::new("cut", SOURCE);
    let file = bytes(&sample());
    let body = trailer_version_at() - 4;
    let borders = [1, 4, 6, 10, 14, 18, body - 9, body - 1, body + 1, body + 4, body + 18];
    for len in borders.into_iter().chain([file.len() - 5, file.len() - 4, file.len() - 1]) {
        let meaning = format!("the first {len} of {} bytes", file.len());
        rows.reject(format!("{len:03}"), meaning, &file[..len], "corrupt");
    }
    let meaning = "cut to the length of the body, it is as EntiDB writes it";
    rows.reject("body", meaning, &file[..body], "foreign");
    rows
}
