//! One recording, or why there is none.

use std::io::ErrorKind;
use std::path::Path;

use proofhouse_crash::{Recorded, Why};
use proofhouse_model::{History, Plan, RunOptions, run};

use crate::recorded::drive::{Kill, Recipe};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Why a recording says nothing.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something of the engine or of this machine stands in the way.
    Unmeasured(Reason, String),
    /// The recorder is wrong.
    Broken(String),
}

/// Carries out a plan in a recorded process, on an empty directory below `scratch`. What was
/// recorded, and the states that the store went through.
pub(crate) fn record(
    recipe: &Recipe,
    plan: &Plan,
    scratch: &Path,
) -> Result<(Recorded, History), Stop> {
    let place = Scratch::below(scratch).map_err(|error| skipped(&error))?;
    let options = RunOptions { history: true, close: true };
    let driven = recipe.drive(place.path(), Kill::Never, |subject, ledger| {
        if plan.ops.is_empty() {
            ledger.leave_unsettled();
        }
        let run = run(subject, place.path(), plan, options, ledger);
        run.map_err(|diverged| {
            let fault = subject.take_failure().map(|error| error.to_string());
            fault.unwrap_or_else(|| diverged.to_string())
        })
    });
    let (recorded, ran) = driven.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => {
            let words = format!("the process may not be traced: {error}");
            Stop::Unmeasured(Reason::MissingTool, words)
        }
        _ => skipped(&format!("nothing could be recorded: {error}")),
    })?;
    let run = ran
        .map_err(|error| skipped(&error))?
        .map_err(|words| skipped(&format!("the plan diverges while it is recorded: {words}")))?;
    is_sound(&recorded, place.path())?;
    Ok((recorded, run.history))
}

/// Whether a recording is all that happened, to the directory and outside of it.
pub(super) fn is_sound(recorded: &Recorded, dir: &Path) -> Result<(), Stop> {
    if let Some(gap) = recorded.not_measured.first() {
        let reason = match gap.why {
            Why::WritableMapping => Reason::WritableMapping,
            _ => Reason::Skipped,
        };
        return Err(Stop::Unmeasured(reason, gap.to_string()));
    }
    match recorded.changes_outside {
        0 => {}
        calls => {
            return Err(skipped(&format!(
                "{calls} calls changed something outside the store's directory"
            )));
        }
    }
    let differences = recorded.compare(dir).map_err(|error| skipped(&error))?;
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(Stop::Broken(format!("the recording is not what happened: {first}"))),
    }
}

pub(super) fn skipped(words: &dyn ToString) -> Stop {
    Stop::Unmeasured(Reason::Skipped, words.to_string())
}
