//! Earlier releases: each opens the stores of this version that its promise covers, and the vectors
//! that it published are what they were, or their change is told.
//!
//! The promise: a release opens every store of its own format version (docs/format.md, 8), closed or
//! killed. It need not open one of a later format version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proofhouse_golden::{Material, Vector, untold};

use super::Asked;
use super::build::{PROGRAM, program};
use super::package::{metadata, unpack};
use super::page::{Line, State};
use super::stores::{kept, shows};
use super::tool::{Trouble, cargo, run};
use super::vectors::DIR;
use super::versions::{changelog, told};

#[cfg(test)]
mod tests;

const NAME: &str = "earlier releases";

pub(super) fn line(asked: &Asked) -> Line {
    let versions: Vec<_> = match changelog(&asked.tree) {
        Ok(changelog) => told(&changelog).into_iter().skip(1).map(str::to_owned).collect(),
        Err(why) => return Line::failed(NAME, why),
    };
    compare(asked, &versions)
}

fn compare(asked: &Asked, versions: &[String]) -> Line {
    if versions.is_empty() {
        let seen = "none is told of in CHANGELOG.md";
        return Line::new(NAME, State::NothingEarlier, seen);
    }
    let current = match metadata(&asked.tree) {
        Ok(metadata) => metadata.packages.into_iter().find(|one| one.name == PROGRAM),
        Err(why) => return Line::failed(NAME, why),
    };
    let current = current.map(|one| one.version).unwrap_or_default();
    let (mut wrong, mut opened, mut uncovered) = (Vec::new(), 0, 0);
    for version in versions {
        let program = match obtain(asked, version) {
            Ok(program) => program,
            Err(why) => {
                wrong.push(format!("{version} cannot be had: {why}"));
                continue;
            }
        };
        match ask(&asked.tree.join(DIR), [version, &current], &program, &asked.work) {
            Ok(Answers { stores, not_covered, faults }) => {
                (opened, uncovered) = (opened + stores, uncovered + not_covered);
                wrong.extend(faults.into_iter().map(|fault| format!("{version}: {fault}")));
            }
            Err(why) => wrong.push(format!("{version}: {why}")),
        }
    }
    let seen = format!(
        "{}: {opened} stores of this version opened by them, {uncovered} of later formats",
        versions.join(", ")
    );
    Line::judged(NAME, seen, wrong)
}

/// The program of an earlier release: from packages at hand, or else from the registry.
fn obtain(asked: &Asked, version: &str) -> Result<PathBuf, String> {
    let root = asked.work.join(format!("release-{version}"));
    if let Some(releases) = &asked.releases
        && releases.join(format!("{PROGRAM}-{version}.crate")).exists()
    {
        let crates = unpack(releases, &root.join("crates"), Some(version))?;
        let built = program(&crates, PROGRAM, &root.join("target"), Some(&asked.tree))?;
        return Ok(built.path);
    }
    let mut command = cargo();
    command.args(["install", "--locked", "--quiet", PROGRAM, "--version", version, "--root"]);
    run(command.arg(&root)).map_err(Trouble::words)?;
    Ok(root.join("bin").join(PROGRAM))
}

/// What an earlier release has to say of a later one.
#[derive(Debug)]
pub struct Answers {
    /// Stores of the later release that its promise covers, and that it was asked to open.
    pub stores: usize,
    /// Stores of a later format version, which it need not open.
    pub not_covered: usize,
    /// What it could not open, and which of its vectors changed untold.
    pub faults: Vec<String>,
}

/// Asks the program of the release `earlier` to open what `current` wrote, and for its vectors;
/// `vectors` is the directory that has the stores of both.
///
/// # Errors
/// Either cannot be asked: in words.
pub fn ask(
    vectors: &Path,
    [earlier, current]: [&str; 2],
    program: &Path,
    work: &Path,
) -> Result<Answers, String> {
    let stores = kept(vectors)?;
    let own = stores.iter().find(|store| store.rule == earlier).and_then(format_of);
    let own = own.ok_or_else(|| format!("no store of {earlier} in {DIR}/stores"))?;
    let (covered, others): (Vec<_>, Vec<_>) = stores
        .iter()
        .filter(|store| store.rule == current)
        .partition(|store| format_of(store) == Some(own));
    let mut faults: Vec<_> =
        covered.iter().filter_map(|store| shows(program, store, work).err()).collect();
    let published = work.join(format!("vectors-{earlier}"));
    let mut command = Command::new(program);
    run(command.args(["vectors", "generate"]).arg(&published)).map_err(Trouble::words)?;
    faults.extend(untold(&published, vectors).map_err(|error| error.to_string())?);
    fs::remove_dir_all(&published).map_err(|error| error.to_string())?;
    Ok(Answers { stores: covered.len(), not_covered: others.len(), faults })
}

/// The format version of a store: major and minor, as MANIFEST begins (docs/format.md, 2).
fn format_of(store: &Vector) -> Option<[u8; 4]> {
    let Material::Files(files) = &store.material else { return None };
    files.get("MANIFEST")?.get(6..10)?.try_into().ok()
}
