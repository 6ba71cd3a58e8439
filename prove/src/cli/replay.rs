//! `replay`: a case file, seen again.

use std::path::Path;
use std::process::ExitCode;

use super::Problem;
use super::prove::place_for_files;
use crate::case::{Case, CaseError};
use crate::replay::{Replayed, replay};

/// Plays a case file and says whether it still fails; the exit code is that of its finding.
pub(super) fn run(file: &Path, dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let bytes = std::fs::read(file).map_err(Problem::with(file))?;
    let case = Case::parse(&bytes).map_err(|error| case_problem(file, error))?;
    let dir = place_for_files(dir)?;
    println!("{} · {} · {}", case.subject, case.claim, case.kind.words());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let replayed = replay(&case, &dir);
    std::panic::set_hook(hook);
    let replayed = replayed?;
    match &replayed {
        Replayed::Again { story, .. } => println!("again: {story}"),
        Replayed::Gone => println!("gone: the subject does not fail this case any more"),
    }
    Ok(replayed.exit().into())
}

fn case_problem(path: &Path, error: CaseError) -> Problem {
    Problem::Case { path: path.to_path_buf(), error }
}
