//! Says in plain words what a driver does wrong.
//!
//! A scripted conversation of a few seconds, for who writes a driver: it asks every operation
//! that the driver offers in the states that matter, compares each outcome with the oracle's, then
//! tries what harnesses do to drivers. It is no proof of the engine. Whether an answer is
//! flushed before the engine has returned cannot be seen from here; crashes show it.

mod script;

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proofhouse_model::protocol::{Ask, Hello};
use proofhouse_model::{Kept, Op, Oracle, Outcome, Plan, Refusal};

use super::driver::Driver;
use super::error::DriverError;
use super::process::{CommandLine, Launch, ProcessEnd};
use script::{reads, script, small_script};

/// One thing that a driver does wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// It did not answer as the protocol says.
    #[error("{stage}: {error}")]
    Driver {
        /// What was tried.
        stage: &'static str,
        /// What it did.
        error: DriverError,
    },
    /// It could not open or close a store.
    #[error("{stage}: {what} failed: {refusal}")]
    Refused {
        /// What was tried.
        stage: &'static str,
        /// Open or close.
        what: &'static str,
        /// The driver's answer.
        refusal: Refusal,
    },
    /// Its outcome was not the one due.
    #[error("{stage}, operation {index}, {op}: due: {due}; got: {got}{}", Said(.message))]
    Outcome {
        /// What was tried.
        stage: &'static str,
        /// The operation's index in this stage, counted from 0.
        index: usize,
        /// The operation.
        op: Op,
        /// What the oracle answers.
        due: Outcome,
        /// What the driver answered.
        got: Outcome,
        /// Its message beside.
        message: Option<String>,
    },
    /// There is something where only the store's directories should be.
    #[error("left a file outside the store's directory: {}", .0.display())]
    Outside(
        /// Its name below the scratch directory.
        PathBuf,
    ),
    /// It is still there.
    #[error("does not end {0}")]
    Stays(
        /// After what.
        &'static str,
    ),
    /// It ended with the wrong code or by a signal.
    #[error("ended {after} with {end}, where code 0 is due")]
    EndedBadly {
        /// After what.
        after: &'static str,
        /// How.
        end: ProcessEnd,
    },
}

/// The message beside an outcome, if there is one.
struct Said<'a>(&'a Option<String>);

impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |message| write!(f, " ({message})"))
    }
}

/// Complaints in one stage after which the rest of it would only follow from them.
const ENOUGH: usize = 5;

/// Checks a command; `TMPDIR` leads it to a directory that is watched too.
///
/// # Errors
/// As [`check_subject`].
pub fn check_command(
    command: &CommandLine,
    scratch: &Path,
    watchdog: Duration,
) -> io::Result<Vec<Complaint>> {
    check_subject(&command.clone().env("TMPDIR", scratch.join(TEMPORARY)), scratch, watchdog)
}

/// Holds the conversation. `scratch` is an empty directory for the stores; what the driver puts
/// beside them is found.
///
/// # Errors
/// Whatever the system says of the scratch directory.
pub fn check_subject(
    launch: &dyn Launch,
    scratch: &Path,
    watchdog: Duration,
) -> io::Result<Vec<Complaint>> {
    let dirs = [FIRST, SECOND, TEMPORARY].map(|name| scratch.join(name));
    for dir in &dirs {
        fs::create_dir(dir)?;
    }
    let mut check = Check { launch, watchdog, complaints: Vec::new() };
    let [first, second, temporary] = &dirs;
    // A complaint that ends a conversation is also the end of the check.
    if let Err(complaint) = check.run(first, second) {
        check.complaints.push(*complaint);
    }
    let mut beside = entries(scratch)?;
    beside.retain(|path| !dirs.contains(path));
    beside.extend(entries(temporary)?);
    beside.sort();
    let names = beside.iter().map(|path| path.strip_prefix(scratch).unwrap_or(path).to_owned());
    check.complaints.extend(names.map(Complaint::Outside));
    Ok(check.complaints)
}

/// The names below the scratch directory.
const FIRST: &str = "first";
const SECOND: &str = "second";
const TEMPORARY: &str = "tmp";

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

struct Check<'a> {
    launch: &'a dyn Launch,
    watchdog: Duration,
    complaints: Vec<Complaint>,
}

type Checked<T> = Result<T, Box<Complaint>>;

/// What is tried, and on which store.
#[derive(Clone, Copy)]
struct Stage<'a> {
    name: &'static str,
    dir: &'a Path,
}

impl Check<'_> {
    fn run(&mut self, first: &Path, second: &Path) -> Checked<()> {
        let stage = |name, dir| Stage { name, dir };
        let (mut driver, hello) = self.start("starting")?;
        let capabilities = hello.about().capabilities;
        let plan = script().for_capabilities(capabilities);
        let mut oracle = Oracle::new(&plan.settings, capabilities);
        self.play(stage("the script", first), &mut driver, &mut oracle, &plan)?;
        self.window(stage("requests outstanding", first), &mut driver, &mut oracle, &plan)?;
        let small = small_script().for_capabilities(capabilities);
        let mut other = Oracle::new(&small.settings, capabilities);
        self.play(stage("another directory", second), &mut driver, &mut other, &small)?;
        self.bye(driver)?;

        let (mut driver, _) = self.start("starting again")?;
        let reopening = stage("reopening in a new process", first);
        self.play(reopening, &mut driver, &mut oracle, &reads(&plan))?;
        if hello.about().promises.after_kill == Kept::AllAcknowledged {
            open(reopening, &mut driver, &plan, &oracle)?;
            self.ask(reopening, &mut driver, &mut oracle, (0, &small.ops))?;
            drop(driver);
            driver = self.start("starting after a kill")?.0;
            let stage = stage("reopening after a kill", first);
            self.play(stage, &mut driver, &mut oracle, &reads(&plan))?;
        }
        open(stage("the end of input", first), &mut driver, &plan, &oracle)?;
        self.end("the end of input", driver).map(|_| ())
    }

    fn start(&self, stage: &'static str) -> Checked<(Driver, Hello)> {
        Driver::start(self.launch, self.watchdog).map_err(|error| broken(stage, error))
    }

    /// One life or several: opens, asks and compares, closes.
    fn play(
        &mut self,
        stage: Stage<'_>,
        driver: &mut Driver,
        oracle: &mut Oracle,
        plan: &Plan,
    ) -> Checked<()> {
        let mut first = 0;
        for life in plan.ops.split(|op| *op == Op::Reopen) {
            open(stage, driver, plan, oracle)?;
            self.ask(stage, driver, oracle, (first, life))?;
            first += life.len() + 1;
            turn(stage, driver, "close", Ask::Close)?;
            oracle.step(&Op::Reopen);
        }
        Ok(())
    }

    fn ask(
        &mut self,
        stage: Stage<'_>,
        driver: &mut Driver,
        oracle: &mut Oracle,
        (first, ops): (usize, &[Op]),
    ) -> Checked<()> {
        for (index, op) in (first..).zip(ops) {
            let due = oracle.step(op);
            let answer = driver.ask(Ask::Op(op.clone()));
            let (got, message) = answer.map_err(|error| broken(stage.name, error))?;
            self.compare(stage, index, op, (due, got, message));
        }
        Ok(())
    }

    /// The same reads lock-step and with several unanswered.
    fn window(
        &mut self,
        stage: Stage<'_>,
        driver: &mut Driver,
        oracle: &mut Oracle,
        plan: &Plan,
    ) -> Checked<()> {
        let window = NonZeroUsize::new(8).unwrap_or(NonZeroUsize::MIN);
        open(stage, driver, plan, oracle)?;
        let ops = reads(plan).ops;
        let got = driver.ask_all(&ops, window).map_err(|error| broken(stage.name, error))?;
        for (index, (op, got)) in ops.iter().zip(got).enumerate() {
            let due = oracle.step(op);
            self.compare(stage, index, op, (due, got, None));
        }
        turn(stage, driver, "client", Ask::Client)?;
        turn(stage, driver, "close", Ask::Close)
    }

    fn compare(
        &mut self,
        stage: Stage<'_>,
        index: usize,
        op: &Op,
        (due, got, message): (Outcome, Outcome, Option<String>),
    ) {
        let stage = stage.name;
        let here = |complaint: &&Complaint| matches!(complaint, Complaint::Outcome { stage: other, .. } if *other == stage);
        if got != due && self.complaints.iter().filter(here).count() < ENOUGH {
            let op = op.clone();
            self.complaints.push(Complaint::Outcome { stage, index, op, due, got, message });
        }
    }

    fn bye(&mut self, mut driver: Driver) -> Checked<()> {
        let stage = Stage { name: "saying bye", dir: Path::new("") };
        turn(stage, &mut driver, "bye", Ask::Bye)?;
        let end = self.end("after a bye", driver)?;
        if end != ProcessEnd::Exited(0) {
            self.complaints.push(Complaint::EndedBadly { after: "after a bye", end });
        }
        Ok(())
    }

    /// Closes the driver's input and waits for its end.
    fn end(&self, after: &'static str, mut driver: Driver) -> Checked<ProcessEnd> {
        let end = driver.end(self.watchdog).map_err(|error| broken(after, error))?;
        end.ok_or_else(|| Box::new(Complaint::Stays(after)))
    }
}

fn open(stage: Stage<'_>, driver: &mut Driver, plan: &Plan, oracle: &Oracle) -> Checked<()> {
    let settings = plan.settings.after_draws(oracle.draws());
    let dir = stage.dir.to_string_lossy().into_owned();
    turn(stage, driver, "open", Ask::Open { dir, settings })
}

fn turn(stage: Stage<'_>, driver: &mut Driver, what: &'static str, ask: Ask) -> Checked<()> {
    let stage = stage.name;
    let turned = driver.turn(ask).map_err(|error| broken(stage, error))?;
    turned.map_err(|refusal| Box::new(Complaint::Refused { stage, what, refusal }))
}

fn broken(stage: &'static str, error: DriverError) -> Box<Complaint> {
    Box::new(Complaint::Driver { stage, error })
}

#[cfg(test)]
mod tests;
