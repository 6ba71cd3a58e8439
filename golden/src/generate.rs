//! Making the vectors: deterministic, text for text.

mod appendix_a;
mod build;
mod containers;
mod coverage;
mod entidb;
mod floats;
mod group;
mod hash;
mod integers;
mod literal;
mod malformed;
mod manifest;
mod maps;
mod name;
mod release;
mod rows;
mod script;
mod segment;
mod segment_record;
mod store;
mod text;
mod wal_log;
mod wal_record;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::families::{self, CBOR, FAMILIES, GOLDEN_ENTIDB, SCRIPT};
use crate::file::{Entry, FORMAT, FamilyEntry, FamilyFile, INDEX, Index, VERSION};
use crate::vectors::sha256;

/// The table of what is covered, beside the data.
const COVERAGE: &str = "COVERAGE.md";

/// The files of `vectors/` by name, README aside: exactly what is checked in. Names use `/`.
pub fn generate() -> BTreeMap<String, Vec<u8>> {
    let groups = [
        appendix_a::groups(),
        integers::groups(),
        containers::groups(),
        maps::groups(),
        floats::groups(),
        text::groups(),
        malformed::groups(),
    ];
    let mut cbor = Family {
        name: CBOR,
        file: "cbor.json",
        about: "Canonical CBOR: RFC 8949 section 4.2.1, strict, under two profiles.",
        entries: Vec::new(),
        files: BTreeMap::new(),
    };
    for (entry, file) in groups.into_iter().flatten().flat_map(group::Group::finish) {
        cbor.entries.push(entry);
        cbor.files.extend(file);
    }
    let golden_entidb = Family {
        name: GOLDEN_ENTIDB,
        file: "golden_entidb.json",
        about: "Records and files as EntiDB 2.0.0-alpha.3 (format 1.0) writes them.",
        entries: entidb::entries(),
        files: BTreeMap::new(),
    };
    let plain = FAMILIES.iter().map(|family| Family {
        name: family.name,
        file: family.file,
        about: family.about,
        entries: plain_entries(family.name),
        files: BTreeMap::new(),
    });
    let script = Family {
        name: SCRIPT,
        file: "script.json",
        about: "Operations with every outcome due, in the terms of docs/protocol.md.",
        entries: script::entries(),
        files: BTreeMap::new(),
    };
    let families: Vec<Family> =
        [cbor, golden_entidb].into_iter().chain(plain).chain([script]).collect();
    let coverage = coverage::table(&families).into_bytes();
    let mut files = assemble(families);
    files.insert(COVERAGE.to_owned(), coverage);
    files
}

/// The vectors of a family whose values are compared as they are written.
fn plain_entries(family: &str) -> Vec<Entry> {
    match family {
        families::HASH => hash::entries(),
        families::NAME => name::entries(),
        families::WAL_RECORD => wal_record::entries(),
        families::SEGMENT_RECORD => segment_record::entries(),
        families::MANIFEST => manifest::entries(),
        families::WAL_LOG => wal_log::entries(),
        families::SEGMENT => segment::entries(),
        families::STORE => store::entries(),
        families::RELEASE => release::entries(),
        _ => Vec::new(),
    }
}

/// A family about to be written.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) about: &'static str,
    pub(crate) entries: Vec<Entry>,
    /// Files beside the JSON.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

pub(crate) fn assemble(families: Vec<Family>) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut index = Vec::new();
    for mut family in families {
        let vectors = family.entries.len();
        let text = lines(&FamilyFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            family: family.name.to_owned(),
            about: family.about.to_owned(),
            vectors: family.entries,
        });
        family.files.insert(family.file.to_owned(), text.into_bytes());
        index.push(FamilyEntry {
            family: family.name.to_owned(),
            vectors,
            file: family.file.to_owned(),
            sha256: family.files.iter().map(|(name, it)| (name.clone(), sha256(it))).collect(),
        });
        files.extend(family.files);
    }
    let index = Index { format: FORMAT.to_owned(), version: VERSION, families: index };
    files.insert(INDEX.to_owned(), json(&index, true).into_bytes());
    files
}

/// A family's file: one vector a line, so that a changed vector is a changed line.
fn lines(family: &FamilyFile) -> String {
    let quoted = |text: &String| json(text, false);
    let vectors: Vec<_> = family.vectors.iter().map(|entry| json(entry, false)).collect();
    format!(
        "{{\"format\": {}, \"version\": {},\n\"family\": {},\n\"about\": {},\n\"vectors\": [\n{}\n]}}\n",
        quoted(&family.format),
        family.version,
        quoted(&family.family),
        quoted(&family.about),
        vectors.join(",\n"),
    )
}

#[expect(clippy::expect_used, reason = "strings, numbers, lists and string-keyed maps only")]
fn json(value: &impl Serialize, pretty: bool) -> String {
    if pretty {
        let text = serde_json::to_string_pretty(value).expect("plain data has a JSON text");
        return text + "\n";
    }
    serde_json::to_string(value).expect("plain data has a JSON text")
}
