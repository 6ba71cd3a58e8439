//! The process to be killed.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use proofhouse_crash::{ChildEnd, KillAfter};
use proofhouse_model::{Marks, RunOptions, Window, run};
use proofhouse_subjects::{KillPoint, KillStorage};
use serde::{Deserialize, Serialize};

use super::{ChildError, Site, StoreArgs, say};
use crate::cli::Problem;
use crate::finding::Exit;

/// `SIGKILL`.
const KILL: i32 = 9;

/// What a victim is told.
#[derive(Debug, Args)]
pub struct VictimArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Kill itself before the storage call of this index, counted from 0.
    #[arg(long, conflicts_with = "after")]
    before: Option<u64>,
    /// Kill itself after the storage call of this index.
    #[arg(long)]
    after: Option<u64>,
}

/// Carries out the plan, and dies where told.
///
/// # Errors
/// Arguments that cannot be used.
pub fn victim(args: &VictimArgs) -> Result<ExitCode, Problem> {
    let (subject, plan) = args.store.load()?;
    let point = match (args.before, args.after) {
        (Some(index), _) => KillPoint::Before(index),
        (None, Some(index)) => KillPoint::After(index),
        (None, None) => KillPoint::Never,
    };
    let storage = KillStorage::new(&args.store.store, point);
    let options = RunOptions { history: false, close: true };
    let mut marks = Spoken(Ok(()));
    let ended = run(&subject, &storage, &plan, options, &mut marks);
    let told = match ended {
        Ok(_) => say(&format!("calls {}", storage.calls())),
        Err(divergence) => say(&format!("diverged {divergence}")),
    };
    marks.0.and(told).map_err(|error| Problem::Other(format!("standard output: {error}")))?;
    Ok(Exit::Clean.into())
}

/// Says what is issued and acknowledged.
struct Spoken(io::Result<()>);

impl Spoken {
    fn say(&mut self, line: &str) {
        if self.0.is_ok() {
            self.0 = say(line);
        }
    }
}

impl Marks for Spoken {
    fn issue(&mut self, event: u64) {
        self.say(&format!("issue {event}"));
    }

    fn ack(&mut self, event: u64) {
        self.say(&format!("ack {event}"));
    }
}

/// What the lines of a victim tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// How far it came.
    pub window: Window,
    /// Storage calls, if it came to the end of its plan.
    pub calls: Option<u64>,
}

impl Witness {
    fn of(lines: &[String]) -> Self {
        let window = Window { acknowledged: 0, issued: 0 };
        let mut witness = Self { window, calls: None };
        for line in lines {
            let Some((word, number)) = line.split_once(' ') else { continue };
            let Ok(number) = number.parse() else { continue };
            match word {
                "issue" => witness.window.issued = number,
                "ack" => witness.window.acknowledged = number,
                "calls" => witness.calls = Some(number),
                _ => {}
            }
        }
        witness
    }
}

impl Site {
    /// Runs a victim that is to live, or to die at `point`.
    ///
    /// # Errors
    /// [`ChildError`], also if it lives when it should have died or the other way round.
    pub fn victim(&self, program: &Path, point: KillPoint) -> Result<Witness, ChildError> {
        let (option, index) = match point {
            KillPoint::Never => (None, 0),
            KillPoint::Before(index) => (Some("--before"), index),
            KillPoint::After(index) => (Some("--after"), index),
        };
        let index = index.to_string();
        let more: Vec<&str> = option.into_iter().flat_map(|option| [option, &index]).collect();
        let run = self.run(program, "__victim", &more, None)?;
        let due = if option.is_some() { ChildEnd::Killed(KILL) } else { ChildEnd::Exited(0) };
        let witness = Witness::of(&run.lines);
        if run.end == due && (option.is_some() || witness.calls.is_some()) {
            Ok(witness)
        } else {
            Err(ChildError::of(&run))
        }
    }

    /// Runs a victim and kills it from outside; it may come to its end before.
    ///
    /// # Errors
    /// [`ChildError`].
    pub fn victim_of(&self, program: &Path, kill: KillAfter) -> Result<Witness, ChildError> {
        let run = self.run(program, "__victim", &[], Some(kill))?;
        match run.end {
            ChildEnd::Killed(KILL) | ChildEnd::Exited(0) => Ok(Witness::of(&run.lines)),
            _ => Err(ChildError::of(&run)),
        }
    }
}
