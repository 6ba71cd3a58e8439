//! Scripts of the vectors, run against any driver: every outcome is due (`vectors/README.md`).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use proofhouse_golden::{Script, Step};
use proofhouse_model::protocol::{Ask, Hello};
use proofhouse_model::{Kept, Outcome};
use proofhouse_subjects::command::{Conversation, Fault, Launch, Launched, Process};

/// What running scripts found.
#[derive(Debug, Default)]
pub struct Ran {
    /// By rule: scripts that were run, and how many of them failed.
    pub rules: BTreeMap<String, (usize, usize)>,
    /// By what the driver does not offer: scripts that were not run.
    pub left_out: BTreeMap<String, usize>,
    /// The first step of each script at which the driver went another way.
    pub failures: Vec<Failure>,
}

/// A script that a driver does not follow.
#[derive(Debug)]
pub struct Failure {
    /// The script.
    pub id: String,
    /// The step, counted from 1.
    pub step: usize,
    /// What was asked, by its name.
    pub asked: &'static str,
    /// What was due.
    pub due: Outcome,
    /// What the driver answered, or did instead.
    pub got: Result<Outcome, Fault>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, step, asked, due, got } = self;
        write!(f, "script {id}, step {step}, {asked}: due: {due}; ")?;
        match got {
            Ok(got) => write!(f, "got: {got}"),
            Err(fault) => write!(f, "{fault}"),
        }
    }
}

impl Ran {
    /// Scripts that were run, and how many of them failed.
    pub fn total(&self) -> (usize, usize) {
        self.rules.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Whether something was run and nothing failed.
    pub fn passed(&self) -> bool {
        self.total().0 > 0 && self.failures.is_empty()
    }
}

/// Why scripts were not run.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// The driver did not say hello.
    #[error("{0}")]
    Driver(Fault),
    /// The place for its stores cannot be used.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs scripts, each on a store of its own below `scratch` and in a process of its own.
///
/// # Errors
/// [`NotRun`]: the driver does not even start, or there is no place for its stores.
pub fn run(
    scripts: &[Script],
    launch: &dyn Launch,
    watchdog: Duration,
    scratch: &Path,
) -> Result<Ran, NotRun> {
    let mut ran = Ran::default();
    let hello = Talk::start(launch, watchdog).map_err(NotRun::Driver)?.1;
    for (number, script) in scripts.iter().enumerate() {
        if let Some(need) = script.needs.iter().find(|need| !offers(&hello, need)) {
            *ran.left_out.entry(need.clone()).or_default() += 1;
            continue;
        }
        let dir = scratch.join(format!("script-{number}"));
        fs::create_dir(&dir)?;
        let failure = play(script, &Player { launch, watchdog, dir: &dir, hello: &hello });
        let (scripts, failed) = ran.rules.entry(script.rule.clone()).or_default();
        *scripts += 1;
        *failed += usize::from(failure.is_some());
        ran.failures.extend(failure);
        fs::remove_dir_all(&dir)?;
    }
    Ok(ran)
}

/// Whether a driver offers what a script needs.
fn offers(hello: &Hello, need: &str) -> bool {
    let can = hello.capabilities;
    match need {
        "transactions" => can.transactions,
        "snapshots" => can.snapshots,
        "checkpoint" => can.checkpoint,
        "compaction" => can.compaction,
        "ranges" => can.ranges,
        "scrub" => can.scrub,
        "insert" => can.insert,
        "canonical_payloads" => can.canonical_payloads,
        "kill" => hello.promises.commit.kill == Kept::AllAcknowledged,
        _ => false,
    }
}

/// What a script is played with.
struct Player<'a> {
    launch: &'a dyn Launch,
    watchdog: Duration,
    dir: &'a Path,
    hello: &'a Hello,
}

/// A conversation and its process, which is killed when this is dropped.
struct Talk {
    conversation: Conversation,
    _process: Box<dyn Process>,
}

impl Talk {
    fn start(launch: &dyn Launch, watchdog: Duration) -> Result<(Self, Hello), Fault> {
        let Launched { pipes, process, hook } = launch.launch().map_err(|error| error.fault)?;
        let conversation = Conversation::new(pipes, watchdog, hook);
        let conversation = conversation.map_err(|error| Fault::Io(error.to_string()))?;
        let mut talk = Self { conversation, _process: process };
        let hello = talk.conversation.hello()?;
        Ok((talk, hello))
    }
}

/// Plays one script; answers the first step at which the driver goes another way.
fn play(script: &Script, player: &Player) -> Option<Failure> {
    let mut talk = None;
    for (step, number) in script.steps.iter().zip(1..) {
        let Step::Ask { ask, due } = step else {
            talk = None;
            continue;
        };
        let due = player.due(due);
        let got = player.ask(&mut talk, ask);
        if got.as_ref().ok() != Some(&due) {
            return Some(Failure {
                id: script.id.clone(),
                step: number,
                asked: ask.name(),
                due,
                got,
            });
        }
    }
    None
}

impl Player<'_> {
    fn ask(&self, talk: &mut Option<Talk>, ask: &Ask) -> Result<Outcome, Fault> {
        let talk = match talk {
            Some(talk) => talk,
            None => talk.insert(Talk::start(self.launch, self.watchdog)?.0),
        };
        let ask = match ask {
            Ask::Open { settings, .. } => {
                let dir = self.dir.to_string_lossy().into_owned();
                Ask::Open { dir, settings: settings.clone() }
            }
            ask => ask.clone(),
        };
        talk.conversation.outcome(ask).map(|(outcome, _)| outcome)
    }

    /// What is due of this driver: one without sequences tells none.
    fn due(&self, due: &Outcome) -> Outcome {
        let mut due = due.clone();
        if let Outcome::Committed { sequence } | Outcome::Inserted { sequence, .. } = &mut due
            && !self.hello.capabilities.sequences
        {
            *sequence = None;
        }
        due
    }
}
