//! Packages: what `cargo package` makes of each crate that is to be published, unpacked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::page::Line;
use super::tool::{Trouble, cargo, run};

/// Files that every package has, whatever it is.
const ALWAYS: [&str; 4] = ["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// A crate, unpacked from its package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// Where it is unpacked.
    pub(super) dir: PathBuf,
}

/// All packages of a tree.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) crates: Vec<Crate>,
    files: usize,
    bytes: u64,
    unpublished: Vec<String>,
    wrong: Vec<String>,
}

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    pub(super) target_directory: PathBuf,
}

/// What it says of a package.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    description: Option<String>,
    license: Option<String>,
    readme: Option<String>,
    /// The registries that it may go to; any if absent.
    publish: Option<Vec<String>>,
}

impl Package {
    /// Whether it is to be published.
    pub(super) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }
}

/// The packages of the workspace in `tree`.
pub(super) fn metadata(tree: &Path) -> Result<Metadata, String> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let said = run(command.arg(tree.join("Cargo.toml"))).map_err(Trouble::words)?;
    serde_json::from_str(&said.out).map_err(|error| format!("cargo metadata: {error}"))
}

/// Makes and unpacks the packages of all crates in `tree` that are to be published.
pub(super) fn make(tree: &Path, work: &Path, allow_dirty: bool) -> Result<Packages, String> {
    let metadata = metadata(tree)?;
    let (published, unpublished): (Vec<_>, Vec<_>) =
        metadata.packages.into_iter().partition(Package::is_published);
    let target = work.join("target");
    let mut command = cargo();
    command.args(["package", "--no-verify", "--locked", "--manifest-path"]);
    command.arg(tree.join("Cargo.toml")).arg("--target-dir").arg(&target);
    command.args(allow_dirty.then_some("--allow-dirty"));
    command.args(published.iter().flat_map(|one| ["-p", one.name.as_str()]));
    run(&mut command).map_err(Trouble::words)?;
    let mut packages = Packages {
        crates: unpack(&target.join("package"), &work.join("crates"), None)?,
        files: 0,
        bytes: 0,
        unpublished: unpublished.into_iter().map(|one| one.name).collect(),
        wrong: published.iter().flat_map(objections).collect(),
    };
    for one in &packages.crates {
        let mut files = BTreeMap::new();
        list(&one.dir, "", &mut files)
            .map_err(|error| format!("{}: {error}", one.dir.display()))?;
        packages.files += files.len();
        packages.bytes += files.values().sum::<u64>();
        let missing = ALWAYS.iter().filter(|name| !files.contains_key(**name));
        packages
            .wrong
            .extend(missing.map(|name| format!("{}: its package lacks {name}", one.name)));
    }
    Ok(packages)
}

/// What a crate says too little of.
fn objections(package: &Package) -> Vec<String> {
    let Package { name, description, license, readme, .. } = package;
    let fields = [("description", description), ("license", license), ("readme", readme)];
    let absent = fields.into_iter().filter(|(_, field)| field.is_none());
    absent.map(|(field, _)| format!("{name}: no {field} in its Cargo.toml")).collect()
}

/// Unpacks the `.crate` files in a directory, or those of one version.
pub(super) fn unpack(from: &Path, to: &Path, version: Option<&str>) -> Result<Vec<Crate>, String> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(to).map_err(|error| told(to, error))?;
    let mut crates = Vec::new();
    for entry in fs::read_dir(from).map_err(|error| told(from, error))? {
        let path = entry.map_err(|error| told(from, error))?.path();
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(stem) = file.as_deref().and_then(|name| name.strip_suffix(".crate")) else {
            continue;
        };
        let Some((name, found)) = split(stem) else { continue };
        if version.is_some_and(|version| version != found) {
            continue;
        }
        let mut tar = Command::new("tar");
        run(tar.arg("-xzf").arg(&path).arg("-C").arg(to)).map_err(Trouble::words)?;
        let (name, version, dir) = (name.to_owned(), found.to_owned(), to.join(stem));
        crates.push(Crate { name, version, dir });
    }
    crates.sort();
    Ok(crates)
}

/// A package's name and version: the version begins at the first dash before a digit.
fn split(stem: &str) -> Option<(&str, &str)> {
    let is_version = |at: &usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let dash = stem.match_indices('-').map(|(at, _)| at).find(is_version)?;
    Some((&stem[..dash], &stem[dash + 1..]))
}

/// The files below a directory and their lengths.
fn list(dir: &Path, prefix: &str, files: &mut BTreeMap<String, u64>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.metadata()?.len());
        }
    }
    Ok(())
}

pub(super) fn line(made: Result<&Packages, String>) -> Line {
    let name = "packages";
    let packages = match made {
        Ok(packages) => packages,
        Err(why) => return Line::failed(name, why),
    };
    let Packages { crates, files, bytes, unpublished, wrong } = packages;
    let held_back = match unpublished.as_slice() {
        [] => String::new(),
        names => format!("; not published: {}", names.join(", ")),
    };
    let seen = format!("{} crates, {files} files, {} KiB{held_back}", crates.len(), bytes >> 10);
    Line::judged(name, seen, wrong.clone())
}
