//! The command line: what is asked, checked before anything runs.
//!
//! Whatever is wrong with a call is said in one line on standard error, and the process exits
//! with 1; with 14 if a driver did not even say hello in time.

mod check_subject;
mod driver;
mod explain;
mod interrupt;
mod merge;
mod mutate_io;
mod progress;
mod prove;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod record;
mod release_check;
mod replay;
#[cfg(target_os = "linux")]
mod strays;
mod subjects;
#[cfg(test)]
mod tests;
mod trace;
mod vectors;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::criteria;
use crate::driving::Driving;
use crate::finding::Exit;
use crate::process;
use crate::profile::{Profile, Promise};
use crate::scratch::halt_if_interrupted;
use crate::share::Shard;
use crate::share::ledger::LedgerError;

/// Proves that a storage engine keeps what it acknowledged.
#[derive(Debug, Parser)]
#[command(name = "proofhouse", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    prove: ProveArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures a subject on the nineteen criteria (what happens without a command, too).
    Prove(ProveArgs),
    /// Makes the proof of a whole run from its shards.
    Merge(merge::MergeArgs),
    /// Shows a failure again, from its case file.
    Replay {
        /// The case file.
        file: PathBuf,
        /// Which cause to show of several, counted from 1.
        #[arg(long, value_name = "N", default_value = "1")]
        cause: NonZeroUsize,
        /// Where real files go.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Tells what a criterion claims and how it is measured; without one, of all.
    Explain {
        /// `AC-01` … `AC-19`.
        #[arg(value_parser = criterion)]
        criterion: Option<String>,
    },
    /// Leaves out, weakens or moves each sync and rename of a subject: which of them bear load?
    MutateIo(mutate_io::MutateArgs),
    /// Lists the subjects that are built in.
    Subjects,
    /// Says what a driver does wrong that speaks the line protocol (docs/protocol.md).
    CheckSubject(check_subject::CheckArgs),
    /// Serves a subject that is built in over the line protocol.
    Driver {
        /// A name that `proofhouse subjects` lists.
        name: String,
    },
    /// Records what a program does to a directory.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    Record(record::RecordArgs),
    /// Looks into a trace file.
    #[command(subcommand)]
    Trace(trace::TraceCommand),
    /// Makes and checks the golden vectors (vectors/README.md).
    #[command(subcommand)]
    Vectors(vectors::VectorsCommand),
    /// Checks a release on its packages: builds, proves, opens, compares them (docs/release.md).
    ReleaseCheck(release_check::ReleaseArgs),
    /// A process to be killed; started by `prove`.
    #[command(name = "__victim", hide = true)]
    Victim(process::VictimArgs),
    /// A process that recovers after a kill; started by `prove`.
    #[command(name = "__survivor", hide = true)]
    Survivor(process::SurvivorArgs),
    /// A process that runs plans and prints digests; started by `prove`.
    #[command(name = "__digests", hide = true)]
    Digests(process::DigestArgs),
}

/// What to prove, how thoroughly, and where to write it.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// How much to do.
    #[arg(long, value_enum, default_value = "quick")]
    pub profile: Profile,
    /// Only these criteria, separated by commas.
    #[arg(long, value_name = "AC-nn", value_delimiter = ',', value_parser = criterion)]
    pub criteria: Vec<String>,
    /// Decides everything that is generated.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The longest it may take, such as 90s or 10m, but for what is under way then; what is cut is
    /// not measured, and findings are made no smaller.
    #[arg(long, value_parser = duration)]
    pub budget: Option<Duration>,
    /// Where the report and the case files go.
    #[arg(long, value_name = "DIR", default_value = "proofhouse-out")]
    pub out: PathBuf,
    /// Only the K-th of N parts, to be merged later; goes on where it was cut short.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Exit with 17 if anything was not measured.
    #[arg(long, conflicts_with = "criteria")]
    pub require_all: bool,
    /// The engine under test: a name that `proofhouse subjects` lists, or a command that speaks
    /// the line protocol (docs/protocol.md).
    #[arg(long, value_name = "NAME|CMD", default_value = "reference")]
    pub subject: String,
    /// Which promise to judge by: the engine's own, or that all acknowledged is kept. What is
    /// found beyond its own promise is told and fails nothing.
    #[arg(long, value_enum, default_value = "own")]
    pub promise: Promise,
    /// How to get along with a command.
    #[command(flatten)]
    pub driving: Driving,
    /// Where real files go; the system's temporary directory if not given.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Command {
    /// Whether it makes directories that nobody needs when it ends. The rest make none, or are child
    /// processes of one that does and removes theirs with its own.
    fn has_scratch(&self) -> bool {
        matches!(
            self,
            Self::Prove(_)
                | Self::Merge(_)
                | Self::Replay { .. }
                | Self::MutateIo(_)
                | Self::CheckSubject(_)
                | Self::Vectors(_)
                | Self::ReleaseCheck(_)
        )
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => {
            let came_to = run(cli).unwrap_or_else(|problem| {
                complain(&problem.to_string());
                problem.exit().into()
            });
            halt_if_interrupted();
            came_to
        }
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            show(&error.to_string());
            Exit::Clean.into()
        }
        Err(error) => {
            complain(&one_line(&error.to_string()));
            Exit::Usage.into()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Problem> {
    let command = cli.command.unwrap_or(Command::Prove(cli.prove));
    if command.has_scratch() {
        interrupt::leave_no_scratch().map_err(|error| Problem::Other(error.to_string()))?;
    }
    match command {
        Command::Prove(args) => leaving_nothing(|| prove::run(&args)),
        Command::Merge(args) => leaving_nothing(|| merge::run(&args)),
        Command::Replay { file, cause, dir } => {
            leaving_nothing(|| replay::run(&file, cause.get(), dir.as_deref()))
        }
        Command::Explain { criterion } => Ok(explain::run(criterion.as_deref())),
        Command::MutateIo(args) => leaving_nothing(|| mutate_io::run(&args)),
        Command::Subjects => Ok(subjects::run()),
        Command::CheckSubject(args) => check_subject::run(&args),
        Command::Driver { name } => driver::run(&name),
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        Command::Record(args) => record::run(args),
        Command::Trace(command) => trace::run(&command),
        Command::Vectors(command) => vectors::run(&command),
        Command::ReleaseCheck(args) => release_check::run(&args),
        Command::Victim(args) => process::victim(&args),
        Command::Survivor(args) => process::survivor(&args),
        Command::Digests(args) => process::digests(&args),
    }
}

/// Runs what starts drivers: whatever processes they leave behind end with it.
fn leaving_nothing(act: impl FnOnce() -> Result<ExitCode, Problem>) -> Result<ExitCode, Problem> {
    #[cfg(target_os = "linux")]
    strays::adopt().map_err(|error| Problem::Other(error.to_string()))?;
    let came_to = act();
    #[cfg(target_os = "linux")]
    strays::end_all();
    came_to
}

/// Something that stops a command before it could judge anything.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file or directory that cannot be used.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A subject that does not exist.
    #[error("no subject {0:?}: `proofhouse subjects` lists them; a command has a space or a /")]
    Subject(String),
    /// A command that is no subject, or none any more.
    #[error("{0}")]
    Driver(String),
    /// A command that did not say who it is in time.
    #[error("{0}")]
    Hung(String),
    /// A case file that cannot be used.
    #[error("{path}: {error}", path = .path.display())]
    Case {
        /// Which.
        path: PathBuf,
        /// Why.
        error: crate::case::CaseError,
    },
    /// A shard that cannot be used.
    #[error("{0}")]
    Shard(#[from] LedgerError),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// How a process that it stops ends.
    fn exit(&self) -> Exit {
        match self {
            Self::Hung(_) => Exit::Hang,
            _ => Exit::Usage,
        }
    }

    /// For `map_err`: the problem with a path.
    pub fn with(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }
}

/// Prints a result. Whoever stopped reading it needs no more of it.
fn show(text: &str) {
    halt_if_interrupted();
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(line: &str) {
    halt_if_interrupted();
    eprintln!("proofhouse: {line}");
}

/// The first paragraph of a message of the argument parser, as one line.
fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = paragraph.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

fn criterion(id: &str) -> Result<String, String> {
    match criteria::find(id) {
        Some(_) => Ok(id.to_owned()),
        None => Err("there are AC-01 to AC-19".to_owned()),
    }
}

/// A whole number and a unit: `500ms`, `90s`, `10m`, `2h`. Not zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let problem = || "a whole number above 0 and ms, s, m or h, such as 90s".to_owned();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(problem)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| problem())?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(problem()),
    };
    match number.checked_mul(unit) {
        None | Some(0) => Err(problem()),
        Some(millis) => Ok(Duration::from_millis(millis)),
    }
}
