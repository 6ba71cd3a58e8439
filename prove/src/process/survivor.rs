//! The process that comes after.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use proofhouse_crash::ChildEnd;
use proofhouse_model::{
    Plan, State, Store, Subject, Universe, Violation, life_two, observe, panic_message,
};
use serde::{Deserialize, Serialize};

use super::{ChildError, Site, StoreArgs, say};
use crate::cli::Problem;
use crate::finding::Exit;

/// What a survivor is told.
#[derive(Debug, Args)]
pub struct SurvivorArgs {
    #[command(flatten)]
    store: StoreArgs,
}

/// What a survivor saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saw {
    /// It opened and read and wrote.
    States {
        /// What it found.
        shown: State,
        /// What it found after its own two commits.
        after: State,
        /// What it found after a clean close.
        kept: State,
    },
    /// It could not go on.
    Wrong(Violation),
}

/// Opens, reads everything, commits twice, closes, opens and reads again.
///
/// # Errors
/// Arguments that cannot be used.
pub fn survivor(args: &SurvivorArgs) -> Result<ExitCode, Problem> {
    let (subject, plan) = args.store.load()?;
    let saw = Saw::of(&subject, args.store.store.as_path(), &plan);
    let line = serde_json::to_string(&saw);
    let line = line.map_err(|error| Problem::Other(error.to_string()))?;
    say(&line).map_err(|error| Problem::Other(format!("standard output: {error}")))?;
    Ok(Exit::Clean.into())
}

impl Saw {
    /// What a survivor sees on a place.
    pub fn of<P: ?Sized>(subject: &dyn Subject<P>, place: &P, plan: &Plan) -> Self {
        catch_unwind(AssertUnwindSafe(|| survive(subject, place, plan)))
            .unwrap_or_else(|payload| Err(Violation::Panicked(panic_message(payload.as_ref()))))
            .unwrap_or_else(Self::Wrong)
    }
}

fn survive<P: ?Sized>(subject: &dyn Subject<P>, place: &P, plan: &Plan) -> Result<Saw, Violation> {
    let universe = Universe::of(plan);
    let capabilities = subject.about().capabilities;
    let open = || subject.open(place, &plan.settings).map_err(Violation::Refused);
    let see = |store: &dyn Store| observe(store.client().as_mut(), &universe, capabilities);
    let store = open()?;
    let shown = see(store.as_ref())?;
    let mut client = store.client();
    for op in life_two(&shown, capabilities, 2) {
        // What an outcome should have been shows in the state.
        client.apply(&op);
    }
    drop(client);
    let after = see(store.as_ref())?;
    store.close().map_err(Violation::Refused)?;
    let kept = see(open()?.as_ref())?;
    Ok(Saw::States { shown, after, kept })
}

impl Site {
    /// Runs a survivor.
    ///
    /// # Errors
    /// [`ChildError`].
    pub fn survivor(&self, program: &Path) -> Result<Saw, ChildError> {
        let run = self.run(program, "__survivor", &[], None)?;
        let said = run.lines.last().and_then(|line| serde_json::from_str(line).ok());
        match (run.end, said) {
            (ChildEnd::Exited(0), Some(saw)) => Ok(saw),
            _ => Err(ChildError::of(&run)),
        }
    }
}
