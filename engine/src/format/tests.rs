use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::manifest::{Index, Manifest, NewerMinor, NoManifest, SegmentInfo, Trailer};
use super::{crc, names, push_crc, segment, wal};
use crate::ids::{CollectionId, EntityId};

const USERS: CollectionId = CollectionId::new(1);
const FIRST: EntityId = EntityId::new([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
/// `{"v": 1, "name": "n1"}`.
const ENTITY: &[u8] = b"\xa2\x61v\x01\x64name\x62n1";

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

/// Overwrites the last four bytes with the CRC of those before, so that damage gets past it.
fn reseal(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 4);
    push_crc(bytes, 0);
}

#[test]
fn crc_is_that_of_zlib() {
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc(b""), 0);
}

#[test]
fn version_1_log_records_are_those_entidb_writes() {
    let (collection, entity, before) = (USERS, FIRST, None);
    let rows = [
        (wal::Body::Begin { txid: 1 }, "4557414c0100010800000001000000000000006971fd21"),
        (
            wal::Body::Put { txid: 1, collection, entity, before, after: ENTITY },
            "4557414c0100022d000000010000000000000001000000000000000000000000000000000000010\
             00c000000a2617601646e616d65626e310adeb7f6",
        ),
        (
            wal::Body::Commit { txid: 1, sequence: 1 },
            "4557414c01000410000000010000000000000001000000000000003949a089",
        ),
        (wal::Body::Begin { txid: 2 }, "4557414c0100010800000002000000000000008a7672af"),
        (
            wal::Body::Delete { txid: 2, collection, entity, before },
            "4557414c0100031d000000020000000000000001000000000000000000000000000000000000010\
             0ee0b7e0b",
        ),
        (
            wal::Body::Commit { txid: 2, sequence: 2 },
            "4557414c0100041000000002000000000000000200000000000000 28fae72e",
        ),
    ];
    for (body, hex) in rows {
        let mut bytes = Vec::new();
        wal::encode(&body, None, &mut bytes);
        assert_eq!(bytes, unhex(hex));
        assert_eq!(wal::decode(&bytes), Ok((wal::Record { stamp: None, body }, bytes.len())));
    }
}

#[test]
fn segment_records_are_those_entidb_writes() {
    let put =
        segment::Record { collection: USERS, entity: FIRST, sequence: 1, payload: Some(ENTITY) };
    let tombstone = segment::Record { sequence: 2, payload: None, ..put };
    let rows = [
        (
            put,
            "31000000 01000000 00000000000000000000000000000001 00 0100000000000000 \
             a2617601646e616d65626e31 68bf899c",
        ),
        (
            tombstone,
            "25000000 01000000 00000000000000000000000000000001 01 0200000000000000 b3493826",
        ),
    ];
    for (record, hex) in rows {
        let mut bytes = Vec::new();
        let crc = segment::encode(&record, &mut bytes);
        assert_eq!(bytes, unhex(hex));
        assert_eq!(crc, segment::stored_crc(&bytes));
        assert_eq!(segment::decode(&bytes), Ok((record, bytes.len())));
    }
}

fn users() -> Manifest {
    Manifest {
        next_collection_id: 2,
        collections: BTreeMap::from([("users".into(), USERS)]),
        ..Manifest::default()
    }
}

#[test]
fn manifest_bodies_are_those_entidb_writes() {
    let name = Index {
        collection: USERS,
        path: vec!["name".into()],
        kind: 0,
        unique: false,
        created_at: 2,
    };
    let indexed = Manifest {
        next_index_id: 2,
        indexes: BTreeMap::from([(1, name)]),
        last_checkpoint: Some(2),
        ..users()
    };
    let rows = [
        (
            users(),
            "454d464e0200010000000200000001000000050075736572730100000001000000000000000000000000",
        ),
        (
            indexed,
            "454d464e020001000000020000000100000005007573657273010000000200000000000000010000000\
             10000000000000001000000010004006e616d6500000200000000000000010200000000000000",
        ),
    ];
    for (manifest, hex) in rows {
        assert_eq!(manifest.encode_body(), unhex(hex));
        assert_eq!(Manifest::decode(&unhex(hex)), Err(NoManifest::Foreign));
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
}

#[test]
fn a_version_1_body_is_foreign_too() {
    // As version 2, without the block of indexes.
    let body = "454d464e 0100 0100 0000 02000000 01000000 0500 7573657273 01000000 00";
    assert_eq!(Manifest::decode(&unhex(body)), Err(NoManifest::Foreign));
    let body = "454d464e 0100 0100 0000 01000000 00000000 01 0700000000000000";
    assert_eq!(Manifest::decode(&unhex(body)), Err(NoManifest::Foreign));
}

#[test]
fn newer_versions_are_told_from_damage() {
    let rows = [
        (4, "manifest version", 3, 2),
        (6, "format major version", 2, 1),
        (46, "trailer version", 2, 1),
    ];
    for (offset, what, found, known) in rows {
        let mut bytes = users().encode();
        bytes[offset..offset + 2].copy_from_slice(&u16::to_le_bytes(found));
        let damaged = Manifest::decode(&bytes);
        assert!(matches!(damaged, Err(NoManifest::Corrupt { .. })), "{what}: {damaged:?}");
        reseal(&mut bytes);
        assert_eq!(Manifest::decode(&bytes), Err(NoManifest::Newer { what, found, known }));
    }
    // A newer minor version is read as far as it is known, and written back as it was.
    for (minor, fields) in [(1, &b""[..]), (u16::MAX, b"later fields")] {
        let newer = Some(NewerMinor { format_minor: minor, fields: fields.to_vec() });
        let bytes = Manifest { newer: newer.clone(), ..users() }.encode();
        let decoded = Manifest::decode(&bytes).unwrap();
        assert_eq!(decoded, Manifest { newer, ..users() });
        assert_eq!(decoded.encode(), bytes);
    }
    // An older number than there ever was is no version at all.
    let mut bytes = users().encode();
    bytes[4] = 1;
    reseal(&mut bytes);
    let what = "unknown version number";
    assert_eq!(Manifest::decode(&bytes), Err(NoManifest::Corrupt { offset: 4, what }));
}

#[test]
fn manifests_that_contradict_themselves_are_refused() {
    let info = SegmentInfo { len: 37, records: 1, digest: [0; 32] };
    let long_segment = |len, records| {
        let segments = BTreeMap::from([(1, SegmentInfo { len, records, ..info })]);
        let trailer = Trailer { segments, next_segment_id: 2, ..Trailer::default() };
        Manifest { trailer, ..Manifest::default() }
    };
    let trailer = |segments: &[u64], wals: &[u32]| Manifest {
        trailer: Trailer {
            segments: segments.iter().map(|id| (*id, info)).collect(),
            wals: wals.to_vec(),
            next_segment_id: 5,
            next_generation: 5,
        },
        ..Manifest::default()
    };
    let named = |names: &[(&str, u32)]| Manifest {
        next_collection_id: 9,
        collections: names.iter().map(|(n, id)| ((*n).into(), CollectionId::new(*id))).collect(),
        ..Manifest::default()
    };
    let index = Index { collection: USERS, path: vec![], kind: 1, unique: true, created_at: 1 };
    let long = "n".repeat(256);
    let rows = [
        (named(&[("a", 1), ("b", 1)]), "two collections share a number"),
        (named(&[("a", 9)]), "a collection is numbered above next_collection_id"),
        (named(&[("", 1)]), "a collection's name is empty or too long"),
        (named(&[(&long, 1)]), "a collection's name is empty or too long"),
        (trailer(&[5], &[]), "a segment is numbered above next_segment_id"),
        (long_segment(37, 0), "a segment's length does not fit its number of records"),
        (long_segment(73, 2), "a segment's length does not fit its number of records"),
        (long_segment(1 << 32, 1), "a segment's length does not fit its number of records"),
        (trailer(&[], &[5]), "a WAL is numbered above next_generation"),
        (trailer(&[], &[1, 2, 3]), "more than two live WAL files"),
        (
            Manifest { indexes: BTreeMap::from([(1, index)]), ..Manifest::default() },
            "an index is numbered above next_index_id",
        ),
    ];
    for (manifest, what) in rows {
        let refused = NoManifest::Corrupt { offset: 0, what };
        assert_eq!(Manifest::decode(&manifest.encode()), Err(refused));
    }
}

#[test]
fn length_and_count_fields_are_believed_only_as_far_as_there_are_bytes() {
    let mut bytes = Vec::new();
    wal::encode(&wal::Body::Begin { txid: 1 }, None, &mut bytes);
    let max = u32::try_from(wal::PAYLOAD_LEN_MAX).unwrap();
    for (length, expected) in [
        (max, wal::NoRecord::Short),
        (max + 1, wal::NoRecord::Invalid),
        (u32::MAX, wal::NoRecord::Invalid),
    ] {
        bytes[7..11].copy_from_slice(&length.to_le_bytes());
        assert_eq!(wal::decode(&bytes), Err(expected));
    }
    let mut record = vec![0xff; 100];
    assert_eq!(segment::decode(&record), Err(segment::NoRecord::Short));
    for below in [0, 36] {
        record[..4].copy_from_slice(&u32::to_le_bytes(below));
        assert_eq!(segment::decode(&record), Err(segment::NoRecord::Length(below)));
    }
    // Counts of collections and indexes in the body, of segments and WAL files in the trailer.
    for offset in [14, 26, 49, 53] {
        let mut bytes = Manifest::default().encode();
        bytes[offset..offset + 4].fill(0xff);
        reseal(&mut bytes);
        let refused = Manifest::decode(&bytes);
        assert!(matches!(refused, Err(NoManifest::Corrupt { .. })), "{offset}: {refused:?}");
    }
}

#[test]
fn names_are_padded_and_parsed_strictly() {
    let rows = [(1, "wal-000001.log"), (999_999, "wal-999999.log"), (1_000_000, "wal-1000000.log")];
    for (generation, name) in rows {
        assert_eq!(names::wal(generation), name);
        assert_eq!(names::parse_wal(name), Some(generation));
    }
    assert_eq!(names::parse_segment("seg-000042.dat"), Some(42));
    assert_eq!(names::segment_path(1_234_567), "SEGMENTS/seg-1234567.dat");
    let foreign = [
        "wal-1.log",
        "wal-0000001.log",
        "wal-+00001.log",
        "wal-00000x.log",
        "wal-.log",
        "wal.log",
        "WAL-000001.log",
        "wal-000001.log~",
        "wal-4294967296.log",
    ];
    for name in foreign {
        assert_eq!(names::parse_wal(name), None, "{name}");
        let segment = name.replace("wal", "seg").replace(".log", ".dat");
        let beyond = segment == "seg-4294967296.dat";
        assert_eq!(names::parse_segment(&segment), beyond.then_some(1 << 32), "{segment}");
    }
}

/// The fields of some bytes, one to a line: offset, bytes, meaning.
fn dump(bytes: &[u8], fields: &[(usize, &str)]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (len, meaning) in fields {
        let _ = writeln!(text, "{at:04x}  {}  {meaning}", hex::encode(&bytes[at..at + len]));
        at += len;
    }
    assert_eq!(at, bytes.len(), "every byte has a meaning");
    text
}

#[test]
fn version_2_log_records_are_as_documented() {
    let mut bytes = Vec::new();
    let stamp = |bytes: &Vec<u8>, synced_to| {
        Some(wal::Stamp { generation: 3, offset: bytes.len() as u64, synced_to })
    };
    let bodies = [
        wal::Body::Checkpoint { cut: 7, reserved: Some(65_536) },
        wal::Body::Begin { txid: 8 },
        wal::Body::Put { txid: 8, collection: USERS, entity: FIRST, before: None, after: ENTITY },
        wal::Body::Commit { txid: 8, sequence: 8 },
    ];
    for body in bodies {
        let stamp = stamp(&bytes, 7);
        wal::encode(&body, stamp.as_ref(), &mut bytes);
    }
    let head = |kind| {
        [
            (4, "magic"),
            (2, "version"),
            (1, kind),
            (4, "length of the payload"),
            (4, "generation"),
            (8, "offset"),
            (8, "synced_to"),
        ]
    };
    let fields = [
        head("CHECKPOINT").as_slice(),
        &[(8, "cut"), (8, "reserved"), (4, "crc")],
        &head("BEGIN"),
        &[(8, "txid"), (4, "crc")],
        &head("PUT"),
        &[(8, "txid"), (4, "collection"), (16, "entity"), (1, "no hash"), (4, "length")],
        &[(12, "entity's content"), (4, "crc")],
        &head("COMMIT"),
        &[(8, "txid"), (8, "sequence"), (4, "crc")],
    ]
    .concat();
    insta::assert_snapshot!(dump(&bytes, &fields));
}

#[test]
fn manifests_are_as_documented() {
    let segment = SegmentInfo { len: 49, records: 1, digest: [0xd1; 32] };
    let manifest = Manifest {
        last_checkpoint: Some(7),
        trailer: Trailer {
            next_segment_id: 2,
            next_generation: 4,
            segments: BTreeMap::from([(1, segment)]),
            wals: vec![3],
        },
        ..users()
    };
    let fields = [
        (4, "magic of the body"),
        (2, "manifest version"),
        (2, "format major version"),
        (2, "format minor version"),
        (4, "next collection id"),
        (4, "count of collections"),
        (2, "length of the name"),
        (5, "name"),
        (4, "collection id"),
        (8, "next index id"),
        (4, "count of indexes"),
        (1, "there is a checkpoint"),
        (8, "last checkpoint"),
        (4, "magic of the trailer"),
        (2, "trailer version"),
        (8, "next segment id"),
        (4, "next generation"),
        (4, "count of segments"),
        (8, "segment id"),
        (8, "length of the segment"),
        (8, "records"),
        (32, "digest"),
        (4, "count of live WAL files"),
        (4, "generation"),
        (4, "crc"),
    ];
    insta::assert_snapshot!(dump(&manifest.encode(), &fields));
}

prop_compose! {
    fn key()(txid: u64, collection: u32, entity: [u8; 16], hash: Option<[u8; 32]>)
        -> (u64, CollectionId, EntityId, Option<[u8; 32]>)
    {
        (txid, CollectionId::new(collection), EntityId::new(entity), hash)
    }
}

prop_compose! {
    fn stamps()(generation: u32, offset: u64, synced_to: u64) -> wal::Stamp {
        wal::Stamp { generation, offset, synced_to }
    }
}

/// A whole WAL record of any kind, in either version.
fn wal_records() -> impl Strategy<Value = Vec<u8>> {
    let parts =
        (0..6, key(), vec(any::<u8>(), 0..80), any::<[u64; 2]>(), prop::option::of(stamps()));
    parts.prop_map(|(kind, (txid, collection, entity, hash), after, [a, b], stamp)| {
        let before = hash.as_ref();
        let body = match kind {
            0 => wal::Body::Begin { txid },
            1 => wal::Body::Put { txid, collection, entity, before, after: &after },
            2 => wal::Body::Delete { txid, collection, entity, before },
            3 => wal::Body::Commit { txid, sequence: a },
            4 => wal::Body::Abort { txid },
            _ => wal::Body::Checkpoint { cut: a, reserved: stamp.map(|_| b) },
        };
        let mut bytes = Vec::new();
        wal::encode(&body, stamp.as_ref(), &mut bytes);
        let expected = wal::Record { stamp, body };
        assert_eq!(wal::decode(&bytes), Ok((expected, bytes.len())));
        bytes
    })
}

fn segment_records() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop::option::of(vec(any::<u8>(), 0..80));
    (key(), payload).prop_map(|((sequence, collection, entity, _), payload)| {
        let payload = payload.as_deref();
        let record = segment::Record { collection, entity, sequence, payload };
        let mut bytes = Vec::new();
        segment::encode(&record, &mut bytes);
        assert_eq!(segment::decode(&bytes), Ok((record, bytes.len())));
        bytes
    })
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let index = (any::<u32>(), vec("[a-z]{0,3}", 0..3), 0..2_u8, any::<bool>(), any::<u64>());
    let indexes = btree_map(0..50_u64, index, 0..3);
    let info = (1..1000_u64, 0..1000_u64, any::<[u8; 32]>()).prop_map(|(records, more, digest)| {
        SegmentInfo { len: 37 * records + more, records, digest }
    });
    let segments = btree_map(0..1000_u64, info, 0..4);
    let wals = prop::collection::btree_set(0..1000_u32, 0..3);
    let names = prop::collection::btree_set("\\PC{1,8}", 0..5);
    (names, indexes, any::<Option<u64>>(), segments, wals, any::<u32>()).prop_map(
        |(names, indexes, last_checkpoint, segments, wals, spare)| {
            let numbers = (1..).map(CollectionId::new);
            let collections: BTreeMap<String, CollectionId> =
                names.into_iter().zip(numbers).collect();
            let indexes =
                indexes.into_iter().map(|(id, (collection, path, kind, unique, created_at))| {
                    let collection = CollectionId::new(collection);
                    (id, Index { collection, path, kind, unique, created_at })
                });
            Manifest {
                next_collection_id: u32::try_from(collections.len()).unwrap() + 1 + spare % 9,
                collections,
                next_index_id: 50 + u64::from(spare),
                indexes: indexes.collect(),
                last_checkpoint,
                newer: None,
                trailer: Trailer {
                    next_segment_id: 1000 + u64::from(spare),
                    next_generation: 1000 + spare % 1000,
                    segments,
                    wals: wals.into_iter().collect(),
                },
            }
        },
    )
}

/// Some bytes overwritten, and the end sealed again: damage that the CRC does not catch.
fn mutated(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    (bytes, changes, any::<bool>()).prop_map(|(mut bytes, changes, sealed)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if sealed {
            reseal(&mut bytes);
        }
        bytes
    })
}

/// What is accepted has no other encoding.
fn check_wal_bijection(bytes: &[u8]) {
    if let Ok((record, len)) = wal::decode(bytes) {
        let mut again = Vec::new();
        wal::encode(&record.body, record.stamp.as_ref(), &mut again);
        assert_eq!(again, bytes[..len]);
    }
}

fn check_segment_bijection(bytes: &[u8]) {
    if let Ok((record, len)) = segment::decode(bytes) {
        let mut again = Vec::new();
        segment::encode(&record, &mut again);
        assert_eq!(again, bytes[..len]);
    }
}

fn check_manifest_bijection(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(manifest.encode(), bytes);
    }
}

proptest! {
    #[test]
    fn wal_records_have_one_encoding(bytes in wal_records(), mutated in mutated(wal_records())) {
        check_wal_bijection(&bytes);
        check_wal_bijection(&mutated);
    }

    #[test]
    fn segment_records_have_one_encoding(
        bytes in segment_records(),
        mutated in mutated(segment_records()),
    ) {
        check_segment_bijection(&bytes);
        check_segment_bijection(&mutated);
    }

    #[test]
    fn manifests_have_one_encoding(
        manifest in manifests(),
        mutated in mutated(manifests().prop_map(|manifest| manifest.encode())),
    ) {
        let bytes = manifest.encode();
        prop_assert_eq!(Manifest::decode(&bytes), Ok(manifest));
        check_manifest_bijection(&mutated);
    }

    #[test]
    fn decoders_take_any_bytes(mut bytes in vec(any::<u8>(), 4..200), magic in 0..4) {
        match magic {
            0 => bytes[..4].copy_from_slice(&wal::MAGIC),
            1 => bytes[..4].copy_from_slice(b"EMFN"),
            2 => {
                let len = u32::try_from(bytes.len()).unwrap();
                bytes[..4].copy_from_slice(&len.to_le_bytes());
                reseal(&mut bytes);
            }
            _ => {}
        }
        check_wal_bijection(&bytes);
        check_segment_bijection(&bytes);
        check_manifest_bijection(&bytes);
    }

    #[test]
    fn a_manifest_cut_or_extended_anywhere_is_refused(
        manifest in manifests(),
        cut in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 1..20),
    ) {
        let bytes = manifest.encode();
        let body = manifest.encode_body().len();
        let cut = cut.index(bytes.len());
        let refused = Manifest::decode(&bytes[..cut]);
        // A file that ends at the body is what EntiDB itself writes.
        prop_assert_eq!(refused == Err(NoManifest::Foreign), cut == body);
        prop_assert!(refused.is_err());
        prop_assert!(Manifest::decode(&[bytes, more].concat()).is_err());
    }
}
