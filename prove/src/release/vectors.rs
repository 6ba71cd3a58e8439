//! The vectors: what is checked in is what the packaged program writes and agrees with.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::Asked;
use super::build::Program;
use super::page::Line;
use super::tool::{Trouble, run};

#[cfg(test)]
mod tests;

/// Their directory in the tree.
pub(super) const DIR: &str = "vectors";

pub(super) fn line(asked: &Asked, program: &Program) -> Line {
    let name = "vectors";
    match look(&asked.tree.join(DIR), &asked.work.join("vectors"), &program.path) {
        Ok((seen, wrong)) => Line::judged(name, seen, wrong),
        Err(why) => Line::failed(name, why),
    }
}

/// Lets a program check a copy of the vectors and write them over it: nothing may change.
pub(super) fn look(
    vectors: &Path,
    copy: &Path,
    program: &Path,
) -> Result<(String, Vec<String>), String> {
    let before = files(vectors).map_err(|error| format!("{}: {error}", vectors.display()))?;
    write(copy, &before).map_err(|error| format!("{}: {error}", copy.display()))?;
    let mut wrong = Vec::new();
    let mut seen = String::new();
    for act in ["check", "generate"] {
        match run(Command::new(program).args(["vectors", act]).arg(copy)) {
            Ok(said) if act == "check" => {
                seen += said.out.trim().lines().last().unwrap_or_default();
            }
            Ok(_) => {}
            Err(trouble) => wrong.push(Trouble::words(trouble)),
        }
    }
    let after = files(copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let changed = names.filter(|name| before.get(*name) != after.get(*name));
    wrong.extend(changed.map(|name| format!("{DIR}/{name} is not what the package writes")));
    Ok((seen, wrong))
}

/// Every file below a directory, by its name with `/`.
fn files(dir: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let below = files(&entry.path())?.into_iter();
            found.extend(below.map(|(rest, bytes)| (format!("{name}/{rest}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(found)
}

/// Writes files below a directory.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (name, bytes) in files {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}
