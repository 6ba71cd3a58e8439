//! The order in which `cargo publish` would upload the crates, as its dry run has it.

use std::collections::BTreeMap;
use std::fs;

use super::Asked;
use super::package::{Crate, Packages};
use super::page::Line;
use super::tool::{Trouble, cargo, run};

#[cfg(test)]
mod tests;

const NAME: &str = "publish order";

pub(super) fn line(asked: &Asked, packages: Result<&Packages, String>) -> Line {
    let mut command = cargo();
    // What is uploaded was built already, from the packages.
    command.args(["publish", "--workspace", "--dry-run", "--no-verify", "--locked"]);
    command.arg("--manifest-path").arg(asked.tree.join("Cargo.toml"));
    command.arg("--target-dir").arg(asked.work.join("publish"));
    command.args(asked.allow_dirty.then_some("--allow-dirty"));
    let said = match run(&mut command) {
        Ok(said) => said,
        Err(trouble) => return Line::failed(NAME, Trouble::words(trouble)),
    };
    let order = order(&said.err);
    match packages.and_then(|packages| needs(&packages.crates)) {
        Ok(needs) => Line::judged(NAME, order.join(" → "), disorder(&order, &needs)),
        Err(why) => Line::failed(NAME, why),
    }
}

/// The crates in the order in which the dry run uploads them.
fn order(said: &str) -> Vec<String> {
    let uploads = said.lines().filter_map(|line| line.trim().strip_prefix("Uploading "));
    uploads.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Which of the packages each of them depends on, by the manifest in it; what only its tests need is
/// left out.
fn needs(crates: &[Crate]) -> Result<BTreeMap<String, Vec<String>>, String> {
    let needs = crates.iter().map(|one| {
        let path = one.dir.join("Cargo.toml");
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| told(&error))?;
        let manifest: toml::Table = text.parse().map_err(|error| told(&error))?;
        let is_sibling = |name: &String| crates.iter().any(|other| other.name == **name);
        Ok((one.name.clone(), dependencies(&manifest).filter(is_sibling).collect()))
    });
    needs.collect()
}

/// The names of what a manifest depends on, on any system.
fn dependencies(manifest: &toml::Table) -> impl Iterator<Item = String> {
    let of = |table: &toml::Table| {
        let kinds = ["dependencies", "build-dependencies"].into_iter();
        let tables = kinds.filter_map(|kind| table.get(kind)?.as_table());
        tables.flatten().map(|(name, needed)| package(name, needed)).collect::<Vec<_>>()
    };
    let systems = manifest.get("target").and_then(toml::Value::as_table);
    let systems = systems.into_iter().flat_map(toml::Table::values);
    let by_system: Vec<_> = systems.filter_map(toml::Value::as_table).flat_map(of).collect();
    of(manifest).into_iter().chain(by_system)
}

/// The name of the package that a dependency is, which may have been given another one.
fn package(name: &str, needed: &toml::Value) -> String {
    let renamed = needed.get("package").and_then(toml::Value::as_str);
    renamed.unwrap_or(name).to_owned()
}

/// What an order does wrong: a crate left out, or uploaded before one that it needs.
fn disorder(order: &[String], needs: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let place = |name: &str| order.iter().position(|one| one == name);
    let mut wrong = Vec::new();
    for (name, needed) in needs {
        let Some(own) = place(name) else {
            wrong.push(format!("{name} would not be uploaded"));
            continue;
        };
        let late = needed.iter().filter(|one| place(one).is_none_or(|place| place > own));
        wrong.extend(late.map(|one| format!("{name} would be uploaded before {one}")));
    }
    wrong
}
