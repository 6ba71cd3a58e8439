//! Damaged and foreign directories.

use std::collections::BTreeMap;

use entidb_engine::Error;
use entidb_engine::ErrorClass::{Corrupt, Foreign, NeedsRecovery, NewerVersion, NotFound};
use entidb_engine::format::manifest::{Index, Manifest};
use entidb_engine::format::wal::{Body, Stamp, encode};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, EntityId};

use super::Row;
use crate::support::{
    EXISTING, Files, READ_ONLY, SMALL, closed_store, crashed_store, try_contents, try_open,
};

const WAL: &str = "wal-000002.log";
/// A deletion in a collection that no MANIFEST knows.
const UNKNOWN: Body<'_> = Body::Delete {
    txid: 6,
    collection: CollectionId::new(77),
    entity: EntityId::new([1; 16]),
    before: None,
};
const SEGMENT: &str = "SEGMENTS/seg-000002.dat";

pub(super) const ROWS: &[Row] = &[
    (
        "MANIFEST missing beside segments",
        || closed(|files| remove(files, "MANIFEST")),
        Corrupt,
        "SEGMENTS/seg-000001.dat: corrupt at offset 0: MANIFEST is missing beside \
         this file; restore the store from a backup",
    ),
    (
        "MANIFEST missing beside a WAL",
        || crashed(|files| remove(files, "MANIFEST")),
        Corrupt,
        "wal-000002.log: corrupt at offset 0: MANIFEST is missing beside this file; \
         restore the store from a backup",
    ),
    (
        "MANIFEST empty",
        || closed(|files| cut(files, "MANIFEST", 0)),
        Corrupt,
        "MANIFEST: corrupt at offset 0: does not begin with EMFN; restore the store \
         from a backup",
    ),
    (
        "MANIFEST of something else",
        || closed(|files| set(files, "MANIFEST", b"SQLite format 3\0")),
        Corrupt,
        "MANIFEST: corrupt at offset 0: does not begin with EMFN; restore the store \
         from a backup",
    ),
    (
        "MANIFEST cut short",
        || closed(|files| cut(files, "MANIFEST", 100)),
        Corrupt,
        "MANIFEST: corrupt at offset 96: CRC mismatch; restore the store from a backup",
    ),
    (
        "MANIFEST cut in its body",
        || closed(|files| cut(files, "MANIFEST", 20)),
        Corrupt,
        "MANIFEST: corrupt at offset 20: malformed body; restore the store from a backup",
    ),
    (
        "MANIFEST cut after its body",
        || closed(cut_after_body),
        Foreign,
        "MANIFEST: not written by this engine: it ends at EntiDB's own body, without \
         this engine's trailer; open it with the program that wrote it",
    ),
    (
        "MANIFEST with a bit flipped",
        || closed(|files| flip(files, "MANIFEST", 20)),
        Corrupt,
        "MANIFEST: corrupt at offset 423: CRC mismatch; restore the store from a backup",
    ),
    (
        "MANIFEST extended",
        || closed(|files| extend(files, "MANIFEST")),
        Corrupt,
        "MANIFEST: corrupt at offset 424: CRC mismatch; restore the store from a backup",
    ),
    (
        "MANIFEST of a newer version",
        || closed(newer_manifest),
        NewerVersion,
        "MANIFEST: manifest version 3 is newer than this engine's 2; open it with a \
         newer version of this engine",
    ),
    (
        "MANIFEST with a newer trailer",
        || closed(newer_trailer),
        NewerVersion,
        "MANIFEST: trailer version 2 is newer than this engine's 1; open it with a \
         newer version of this engine",
    ),
    (
        "MANIFEST with indexes",
        || closed(with_index),
        NewerVersion,
        "MANIFEST: defines indexes, which this version does not maintain; open it \
         with a newer version of this engine",
    ),
    (
        "MANIFEST of EntiDB itself",
        || closed(entidb_manifest),
        Foreign,
        "MANIFEST: not written by this engine: it ends at EntiDB's own body, without \
         this engine's trailer; open it with the program that wrote it",
    ),
    (
        "a count without its entries",
        || closed(absurd_count),
        Corrupt,
        "MANIFEST: corrupt at offset 47: malformed body; restore the store from a backup",
    ),
    (
        "wal.log with commits",
        || closed(|files| set(files, "wal.log", b"EWAL")),
        Foreign,
        "wal.log: not written by this engine: EntiDB's version-1 log holds commits; \
         open it with the program that wrote it",
    ),
    (
        "wal.log without MANIFEST",
        || opened(&BTreeMap::from([("LOCK".into(), vec![]), ("wal.log".into(), vec![1])])),
        Foreign,
        "wal.log: not written by this engine: EntiDB's version-1 log holds commits; \
         open it with the program that wrote it",
    ),
    (
        "WAL missing",
        || crashed(|files| remove(files, WAL)),
        Corrupt,
        "wal-000002.log: corrupt at offset 0: MANIFEST names this WAL: it is missing; \
         restore the store from a backup",
    ),
    (
        "WAL shorter than reserved",
        || crashed(|files| cut(files, WAL, 511)),
        Corrupt,
        "wal-000002.log: corrupt at offset 511: the file has 511 bytes of 512 \
         reserved; restore the store from a backup",
    ),
    (
        "WAL empty",
        || crashed(|files| cut(files, WAL, 0)),
        Corrupt,
        "wal-000002.log: corrupt at offset 0: the first record is damaged; restore \
         the store from a backup",
    ),
    (
        "WAL without its first record",
        || crashed(|files| flip(files, WAL, 8)),
        Corrupt,
        "wal-000002.log: corrupt at offset 0: the first record is damaged; restore \
         the store from a backup",
    ),
    (
        "WAL damaged before its last batch",
        || crashed(|files| flip(files, WAL, 60)),
        Corrupt,
        "wal-000002.log: corrupt at offset 51: no valid record here, but one at 217 \
         was written after it was synced; the last whole commit, 5, ends at 51; \
         restore the store from a backup",
    ),
    (
        "WAL that begins at another cut",
        || crashed(|files| write(files, 0, 4, &Body::Checkpoint { cut: 4, reserved: Some(512) })),
        Corrupt,
        "wal-000002.log: corrupt at offset 0: begins at cut 4 where sequence 5 was reached; \
         restore the store from a backup",
    ),
    (
        "WAL with a record out of place",
        || crashed(|files| write(files, 51, 5, &Body::Commit { txid: 6, sequence: 6 })),
        Corrupt,
        "wal-000002.log: corrupt at offset 51: valid record out of place while reading commit 6; \
         restore the store from a backup",
    ),
    (
        "WAL with a record of an unknown type",
        || crashed(|files| write_type(files, 51, 0x7f)),
        Corrupt,
        "wal-000002.log: corrupt at offset 51: a valid record of type 127, which this version does \
         not know; restore the store from a backup",
    ),
    (
        "WAL with a gap in its sequences",
        || crashed(|files| write(files, 51, 5, &Body::Begin { txid: 7 })),
        Corrupt,
        "wal-000002.log: corrupt at offset 51: valid record out of place while reading commit 6; \
         restore the store from a backup",
    ),
    (
        "WAL that claims a later sync",
        || crashed(|files| write(files, 51, 6, &Body::Begin { txid: 6 })),
        Corrupt,
        "wal-000002.log: corrupt at offset 51: claims that commit 6 was synced, after 5; \
         restore the store from a backup",
    ),
    (
        "WAL with an unknown collection",
        || crashed(|files| write(files, 94, 5, &UNKNOWN)),
        Corrupt,
        "wal-000002.log: corrupt at offset 94: no collection 77 in MANIFEST; \
         restore the store from a backup",
    ),
    (
        "WAL of another generation",
        || {
            crashed(|files| {
                let other = files[WAL].clone();
                set(files, WAL, &other[51..]);
                extend_to(files, WAL, 1024);
            })
        },
        Corrupt,
        "wal-000002.log: corrupt at offset 0: the first record is damaged; restore \
         the store from a backup",
    ),
    (
        "WAL for a read-only open",
        || read_only(&crashed_store()),
        NeedsRecovery,
        "wal-000002.log: the store was not closed cleanly; open it once for writing \
         to recover it",
    ),
    (
        "segment missing",
        || closed(|files| remove(files, SEGMENT)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 0: MANIFEST lists this segment: \
         it is missing; restore the store from a backup",
    ),
    (
        "segment shortened",
        || closed(|files| cut(files, SEGMENT, 100)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 100: the file has 100 bytes where \
         MANIFEST says 337; restore the store from a backup",
    ),
    (
        "segment longer",
        || closed(|files| extend(files, SEGMENT)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 337: the file has 338 bytes where \
         MANIFEST says 337; restore the store from a backup",
    ),
    (
        "segment with a bit of content flipped",
        || read(|files| flip(files, SEGMENT, 40)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 0: CRC mismatch: stored f1fcb95a, \
         computed c234710d; restore the store from a backup",
    ),
    (
        "segment with a length flipped",
        || read(|files| flip(files, SEGMENT, 3)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 0: the file ends within a record; \
         restore the store from a backup",
    ),
    (
        "segment with its CRC flipped",
        || read(|files| flip(files, SEGMENT, 336)),
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 0: CRC mismatch: stored f0fcb95a, \
         computed f1fcb95a; restore the store from a backup",
    ),
    (
        "segment in another's place",
        || {
            read(|files| {
                let other = files["SEGMENTS/seg-000001.dat"].clone();
                set(files, SEGMENT, &other);
            })
        },
        Corrupt,
        "SEGMENTS/seg-000002.dat: corrupt at offset 0: records are not those MANIFEST \
         lists: digest mismatch; restore the store from a backup",
    ),
    (
        "stray segment newer than MANIFEST",
        || closed(|files| set(files, "SEGMENTS/seg-000999.dat", b"")),
        Corrupt,
        "SEGMENTS/seg-000999.dat: corrupt at offset 0: newer than MANIFEST, which \
         says that the store was closed cleanly; restore the store from a backup",
    ),
    (
        "no store where one must be",
        || not_there(EXISTING),
        NotFound,
        "no store in this directory; check the path, or open with `OpenMode::Create`",
    ),
    (
        "no store to read",
        || not_there(READ_ONLY),
        NotFound,
        "no store in this directory; check the path, or open with `OpenMode::Create`",
    ),
];

fn closed(damage: impl FnOnce(&mut Files)) -> Error {
    let mut files = closed_store();
    damage(&mut files);
    opened(&files)
}

fn crashed(damage: impl FnOnce(&mut Files)) -> Error {
    let mut files = crashed_store();
    damage(&mut files);
    opened(&files)
}

/// Damage that an open does not look for, and every read does.
fn read(damage: impl FnOnce(&mut Files)) -> Error {
    let mut files = closed_store();
    damage(&mut files);
    let storage = MemStorage::restore(&files);
    let [first, second] = [SMALL, READ_ONLY].map(|options| {
        let db = try_open(storage.clone(), options).unwrap();
        assert!(db.verify().is_err());
        try_contents(&db).unwrap_err()
    });
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(storage.dump(), files, "{first}");
    first
}

fn opened(files: &Files) -> Error {
    refused(files, SMALL)
}

fn read_only(files: &Files) -> Error {
    refused(files, READ_ONLY)
}

fn not_there(options: entidb_engine::Options) -> Error {
    refused(&BTreeMap::from([("LOCK".into(), vec![]), ("notes".into(), vec![])]), options)
}

/// The error of an open. The next open shows the same, and no file has changed.
fn refused(files: &Files, options: entidb_engine::Options) -> Error {
    let storage = MemStorage::restore(files);
    let [first, second] = [(); 2].map(|()| try_open(storage.clone(), options).err().unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(storage.dump(), *files, "{first}");
    first
}

fn remove(files: &mut Files, name: &str) {
    files.remove(name).unwrap();
}

fn set(files: &mut Files, name: &str, bytes: &[u8]) {
    files.insert(name.into(), bytes.into());
}

/// Overwrites the WAL with a record that is valid at this offset.
fn write(files: &mut Files, offset: usize, synced_to: u64, body: &Body<'_>) {
    let stamp = Stamp { generation: 2, offset: offset as u64, synced_to };
    let mut record = Vec::new();
    encode(body, Some(&stamp), &mut record);
    files.get_mut(WAL).unwrap()[offset..offset + record.len()].copy_from_slice(&record);
}

/// Overwrites the WAL with a record that is valid at this offset, but for its type.
fn write_type(files: &mut Files, offset: usize, kind: u8) {
    write(files, offset, 5, &Body::Begin { txid: 6 });
    let (wal, end) = (files.get_mut(WAL).unwrap(), offset + 43 - 4);
    wal[offset + 6] = kind;
    let sum = crc32fast::hash(&wal[offset..end]);
    wal[end..end + 4].copy_from_slice(&sum.to_le_bytes());
}

fn cut(files: &mut Files, name: &str, len: usize) {
    let bytes = files.get_mut(name).unwrap();
    assert!(bytes.len() > len);
    bytes.truncate(len);
}

fn flip(files: &mut Files, name: &str, at: usize) {
    files.get_mut(name).unwrap()[at] ^= 1;
}

fn extend(files: &mut Files, name: &str) {
    files.get_mut(name).unwrap().push(0);
}

fn extend_to(files: &mut Files, name: &str, len: usize) {
    files.get_mut(name).unwrap().resize(len, 0);
}

fn edit(files: &mut Files, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
    change(&mut manifest);
    set(files, "MANIFEST", &manifest.encode());
}

fn body_len(files: &Files) -> usize {
    Manifest::decode(&files["MANIFEST"]).unwrap().encode_body().len()
}

fn cut_after_body(files: &mut Files) {
    let len = body_len(files);
    cut(files, "MANIFEST", len);
}

fn entidb_manifest(files: &mut Files) {
    let body =
        "454d464e0200010000000200000001000000050075736572730100000001000000000000000000000000";
    set(files, "MANIFEST", &hex::decode(body).unwrap());
}

fn with_index(files: &mut Files) {
    edit(files, |manifest| {
        let collection = manifest.collections["users"];
        let path = vec!["name".into()];
        let index = Index { collection, path, kind: 0, unique: false, created_at: 2 };
        manifest.indexes.insert(1, index);
        manifest.next_index_id = 2;
    });
}

/// Overwrites bytes of MANIFEST and lets its CRC vouch for them.
fn forge(files: &mut Files, at: usize, with: &[u8]) {
    let bytes = files.get_mut("MANIFEST").unwrap();
    bytes[at..at + with.len()].copy_from_slice(with);
    let covered = bytes.len() - 4;
    let sum = crc32fast::hash(&bytes[..covered]);
    bytes[covered..].copy_from_slice(&sum.to_le_bytes());
}

fn newer_manifest(files: &mut Files) {
    forge(files, 4, &[3]);
}

fn newer_trailer(files: &mut Files) {
    let at = body_len(files) + 4;
    forge(files, at, &[2]);
}

fn absurd_count(files: &mut Files) {
    forge(files, 14, &[0xff; 4]);
}
