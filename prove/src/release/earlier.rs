//! Earlier releases: each opens the stores of this version that its promise covers, and the vectors
//! that it published are what they were, or their change is told.
//!
//! The promise (docs/format.md, 8): a release opens every store of its own format version, closed or
//! killed, and reads one of a later minor version that was closed. It need not open any other.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::names;
use proofhouse_golden::{Material, Vector, untold};

use super::Asked;
use super::build::{PROGRAM, program};
use super::package::{metadata, unpack};
use super::page::{Line, State};
use super::stores::{Access, kept, shows};
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
    /// Stores of a later format version that it need not open.
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
    let own = stores.iter().find(|store| store.rule == earlier).and_then(Format::of);
    let own = own.ok_or_else(|| format!("no store of {earlier} in {DIR}/stores"))?;
    let (mut covered, mut not_covered, mut faults) = (0, 0, Vec::new());
    for store in stores.iter().filter(|store| store.rule == current) {
        match Format::of(store).and_then(|format| own.access(format)) {
            Some(access) => {
                covered += 1;
                faults.extend(shows(program, store, access, work).err());
            }
            None => not_covered += 1,
        }
    }
    let published = work.join(format!("vectors-{earlier}"));
    let mut command = Command::new(program);
    run(command.args(["vectors", "generate"]).arg(&published)).map_err(Trouble::words)?;
    faults.extend(untold(&published, vectors).map_err(|error| error.to_string())?);
    fs::remove_dir_all(&published).map_err(|error| error.to_string())?;
    Ok(Answers { stores: covered, not_covered, faults })
}

/// What MANIFEST says of a store's format (docs/format.md, 2).
#[derive(Debug, Clone, Copy)]
struct Format {
    major: u16,
    minor: u16,
    /// Whether it names no WAL.
    is_closed: bool,
}

impl Format {
    /// Major and minor version stand where they do in every MANIFEST; what else it says, only one
    /// that this release can read tells.
    fn of(store: &Vector) -> Option<Self> {
        let Material::Files(files) = &store.material else { return None };
        let manifest = files.get(names::MANIFEST)?;
        let [a, b, c, d] = *manifest.get(6..)?.first_chunk()?;
        let (major, minor) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let is_closed = Manifest::decode(manifest).is_ok_and(|it| it.trailer.wals.is_empty());
        Some(Self { major, minor, is_closed })
    }

    /// What a release of this format must be able to do with a store of a later one's.
    fn access(self, later: Self) -> Option<Access> {
        if self.major != later.major {
            return None;
        }
        match later.minor.cmp(&self.minor) {
            Ordering::Equal => Some(Access::Written),
            Ordering::Greater if later.is_closed => Some(Access::Read),
            Ordering::Greater | Ordering::Less => None,
        }
    }
}
