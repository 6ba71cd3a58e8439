//! Versions: the changelog, the workspace, the lock file and the program say the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Asked;
use super::build::Program;
use super::package::metadata;
use super::page::Line;
use super::tool::{Trouble, run};

#[cfg(test)]
mod tests;

const CHANGELOG: &str = "CHANGELOG.md";

/// The versions that a changelog tells of, newest first.
pub(super) fn told(changelog: &str) -> Vec<&str> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings.filter_map(|heading| heading.split_whitespace().next()).collect()
}

pub(super) fn changelog(tree: &Path) -> Result<String, String> {
    read(&tree.join(CHANGELOG))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

pub(super) fn line(asked: &Asked, program: Option<&Program>) -> Line {
    let name = "versions";
    match look(asked, program) {
        Ok((version, wrong)) => {
            let seen =
                format!("{version} in {CHANGELOG}, the workspace, its lock file and --version");
            Line::judged(name, seen, wrong)
        }
        Err(why) => Line::failed(name, why),
    }
}

fn look(asked: &Asked, program: Option<&Program>) -> Result<(String, Vec<String>), String> {
    let packages = metadata(&asked.tree)?.packages;
    let crates: Vec<_> =
        packages.iter().map(|one| (one.name.as_str(), one.version.as_str())).collect();
    let said = match program {
        Some(program) => {
            run(Command::new(&program.path).arg("--version")).map_err(Trouble::words)?.out
        }
        None => "nothing: it was not built".to_owned(),
    };
    let changelog = changelog(&asked.tree)?;
    let lock = read(&asked.tree.join("Cargo.lock"))?;
    let workspace = read(&asked.tree.join("Cargo.toml"))?;
    let workspace: toml::Table =
        workspace.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let shared = workspace.get("workspace").and_then(|it| it.get("package")?.get("version"));
    let version = shared.and_then(toml::Value::as_str).unwrap_or_default();
    let mut wrong = disagreements(version, &changelog, &lock, &crates, &said)?;
    wrong.extend(undated(&changelog).filter(|_| !asked.allow_unreleased));
    Ok((version.to_owned(), wrong))
}

/// What the first heading says instead of a day.
fn undated(changelog: &str) -> Option<String> {
    let first = changelog.lines().find_map(|line| line.strip_prefix("## "))?;
    first.contains("unreleased").then(|| {
        format!(
            "the first heading of {CHANGELOG} says {first}: give it the day, or --allow-unreleased"
        )
    })
}

/// Who says another version than the workspace does.
fn disagreements(
    version: &str,
    changelog: &str,
    lock: &str,
    crates: &[(&str, &str)],
    said: &str,
) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    let mut hold = |who: String, says: Option<&str>| {
        if says != Some(version) {
            let says = says.unwrap_or("no version");
            wrong.push(format!("{who} says {says}, the workspace {version}"));
        }
    };
    hold(format!("the first heading of {CHANGELOG}"), told(changelog).first().copied());
    let lock: toml::Table = lock.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let locked = lock.get("package").and_then(toml::Value::as_array);
    for (name, found) in crates {
        hold(format!("{name}'s Cargo.toml"), Some(found));
        let package = locked.into_iter().flatten().find(|package| {
            // One from a registry may have the same name.
            package.get("name").and_then(toml::Value::as_str) == Some(name)
                && package.get("source").is_none()
        });
        let found = package.and_then(|package| package.get("version")?.as_str());
        hold(format!("Cargo.lock, of {name},"), found);
    }
    hold("the packaged program".to_owned(), said.trim().strip_prefix("proofhouse ").or(Some(said)));
    Ok(wrong)
}
