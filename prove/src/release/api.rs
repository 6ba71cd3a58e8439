//! Public interfaces: those that are promised, as `cargo public-api` lists them of the packages, were
//! reviewed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Asked;
use super::build::beside;
use super::package::{Crate, Packages};
use super::page::{Line, State};
use super::tool::{Trouble, run};

#[cfg(test)]
mod tests;

const NAME: &str = "public API";
/// The crates that others program against: the engine, and what makes an engine a subject. The others
/// are published because the program needs them; they promise nothing.
const PROMISED: [&str; 2] = ["entidb-engine", "proofhouse-model"];
/// Where the reviewed lists are, one file a crate.
const DIR: &str = "docs/api";
/// What the list is made with.
const TOOL: &str =
    "cargo-public-api and a nightly toolchain (cargo install --locked cargo-public-api)";
/// At most this many differences are told of a crate.
const TOLD: usize = 10;

pub(super) fn line(asked: &Asked, packages: Option<&Packages>) -> Line {
    let Some(packages) = packages else {
        return Line::new(NAME, State::Skipped, "there are no packages");
    };
    let (mut items, mut wrong) = (0, Vec::new());
    for name in PROMISED {
        let list = match list(&packages.crates, name) {
            Ok(list) => list,
            Err(Trouble::Missing(_)) => return missing(),
            Err(Trouble::Failed { words, .. }) if is_missing(&words) => return missing(),
            Err(trouble) => {
                wrong.push(format!("{name}: {}", trouble.words()));
                continue;
            }
        };
        items += list.lines().count();
        let file = asked.tree.join(DIR).join(format!("{name}.txt"));
        if asked.bless_api {
            if let Err(why) = write(&file, &list) {
                wrong.push(why);
            }
        } else {
            wrong.extend(compare(name, &file, &list));
        }
    }
    Line::judged(NAME, format!("{items} items of {}, as in {DIR}", PROMISED.join(", ")), wrong)
}

fn missing() -> Line {
    Line::new(NAME, State::MissingTool, format!("needs {TOOL}"))
}

/// How cargo says that it has no such command, and rustup that there is no such toolchain.
fn is_missing(words: &str) -> bool {
    words.contains("no such command") || words.contains("is not installed")
}

/// The list of one package, its siblings taken from the packages beside it.
fn list(crates: &[Crate], name: &str) -> Result<String, Trouble> {
    let failed = |words| Trouble::Failed { code: None, words };
    let (own, patches) = beside(crates, name).map_err(failed)?;
    // It takes no configuration on its command line.
    let config = own.dir.join(".cargo/config.toml");
    write(&config, &patches.join("\n")).map_err(failed)?;
    // Through rustup: the toolchain that runs this program is not one that can list interfaces.
    let mut command = Command::new("cargo");
    for own in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(own);
    }
    command.args(["+nightly", "public-api", "-sss", "--color", "never"]).current_dir(&own.dir);
    run(&mut command).map(|said| said.out)
}

fn write(file: &Path, list: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", file.display());
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).map_err(told)?;
    }
    fs::write(file, list).map_err(told)
}

/// What is in one list and not in the other.
fn compare(name: &str, file: &Path, found: &str) -> Vec<String> {
    let reviewed = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return vec![format!("{}: {error}", file.display())],
    };
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (reviewed.lines().collect(), found.lines().collect());
    let gone = before.difference(&after).map(|item| format!("{name}: gone: {item}"));
    let new = after.difference(&before).map(|item| format!("{name}: new: {item}"));
    let mut told: Vec<_> = gone.chain(new).collect();
    if told.len() > TOLD {
        let more = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("{name}: and {more} more"));
    }
    if !told.is_empty() {
        told.push(format!("{name}: once reviewed, `--bless-api` writes {}", file.display()));
    }
    told
}
