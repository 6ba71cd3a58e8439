//! `explain`: what a criterion claims, how that is measured, and where to look when it fails.

use std::fmt::Write as _;
use std::process::ExitCode;

use proofhouse_subjects::flawed;

use super::show;
use crate::criteria::{self, Criterion, Status, page};
use crate::finding::Exit;

/// Prints one criterion, or the whole page that `docs/criteria.md` holds.
pub(super) fn run(id: Option<&str>) -> ExitCode {
    match id.and_then(criteria::find) {
        Some(criterion) => show(&text(criterion)),
        None => show(&page::page()),
    }
    Exit::Clean.into()
}

/// One criterion in plain text.
pub(super) fn text(criterion: &Criterion) -> String {
    let mut text = format!("{} {}\n{}\n", criterion.id, criterion.title, criterion.statement);
    for claim in criterion.claims {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "\n{}\n  {}\n  How: {}", claim.id, claim.text, claim.method);
        if !claim.needs.is_empty() {
            let needs: Vec<_> = claim.needs.iter().map(|need| need.words()).collect();
            let _ = writeln!(text, "  Needs: {}.", needs.join(", "));
        }
        if let Status::Planned(work) = claim.status {
            let _ = writeln!(text, "  Planned: it comes with {work}.");
        }
    }
    let _ = writeln!(text, "\nWhen it fails: {}", criterion.advice);
    for flawed in flawed::all().iter().filter(|flawed| flawed.fails.contains(&criterion.id)) {
        let _ = writeln!(text, "Must fail it: {} ({})", flawed.name, flawed.flaw);
    }
    text
}
