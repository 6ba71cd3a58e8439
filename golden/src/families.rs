//! The families of vectors: which there are, and what each is checked under.

/// Canonical CBOR.
pub const CBOR: &str = "cbor";
/// `EntiDB`'s own records and files.
pub const GOLDEN_ENTIDB: &str = "golden-entidb";
/// The two checksums of the format.
pub const HASH: &str = "hash";
/// Names of files and collections, and the order of keys.
pub const NAME: &str = "name";
/// One record of a write-ahead log.
pub const WAL_RECORD: &str = "wal-record";
/// One record of a segment.
pub const SEGMENT_RECORD: &str = "segment-record";
/// A whole MANIFEST.
pub const MANIFEST: &str = "manifest";

/// A whole write-ahead log.
pub const WAL_LOG: &str = "wal-log";
/// A whole segment.
pub const SEGMENT: &str = "segment";
/// The directory of a whole store.
pub const STORE: &str = "store";
/// The directory of a store that a release wrote.
pub const RELEASE: &str = "release-store";
/// Operations with every outcome due, for drivers.
pub const SCRIPT: &str = "script";

/// The setting of [`STORE`] and [`RELEASE`] under which it may be recovered.
pub(crate) const WRITABLE: &str = "writable";
/// The setting of [`STORE`] and [`RELEASE`] under which nothing may be written.
pub(crate) const READ_ONLY: &str = "read-only";
/// The setting of every other family that is about the bytes on disk.
pub(crate) const FORMAT_1: &str = "format-1.0";

/// What a family is, whatever its vectors hold.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// Its file in the directory.
    pub(crate) file: &'static str,
    pub(crate) about: &'static str,
    /// What its vectors are checked under; each vector has an outcome for each.
    pub(crate) settings: &'static [&'static str],
    /// By which classes bytes are refused.
    pub(crate) classes: &'static [&'static str],
}

/// The families whose values are compared as they are written, in the order of the index.
pub(crate) const FAMILIES: &[Family] = &[
    Family {
        name: HASH,
        file: "hash.json",
        about: "The checksums of the format: CRC-32 as in IEEE 802.3, and SHA-256.",
        settings: &[FORMAT_1],
        classes: &[],
    },
    Family {
        name: NAME,
        file: "name.json",
        about: "Names of files and collections, and the order of keys (docs/format.md, 1 to 3).",
        settings: &[FORMAT_1],
        classes: &["foreign", "invalid"],
    },
    Family {
        name: WAL_RECORD,
        file: "wal_record.json",
        about: "Single records of a write-ahead log (docs/format.md, 4).",
        settings: &[FORMAT_1],
        classes: &["short", "invalid", "version-1"],
    },
    Family {
        name: SEGMENT_RECORD,
        file: "segment_record.json",
        about: "Single records of a segment (docs/format.md, 3).",
        settings: &[FORMAT_1],
        classes: &["short", "length", "crc", "flags"],
    },
    Family {
        name: MANIFEST,
        file: "manifest.json",
        about: "Whole MANIFEST files (docs/format.md, 2).",
        settings: &[FORMAT_1],
        classes: &["corrupt", "foreign", "newer-version"],
    },
    Family {
        name: WAL_LOG,
        file: "wal_log.json",
        about: "Whole write-ahead logs: clean, torn, and corrupt (docs/format.md, 4).",
        settings: &[FORMAT_1],
        classes: &["corrupt"],
    },
    Family {
        name: SEGMENT,
        file: "segment.json",
        about: "Whole segments, with what MANIFEST says of them (docs/format.md, 2 and 3).",
        settings: &[FORMAT_1],
        classes: &["corrupt"],
    },
    Family {
        name: STORE,
        file: "store.json",
        about: "Whole stores: closed, killed, newer, foreign, damaged (docs/format.md, 5).",
        settings: &[WRITABLE, READ_ONLY],
        classes: &["corrupt", "foreign", "newer-version", "needs-recovery", "no-store"],
    },
    Family {
        name: RELEASE,
        file: "stores/releases.json",
        about: "Whole stores as each release of the engine wrote them, closed and killed.",
        settings: &[WRITABLE, READ_ONLY],
        classes: &["corrupt", "foreign", "newer-version", "needs-recovery", "no-store"],
    },
];

/// The names of all families, in the order of the index.
pub fn all() -> impl Iterator<Item = &'static str> {
    let plain = FAMILIES.iter().map(|family| family.name);
    [CBOR, GOLDEN_ENTIDB].into_iter().chain(plain).chain([SCRIPT])
}

/// The family of this name.
pub(crate) fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}
