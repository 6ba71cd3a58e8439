//! The bodies of the fuzz targets, on any compiler: over the corpus, over what once failed, and over
//! inputs that a seed damages. And that the corpus, the dictionaries and the targets are in order.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod faults;
mod house;
mod inputs;
mod second_reader;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proofhouse_fuzz_bodies::Target;

/// The directory of the fuzz targets.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The files of a directory, by name; none if it is not there.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(dir) else { return BTreeMap::new() };
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(|entry| read(entry.unwrap())).collect()
}

/// The inputs of a target that are checked in: its corpus, and what once failed.
fn checked_in(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let kinds = ["corpus", "regressions"];
    let all = kinds.iter().flat_map(|kind| {
        let dir = fuzz().join(kind).join(target.name);
        files(&dir).into_iter().map(move |(name, input)| (format!("{kind}/{name}"), input))
    });
    all.collect()
}
