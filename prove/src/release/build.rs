//! The program, built from unpacked packages alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::package::{Crate, metadata};
use super::page::Line;
use super::tool::{Trouble, cargo, run};

/// The package that has the program, and the program's name.
pub(super) const PROGRAM: &str = "proofhouse";

/// A program built from packages.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: String,
}

/// Builds `name` from its package, with its siblings patched to be the packages beside it and all
/// else as its own lock file says.
///
/// Code of third parties is built with the settings of the workspace in `like`, into its build
/// directory: it is there already, most of it.
pub(super) fn program(
    crates: &[Crate],
    name: &str,
    target: &Path,
    like: Option<&Path>,
) -> Result<Program, String> {
    let (own, patches) = beside(crates, name)?;
    let mut command = cargo();
    command.args(["build", "--release", "--locked", "--quiet", "--bin", name, "--manifest-path"]);
    command.arg(own.dir.join("Cargo.toml")).arg("--target-dir").arg(target);
    command.args(patches.iter().flat_map(|patch| ["--config", patch]));
    if let Some(tree) = like {
        let shared = metadata(tree)?.target_directory;
        // As a string of TOML: quoted.
        let shared = shared.display().to_string();
        command.arg("--config").arg(format!("build.build-dir={shared:?}"));
        // What the environment says counts for the workspace, too.
        if std::env::var_os("CARGO_PROFILE_RELEASE_DEBUG").is_none() {
            command.arg("--config").arg("profile.release.debug=\"line-tables-only\"");
        }
    }
    run(&mut command).map_err(Trouble::words)?;
    Ok(Program { path: target.join("release").join(name), version: own.version.clone() })
}

/// The package of this name, whose lock file from now on takes siblings from no registry; and lines
/// of configuration that take those that it needs from the packages beside it.
pub(super) fn beside<'a>(
    crates: &'a [Crate],
    name: &str,
) -> Result<(&'a Crate, Vec<String>), String> {
    let own = crates.iter().find(|one| one.name == name);
    let own = own.ok_or_else(|| format!("no package of {name}"))?;
    let lock = own.dir.join("Cargo.lock");
    let io = |error: std::io::Error| format!("{}: {error}", lock.display());
    let text = fs::read_to_string(&lock).map_err(io)?;
    fs::write(&lock, unsourced(&text, crates)?).map_err(io)?;
    let needed = |one: &&Crate| *one != own && text.contains(&format!("name = \"{}\"", one.name));
    let patch = |one: &Crate| {
        format!("patch.crates-io.{}.path={:?}", one.name, one.dir.display().to_string())
    };
    Ok((own, crates.iter().filter(needed).map(patch).collect()))
}

/// A lock file in which the packages at hand come from no registry.
fn unsourced(lock: &str, crates: &[Crate]) -> Result<String, String> {
    let mut lock: toml::Table = lock.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.get_mut("package").and_then(toml::Value::as_array_mut);
    for package in packages.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        let name = package.get("name").and_then(toml::Value::as_str).unwrap_or_default();
        if crates.iter().any(|one| one.name == name) {
            package.remove("source");
            package.remove("checksum");
        }
    }
    Ok(lock.to_string())
}

pub(super) fn line(built: Result<&Program, String>) -> Line {
    match built {
        Ok(program) => {
            let seen = format!("{PROGRAM} {}, from the packages alone", program.version);
            Line::judged("build", seen, Vec::new())
        }
        Err(why) => Line::failed("build", why),
    }
}
