//! The order in which `cargo publish` would upload the crates, as its dry run has it.

use std::collections::BTreeMap;
use std::path::Path;

use super::Asked;
use super::page::Line;
use super::tool::{Trouble, cargo, run};

#[cfg(test)]
mod tests;

const NAME: &str = "publish order";

pub(super) fn line(asked: &Asked) -> Line {
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
    match needs(&asked.tree) {
        Ok(needs) => Line::judged(NAME, order.join(" → "), disorder(&order, &needs)),
        Err(why) => Line::failed(NAME, why),
    }
}

/// The crates in the order in which the dry run uploads them.
fn order(said: &str) -> Vec<String> {
    let uploads = said.lines().filter_map(|line| line.trim().strip_prefix("Uploading "));
    uploads.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Which crates of the house each crate to be published depends on.
fn needs(tree: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let said = run(command.arg(tree.join("Cargo.toml"))).map_err(Trouble::words)?;
    let metadata: serde_json::Value =
        serde_json::from_str(&said.out).map_err(|error| error.to_string())?;
    let mut needs = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let own = package["dependencies"].as_array().into_iter().flatten().filter(|one| {
            // A path that is not there for tests only.
            one["path"].is_string() && one["kind"] != "dev"
        });
        let own = own.filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect();
        needs.insert(package["name"].as_str().unwrap_or_default().to_owned(), own);
    }
    Ok(needs)
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
