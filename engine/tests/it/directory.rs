//! Arbitrary and damaged directories: an open never panics, is typed, and lies about nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use entidb_engine::format::manifest::{Manifest, SegmentInfo};
use entidb_engine::storage::{FileStorage, MemStorage};
use entidb_engine::{Database, Error, ErrorClass, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::memory::largest_block;
use crate::support::{
    Contents, Files, READ_ONLY, SMALL, closed_store, contents, crashed_store, id, is_sidecar, open,
    try_contents, try_open,
};

static CLOSED: LazyLock<Files> = LazyLock::new(closed_store);
static CRASHED: LazyLock<Files> = LazyLock::new(crashed_store);

/// Overwrites the CRC that ends some bytes, so that damage before it is not caught by it.
fn reseal(bytes: &mut Vec<u8>) {
    let len = bytes.len().saturating_sub(4);
    bytes.truncate(len);
    let sum = crc32fast::hash(bytes);
    bytes.extend(sum.to_le_bytes());
}

/// Opens a directory and reads all of it. Whatever opens must read, or fail with a typed error.
fn survive(files: &Files, options: Options) -> Result<Contents, Error> {
    let db = try_open(MemStorage::restore(files), options)?;
    let shown = try_contents(&db)?;
    // A handle that is read-only has nothing to close.
    db.verify()?;
    db.close()?;
    Ok(shown)
}

fn check_class(error: &Error) {
    let class = error.class();
    let expected = matches!(
        class,
        ErrorClass::Corrupt
            | ErrorClass::Foreign
            | ErrorClass::NewerVersion
            | ErrorClass::NeedsRecovery
            | ErrorClass::Invalid
            | ErrorClass::Io
            | ErrorClass::NotFound
    );
    assert!(expected, "{error}");
}

fn base() -> impl Strategy<Value = Files> {
    prop_oneof![Just(CLOSED.clone()), Just(CRASHED.clone())]
}

#[derive(Debug, Clone)]
enum Damage {
    Overwrite(Index, Index, u8),
    Truncate(Index, Index),
    Extend(Index, Vec<u8>),
    Remove(Index),
    Exchange(Index, Index),
    Duplicate(Index, &'static str),
    /// Damage to MANIFEST that its CRC vouches for.
    Forge(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let names = [
        "MANIFEST",
        "wal.log",
        "wal-000002.log",
        "wal-000077.log",
        "SEGMENTS/seg-000001.dat",
        "SEGMENTS/seg-000099.dat",
        "INDEX/seg-000001.idx",
        "stray",
    ];
    prop_oneof![
        (at(), at(), any::<u8>()).prop_map(|(file, at, to)| Damage::Overwrite(file, at, to)),
        (at(), at()).prop_map(|(file, at)| Damage::Truncate(file, at)),
        (at(), vec(any::<u8>(), 1..20)).prop_map(|(file, more)| Damage::Extend(file, more)),
        at().prop_map(Damage::Remove),
        (at(), at()).prop_map(|(one, other)| Damage::Exchange(one, other)),
        (at(), prop::sample::select(names.to_vec()))
            .prop_map(|(file, name)| Damage::Duplicate(file, name)),
        (at(), any::<u8>()).prop_map(|(at, to)| Damage::Forge(at, to)),
    ]
}

fn inflict(files: &mut Files, damage: &Damage) {
    let names: Vec<String> = files.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let pick = |at: &Index| at.get(&names).clone();
    match damage {
        Damage::Overwrite(file, at, to) => {
            let bytes = files.get_mut(&pick(file)).unwrap();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = *to;
            }
        }
        Damage::Truncate(file, at) => {
            let bytes = files.get_mut(&pick(file)).unwrap();
            bytes.truncate(at.index(bytes.len() + 1));
        }
        Damage::Extend(file, more) => files.get_mut(&pick(file)).unwrap().extend(more),
        Damage::Remove(file) => drop(files.remove(&pick(file))),
        Damage::Exchange(one, other) => {
            let (one, other) = (pick(one), pick(other));
            let (first, second) = (files[&one].clone(), files[&other].clone());
            files.insert(one, second);
            files.insert(other, first);
        }
        Damage::Duplicate(file, name) => {
            let bytes = files[&pick(file)].clone();
            files.insert((*name).into(), bytes);
        }
        Damage::Forge(at, to) => {
            if let Some(bytes) = files.get_mut("MANIFEST").filter(|bytes| bytes.len() > 4) {
                let at = at.index(bytes.len() - 4);
                bytes[at] = *to;
                reseal(bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_directories_open_or_fail_with_a_typed_error(
        mut files in base(),
        damages in vec(damage(), 1..4),
    ) {
        for damage in &damages {
            inflict(&mut files, damage);
        }
        for options in [SMALL, READ_ONLY] {
            match survive(&files, options) {
                Err(error) => check_class(&error),
                Ok(shown) => prop_assert!(shown.len() < 100),
            }
        }
    }

    #[test]
    fn arbitrary_directories_open_or_fail_with_a_typed_error(
        bytes in vec(vec(any::<u8>(), 0..300), 4),
        present in any::<[bool; 4]>(),
        sealed in any::<bool>(),
    ) {
        let names = ["MANIFEST", "wal.log", "wal-000001.log", "SEGMENTS/seg-000001.dat"];
        let mut files = Files::new();
        for ((name, mut bytes), present) in names.into_iter().zip(bytes).zip(present) {
            if name == "MANIFEST" && sealed {
                bytes.splice(..0, *b"EMFN\x02\x00\x01\x00\x00\x00");
                reseal(&mut bytes);
            }
            if present {
                files.insert(name.into(), bytes);
            }
        }
        if let Err(error) = survive(&files, SMALL) {
            check_class(&error);
        }
    }
}

/// Every bit of every file of a closed store: found out, or of no consequence.
#[test]
fn no_flipped_bit_of_a_closed_store_goes_unnoticed_and_shows() {
    let shown = contents(&open(&MemStorage::restore(&CLOSED)));
    let mut detected = 0;
    let mut total = 0;
    for (name, bytes) in CLOSED.iter().filter(|(name, _)| !is_sidecar(name)) {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut files = CLOSED.clone();
                files.get_mut(name).unwrap()[at] ^= 1 << bit;
                total += 1;
                match survive(&files, READ_ONLY) {
                    Ok(other) => assert_eq!(other, shown, "{name}: bit {bit} of byte {at}"),
                    Err(error) => {
                        let corrupt = error.class() == ErrorClass::Corrupt;
                        assert!(corrupt, "{name}: bit {bit} of byte {at}: {error}");
                        detected += 1;
                    }
                }
            }
        }
    }
    assert_eq!(detected, total, "a closed store has no byte that does not matter");
}

#[test]
fn no_file_of_a_closed_store_can_be_cut_or_extended_unnoticed() {
    let vouched = |name: &str| name == "MANIFEST" || name.starts_with("SEGMENTS/");
    for (name, bytes) in CLOSED.iter().filter(|(name, _)| vouched(name)) {
        for len in 0..bytes.len() {
            let mut files = CLOSED.clone();
            files.get_mut(name).unwrap().truncate(len);
            assert!(survive(&files, READ_ONLY).is_err(), "{name} cut to {len} bytes");
        }
        let mut files = CLOSED.clone();
        files.get_mut(name).unwrap().push(0);
        assert!(survive(&files, READ_ONLY).is_err(), "{name} extended");
    }
}

/// A segment changed behind an open handle: what a read returns is what was there at open.
#[test]
fn every_read_checks_the_record_it_returns() {
    let path = tempfile::tempdir().unwrap();
    let root = path.path().join("store");
    copy(&CLOSED, &root);
    let shown = contents(&Database::open(&root, SMALL).unwrap());
    let name = "SEGMENTS/seg-000001.dat";
    let original = &CLOSED[name];
    for at in 0..original.len() {
        let db = Database::open(&root, READ_ONLY).unwrap();
        let mut damaged = original.clone();
        damaged[at] ^= 1;
        overwrite(&root, name, &damaged);
        match try_contents(&db) {
            Ok(other) => assert_eq!(other, shown, "byte {at}"),
            Err(error) => assert_eq!(error.class(), ErrorClass::Corrupt, "byte {at}: {error}"),
        }
        assert!(db.verify().is_err(), "byte {at}");
        overwrite(&root, name, original);
    }
    // A whole record with a CRC of its own, but not the one that was there.
    let db = Database::open(&root, READ_ONLY).unwrap();
    let mut forged = original.clone();
    let record = forged.len();
    forged[25] ^= 2; // the record's sequence
    reseal(&mut forged);
    assert_eq!(forged.len(), record, "the segment holds one record");
    overwrite(&root, name, &forged);
    let got = db.get(db.collection("users").unwrap(), id(1)).unwrap_err().to_string();
    assert!(got.contains("not the record that was sealed here"), "{got}");
    let scanned = try_contents(&db).unwrap_err().to_string();
    assert!(scanned.contains("digest mismatch"), "{scanned}");
}

fn copy(files: &Files, root: &std::path::Path) {
    for dir in ["SEGMENTS", "INDEX"] {
        std::fs::create_dir_all(root.join(dir)).unwrap();
    }
    for (name, bytes) in files {
        std::fs::write(root.join(name), bytes).unwrap();
    }
}

/// Writes in place: whoever has the file mapped sees it.
fn overwrite(root: &std::path::Path, name: &str, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().write(true).open(root.join(name)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

/// Length and count fields ask for nothing that the bytes do not bear out.
#[test]
fn absurd_lengths_ask_for_no_memory() {
    let most = 1 << 20;
    let crashed = &*CRASHED;
    let mut rows: BTreeMap<String, Files> = BTreeMap::new();
    for at in 0..crashed["MANIFEST"].len() - 8 {
        let mut files = crashed.clone();
        let bytes = files.get_mut("MANIFEST").unwrap();
        bytes[at..at + 4].fill(0xff);
        reseal(bytes);
        rows.insert(format!("MANIFEST at {at}"), files);
    }
    for at in 0..120 {
        let mut files = crashed.clone();
        files.get_mut("wal-000002.log").unwrap()[at..at + 4].copy_from_slice(&[0, 0, 0, 4]);
        rows.insert(format!("WAL at {at}"), files);
    }
    for at in [0, 1] {
        let mut files = crashed.clone();
        files.get_mut("SEGMENTS/seg-000001.dat").unwrap()[at..at + 4].fill(0x7f);
        rows.insert(format!("segment at {at}"), files);
    }
    for (case, files) in rows {
        let storage = MemStorage::restore(&files);
        let (largest, opened) = largest_block(|| try_open(storage, SMALL).map(drop));
        assert!(largest < most, "{case}: {largest} bytes at once");
        if let Err(error) = opened {
            check_class(&error);
        }
    }
}

#[test]
fn a_file_of_any_length_is_read_with_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let grow = |name: &str, len: u64| {
        let root = dir.path().join(name.replace('/', "-"));
        copy(&CRASHED, &root);
        std::fs::OpenOptions::new()
            .write(true)
            .open(root.join(name))
            .and_then(|file| file.set_len(len))
            .unwrap();
        let storage = FileStorage::new(root);
        largest_block(|| try_open(storage, SMALL).map(drop))
    };
    // Sparse files: a terabyte of MANIFEST or segment, 64 MiB of WAL.
    let (largest, opened) = grow("MANIFEST", 1 << 40);
    assert!(largest < 1 << 20 && opened.is_err(), "{largest} bytes at once");
    let (largest, opened) = grow("SEGMENTS/seg-000001.dat", 1 << 40);
    assert!(largest < 1 << 20 && opened.is_err(), "{largest} bytes at once");
    let (largest, opened) = grow("wal-000002.log", 64 << 20);
    assert!(largest < 1 << 20 && opened.is_ok(), "{largest} bytes at once");
}

/// The entry of the first segment.
fn first(manifest: &mut Manifest) -> &mut SegmentInfo {
    manifest.trailer.segments.values_mut().next().unwrap()
}

#[test]
fn a_forged_segment_list_is_corrupt() {
    let forgeries: [fn(&mut Manifest); 5] = [
        |manifest| first(manifest).records += 1,
        |manifest| first(manifest).digest[0] ^= 1,
        |manifest| first(manifest).len -= 1,
        |manifest| manifest.last_checkpoint = Some(2),
        |manifest| manifest.last_checkpoint = None,
    ];
    for forge in forgeries {
        let mut files = CLOSED.clone();
        let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
        forge(&mut manifest);
        files.insert("MANIFEST".into(), manifest.encode());
        let error = survive(&files, READ_ONLY).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");
    }
}
