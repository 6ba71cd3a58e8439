//! What the packaged program proves of itself.

use std::fs;
use std::process::Command;

use serde_json::Value as Json;

use super::Asked;
use super::build::Program;
use super::page::Line;
use super::tool::{Trouble, run};
use crate::finding::Exit;

#[cfg(test)]
mod tests;

/// What a release requires to be PASS, if nothing else is asked for: every criterion of which a claim
/// is measured today. Those that wait for planned work are not required, and the page of the proof
/// lists them.
pub const REQUIRED: [&str; 10] =
    ["AC-01", "AC-02", "AC-03", "AC-04", "AC-05", "AC-06", "AC-07", "AC-08", "AC-09", "AC-12"];

/// The exits of a proof, by their codes.
const EXITS: [Exit; 8] = [
    Exit::Divergence,
    Exit::Lost,
    Exit::SilentCorruption,
    Exit::RecoveryFailed,
    Exit::Hang,
    Exit::NonDeterminism,
    Exit::HarnessBroken,
    Exit::Unmeasured,
];

pub(super) fn line(asked: &Asked, program: &Program) -> Line {
    let name = "prove";
    let out = asked.out.join("prove");
    let mut command = Command::new(&program.path);
    command.arg("prove").arg("--profile").arg(asked.profile.name()).arg("--out").arg(&out);
    let mut exit = Exit::Divergence;
    let mut wrong = Vec::new();
    match run(&mut command) {
        Ok(said) => {
            if let Err(error) = fs::write(out.join("table.txt"), said.out) {
                wrong.push(format!("{}: {error}", out.display()));
            }
        }
        Err(Trouble::Failed { code, words }) => {
            let asked_for = |exit: &&Exit| code == Some(i32::from(**exit as u8));
            exit = EXITS.iter().find(asked_for).copied().unwrap_or(exit);
            wrong.push(words);
        }
        Err(missing) => wrong.push(missing.words()),
    }
    let path = out.join("report.json");
    let report = fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let report: Json = match report {
        Ok(report) => report,
        Err(error) => {
            wrong.push(format!("{}: {error}", path.display()));
            return Line::judged(name, "", wrong).asking(exit);
        }
    };
    let lacking = lacking(&report, &asked.required);
    let (passed, states) = (asked.required.len() - lacking.len(), states(&report));
    let seen = format!(
        "{}: {passed} of {} required criteria PASS, {states} states",
        asked.profile.name(),
        asked.required.len(),
    );
    wrong.extend(lacking);
    Line::judged(name, seen, wrong).asking(exit)
}

/// Each required criterion that a report does not show as PASS.
fn lacking(report: &Json, required: &[String]) -> Vec<String> {
    let criteria = report["criteria"].as_array();
    let verdict = |id: &str| {
        let found = criteria.into_iter().flatten().find(|one| one["id"] == id);
        found.and_then(|one| one["verdict"].as_str()).unwrap_or("not in the report").to_owned()
    };
    let required = required.iter().map(|id| (id, verdict(id)));
    let lacking = required.filter(|(_, verdict)| verdict != "PASS");
    lacking.map(|(id, verdict)| format!("{id} is required: {verdict}")).collect()
}

/// Crash states that were checked.
fn states(report: &Json) -> u64 {
    let states = report["states"].as_object();
    states.into_iter().flatten().filter_map(|(_, counts)| counts["checked"].as_u64()).sum()
}
