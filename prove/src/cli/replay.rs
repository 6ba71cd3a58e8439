//! `replay`: a case file, seen again.

use std::path::Path;
use std::process::ExitCode;

use super::prove::place_for_files;
use super::{Problem, show};
use crate::case::{Case, CaseError};
use crate::replay::{Replayed, replay};

/// Plays a case file and says whether it still fails; the exit code is that of its finding.
pub(super) fn run(file: &Path, number: usize, dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let bytes = std::fs::read(file).map_err(Problem::with(file))?;
    let case = Case::parse(&bytes).and_then(|case| case.of_cause(number));
    let case = case.map_err(|error| case_problem(file, error))?;
    let dir = place_for_files(dir)?;
    let Case { subject, claim, kind, .. } = &case;
    show(&format!("{subject} · {claim} · {}\n", kind.words()));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let replayed = replay(&case, &dir);
    std::panic::set_hook(hook);
    let replayed = replayed.map_err(|problem| match problem {
        Problem::Other(words) => Problem::Other(format!("{}: {words}", file.display())),
        problem => problem,
    })?;
    show(&match &replayed {
        Replayed::Again { story, steps, .. } => format!("{steps}again: {story}\n"),
        Replayed::Unseen => "not seen this time: the measurement ran again and passed\n".to_owned(),
        Replayed::Gone => "gone: the subject does not fail this case any more\n".to_owned(),
    });
    Ok(replayed.exit().into())
}

fn case_problem(path: &Path, error: CaseError) -> Problem {
    Problem::Case { path: path.to_path_buf(), error }
}
