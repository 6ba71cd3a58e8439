//! Rules of the house that a compiler does not keep.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each package may depend on within the house, tests included.
const ARROWS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("model", &[]),
    ("crash", &[]),
    ("subjects", &["engine", "model", "crash"]),
    ("golden", &["engine", "model"]),
    ("prove", &["engine", "model", "crash", "subjects", "golden"]),
    ("bench", &["engine", "model", "crash", "subjects", "prove", "golden"]),
    ("fuzz/bodies", &["engine", "model", "crash", "subjects", "prove", "golden"]),
];

/// The one file of the engine that may reach the file system, clocks and entropy.
const OUTSIDE: &str = "engine/src/storage/file.rs";

/// Words by which the rest of the engine would reach them.
const BANNED: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::time",
    "SystemTime",
    "Instant::now",
    "RandomState",
    "getrandom",
    "rustix::",
    "libc::",
];

/// Lines of a source file, tests aside.
const LONGEST: usize = 700;

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The packages of the house that a manifest names, in whatever table.
fn dependencies(
    manifest: &toml::Table,
    names: &BTreeMap<String, &'static str>,
) -> Vec<&'static str> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets =
        targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    let parts = [manifest].into_iter().chain(targets);
    let tables = parts.flat_map(|part| kinds.iter().filter_map(|kind| part.get(*kind)?.as_table()));
    tables.flat_map(toml::Table::keys).filter_map(|name| names.get(name).copied()).collect()
}

fn sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn arrows_between_packages_point_down_only() {
    let manifests: Vec<(&str, toml::Table)> = ARROWS
        .iter()
        .map(|(dir, _)| (*dir, read(&house().join(dir).join("Cargo.toml")).parse().unwrap()))
        .collect();
    let names: BTreeMap<String, &str> = manifests
        .iter()
        .map(|(dir, manifest)| (manifest["package"]["name"].as_str().unwrap().to_owned(), *dir))
        .collect();
    for ((dir, manifest), (_, allowed)) in manifests.iter().zip(ARROWS) {
        for other in dependencies(manifest, &names) {
            assert!(allowed.contains(&other), "{dir} must not depend on {other}");
        }
    }
}

#[test]
fn every_package_of_the_workspace_has_its_arrows() {
    let workspace: toml::Table = read(&house().join("Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    for member in members.iter().filter_map(toml::Value::as_str) {
        assert!(ARROWS.iter().any(|(dir, _)| *dir == member), "{member}");
    }
}

#[test]
fn the_engine_reaches_the_system_in_one_file_only() {
    let mut files = Vec::new();
    sources(&house().join("engine/src"), &mut files);
    assert!(files.contains(&house().join(OUTSIDE)));
    for file in files.iter().filter(|file| !file.ends_with(OUTSIDE)) {
        let text = read(file);
        for banned in BANNED {
            assert!(!text.contains(banned), "{} says {banned}", file.display());
        }
    }
}

#[test]
fn source_files_stay_short() {
    let mut files = Vec::new();
    for (dir, _) in ARROWS {
        sources(&house().join(dir).join("src"), &mut files);
    }
    for file in files {
        let lines = read(&file).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", file.display());
    }
}
