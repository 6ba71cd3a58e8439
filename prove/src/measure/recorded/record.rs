//! One recording, of a plan or of a recovery; or why there is none.

use std::io::ErrorKind;
use std::path::Path;

use proofhouse_crash::{CrashKind, CrashState, Recorded, Why};
use proofhouse_model::{History, Plan, RunOptions, run};

use crate::recorded::drive::{Kill, Recipe};
use crate::recorded::explore::Life;
use crate::recorded::judge::Judge;
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
    let run = ran.map_err(|error| skipped(&error))?.map_err(|words| {
        // They were killed when the first process ended, or they would have answered for it.
        let behind = match recorded.left_behind {
            0 => String::new(),
            left => format!("; processes that it had started and that went on: {left}"),
        };
        skipped(&format!("the plan diverges while it is recorded: {words}{behind}"))
    })?;
    is_sound(&recorded, place.path())?;
    Ok((recorded, run.history))
}

/// The life after a crash, recorded. `None` if it is wrong without another crash: that was found
/// already.
pub(super) fn record_recovery(
    recipe: &Recipe,
    judge: &Judge,
    life: &Life,
    crash: &CrashState,
) -> Result<Option<Life>, Stop> {
    let place = judge.place(&crash.visible()).map_err(|error| skipped(&error))?;
    let driven = recipe.drive(place.path(), Kill::Never, |subject, ledger| {
        judge.second_life(subject, place.path(), &life.dues.own, crash, Some(ledger))
    });
    let (recorded, lived) = driven.map_err(|error| skipped(&error))?;
    let Ok(history) = lived.map_err(|error| skipped(&error))? else { return Ok(None) };
    is_sound(&recorded, place.path())?;
    let trace = recorded.trace.after(crash);
    let trace = trace.map_err(|error| Stop::Broken(error.to_string()))?;
    let dues = life.dues.after(crash, &history);
    Ok(Some(Life { trace, dues, after_power_loss: crash.kind == CrashKind::PowerLoss }))
}

/// Whether a recording is all that happened, to the directory and outside of it.
fn is_sound(recorded: &Recorded, dir: &Path) -> Result<(), Stop> {
    if let Some(gap) = recorded.not_measured.first() {
        let reason = match gap.why {
            Why::WritableMapping => Reason::WritableMapping,
            _ => Reason::Skipped,
        };
        return Err(Stop::Unmeasured(reason, gap.to_string()));
    }
    if !recorded.changes_outside.is_empty() {
        let calls: Vec<_> = recorded
            .changes_outside
            .iter()
            .map(|(name, count)| format!("{count} × {name}"))
            .collect();
        let calls = calls.join(", ");
        return Err(skipped(&format!(
            "it changed something outside the store's directory ({calls})"
        )));
    }
    let differences = recorded.compare(dir).map_err(|error| skipped(&error))?;
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(Stop::Broken(format!("the recording is not what happened: {first}"))),
    }
}

fn skipped(words: &dyn ToString) -> Stop {
    Stop::Unmeasured(Reason::Skipped, words.to_string())
}
