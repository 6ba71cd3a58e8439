//! Storage independence: what the engine depends on, and which files it touches.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use entidb_engine::format::names;
use proofhouse_crash::SimDisk;
use proofhouse_model::{GenerateProfile, RunOptions, run};
use serde::Deserialize;

use super::{Context, Measured, Room};
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::verdict::{Evidence, Reason};

/// The engine's surroundings.
pub(super) const ROOM: Room = Room {
    name: "dependencies and files",
    claims: &["AC-05.dependencies", "AC-05.files"],
    split: false,
    measure,
};

/// The lock file this program was built with.
pub(crate) const LOCK: &str = include_str!("../../house/lock.toml");

/// The engine's manifest: a lock file does not tell dependencies of tests from others.
pub(crate) const MANIFEST: &str = include_str!("../../house/engine.toml");

/// What the engine may depend on, directly or not: reviewed, none of it keeps data.
const ALLOWED: &[&str] = &[
    "arc-swap",
    "bitflags",
    "block-buffer",
    "bytes",
    "cfg-if",
    "ciborium-io",
    "ciborium-ll",
    "const-oid",
    "cpufeatures",
    "crunchy",
    "crc32fast",
    "crypto-common",
    "digest",
    "half",
    "hybrid-array",
    "libc",
    "lock_api",
    "memchr",
    "memmap2",
    "parking_lot",
    "parking_lot_core",
    "proc-macro2",
    "quote",
    "redox_syscall",
    "rustversion",
    "scopeguard",
    "sha2",
    "smallvec",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "windows-link",
    "xxhash-rust",
    "zerocopy",
    "zerocopy-derive",
];

/// Parts of the names of databases and of bindings to them.
const DATABASES: &[&str] = &[
    "sqlite",
    "rocksdb",
    "leveldb",
    "lmdb",
    "heed",
    "sled",
    "redb",
    "fjall",
    "lsm-tree",
    "mdbx",
    "jammdb",
    "persy",
    "nebari",
    "canopydb",
    "surrealkv",
    "speedb",
    "wiredtiger",
    "duckdb",
    "turso",
    "limbo",
    "libsql",
    "unqlite",
    "berkeleydb",
    "tantivy",
    "bonsaidb",
    "agatedb",
    "parity-db",
    "native_db",
    "foundationdb",
    "postgres",
    "mysql",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Named,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What an audit of dependencies found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Packages reached from the engine, itself left out.
    pub(crate) packages: u64,
    /// The first package that should not be there, and how it is reached.
    pub(crate) problem: Option<String>,
}

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    match audit(MANIFEST, LOCK) {
        Ok(Audit { packages, problem }) => {
            measured.show("AC-05.dependencies", Evidence::of(packages, packages, "packages"));
            measured
                .findings
                .extend(problem.map(|story| finding(context, "AC-05.dependencies", story)));
        }
        Err(error) => {
            let note = format!("the lock file does not parse: {}", error.message());
            measured.show("AC-05.dependencies", Evidence::stopped(Reason::Skipped, note));
        }
    }
    files(context, &mut measured);
    measured
}

fn finding(context: &Context, claim: &'static str, story: String) -> Finding {
    let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
    context.with_measurement(finding)
}

/// Follows the engine's dependencies through a lock file.
///
/// # Errors
/// A file that is not what it should be.
pub(crate) fn audit(manifest: &str, lock: &str) -> Result<Audit, toml::de::Error> {
    let engine: Manifest = toml::from_str(manifest)?;
    let lock: Lock = toml::from_str(lock)?;
    let mut graph = BTreeMap::<&str, BTreeSet<&str>>::new();
    for package in &lock.package {
        // Several versions of a package stand side by side: `name version`.
        let needs = package.dependencies.iter().filter_map(|named| named.split(' ').next());
        graph.entry(&package.name).or_default().extend(needs);
    }
    let mut paths = BTreeMap::<&str, String>::new();
    let mut todo: Vec<(&str, &str)> = engine
        .dependencies
        .keys()
        .map(|name| (engine.package.name.as_str(), name.as_str()))
        .collect();
    while let Some((from, name)) = todo.pop() {
        if paths.contains_key(name) {
            continue;
        }
        let path = paths.get(from).map_or(from, String::as_str);
        paths.insert(name, format!("{path} -> {name}"));
        todo.extend(graph.get(name).into_iter().flatten().map(|next| (name, *next)));
    }
    let problem =
        paths.iter().find_map(|(name, path)| Some(format!("{path}: {}", objection(name)?)));
    Ok(Audit { packages: paths.len() as u64, problem })
}

/// What there is to say against a package.
fn objection(name: &str) -> Option<&'static str> {
    if DATABASES.iter().any(|database| name.contains(database)) {
        return Some("this is a database");
    }
    (!ALLOWED.contains(&name)).then_some("not on the list of reviewed dependencies")
}

fn files(context: &Context, measured: &mut Measured) {
    let claim = "AC-05.files";
    let cases = context.scale.determinism_plans;
    let done = parallel::map(cases, context.budget, |case| {
        let plan = context.plan("files", case, &GenerateProfile::crash());
        let disk = SimDisk::new();
        let options = RunOptions { history: false, close: true };
        // Whether its outcomes are right is another measurement's business.
        let _ = run(context.subject, &disk, &plan, options, &mut ());
        disk.opened_paths().into_iter().find(|path| !is_known(path))
    });
    measured.show(claim, Evidence::of(done.len() as u64, cases, "plans"));
    if let Some(path) = done.into_iter().flatten().next() {
        measured.findings.push(finding(
            context,
            claim,
            format!("{path} is opened, and not documented"),
        ));
    }
}

/// Whether a path is one that the format of the store documents.
fn is_known(path: &str) -> bool {
    match path.rsplit_once('/') {
        Some((names::SEGMENTS, name)) => names::parse_segment(name).is_some(),
        Some((names::INDEX, name)) => names::parse_sidecar(name).is_some(),
        Some(_) => false,
        None => {
            [names::LOCK, names::MANIFEST, names::MANIFEST_TMP, names::LEGACY_WAL].contains(&path)
                || names::parse_wal(path).is_some()
        }
    }
}
