//! `vectors`: makes the golden vectors, checks them, damages them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use proofhouse_golden::{
    EngineCodec, EngineLayouts, EngineReader, Report, Vectors, check, check_families,
    check_layouts, embedded, families, publish, sample,
};
use proofhouse_subjects::CommandLine;
use proofhouse_subjects::command::{Fault, WATCHDOG};

use super::prove::place_for_files;
use super::{Problem, complain, duration, show};
use crate::finding::Exit;
use crate::scratch::Scratch;
use crate::scripts::{self, Ran};

/// At most this many failures are told.
const TOLD_MAX: usize = 20;

/// What to do with the vectors.
#[derive(Debug, Subcommand)]
pub(super) enum VectorsCommand {
    /// Writes them into a directory; what was published there changes only with a blessing.
    Generate {
        /// The directory: empty, or with vectors and nothing else.
        dir: PathBuf,
        /// Lets published vectors change or go.
        #[arg(long, requires = "reason")]
        bless: bool,
        /// Why they change; entered into the directory's changelog.
        #[arg(long, requires = "bless")]
        reason: Option<String>,
    },
    /// Checks the reference engine against them; without a directory, those in this program.
    Check {
        /// The directory.
        dir: Option<PathBuf>,
    },
    /// Runs the scripts against a driver: every operation with every outcome due.
    RunScripts {
        /// Where the vectors are; those in this program if not given.
        #[arg(long, value_name = "DIR")]
        vectors: Option<PathBuf>,
        /// The longest that an answer may take.
        #[arg(long, default_value = "10s", value_parser = duration)]
        watchdog: Duration,
        /// Where its stores go; the system's temporary directory if not given.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// The driver and its arguments.
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Writes damaged vectors into a directory, with the engine's answers: for readers.
    Sample {
        /// The directory: empty, or not there yet.
        dir: PathBuf,
        /// Decides all damage.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many of each family.
        #[arg(long, default_value_t = 200)]
        count: usize,
    },
}

/// Does it.
pub(super) fn run(command: &VectorsCommand) -> Result<ExitCode, Problem> {
    match command {
        VectorsCommand::Generate { dir, reason, .. } => generate(dir, reason.as_deref()),
        VectorsCommand::Check { dir } => check_all(dir.as_deref()),
        VectorsCommand::RunScripts { vectors, watchdog, dir, command } => {
            let vectors = load(vectors.as_deref())?;
            let (program, rest) = command.split_first().ok_or_else(|| other("no command"))?;
            let driver = CommandLine::new(program, rest);
            let ran = run_scripts(&vectors, &driver, *watchdog, dir.as_deref())?;
            show(&by_rule(&ran));
            Ok(complain_of(&ran).into())
        }
        VectorsCommand::Sample { dir, seed, count } => write_sample(dir, *seed, *count),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`, which hands the error over")]
fn other(problem: impl ToString) -> Problem {
    Problem::Other(problem.to_string())
}

fn generate(dir: &Path, reason: Option<&str>) -> Result<ExitCode, Problem> {
    let done = publish(dir, reason).map_err(other)?;
    let (changed, removed) = (done.changed.len(), done.removed.len());
    show(&format!(
        "{}: {} vectors kept, {} added, {changed} changed, {removed} removed\n",
        dir.display(),
        done.kept,
        done.added
    ));
    Ok(Exit::Clean.into())
}

fn load(dir: Option<&Path>) -> Result<Vectors, Problem> {
    dir.map_or_else(embedded, Vectors::load).map_err(other)
}

fn check_all(dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let vectors = load(dir)?;
    let mut report = check(&vectors, &EngineCodec);
    report.extend(check_layouts(&vectors, &EngineLayouts));
    report.extend(check_families(&vectors, &EngineReader));
    let program = std::env::current_exe().map_err(Problem::with("this program"))?;
    let driver = CommandLine::new(program, ["driver", "reference"]);
    let ran = run_scripts(&vectors, &driver, WATCHDOG, None)?;
    show(&table(&report, &ran));
    for failure in report.failures.iter().take(TOLD_MAX) {
        complain(&failure.to_string());
    }
    Ok(match complain_of(&ran) {
        Exit::Clean if !report.passed() => Exit::Divergence.into(),
        exit => exit.into(),
    })
}

fn run_scripts(
    vectors: &Vectors,
    driver: &CommandLine,
    watchdog: Duration,
    dir: Option<&Path>,
) -> Result<Ran, Problem> {
    let dir = place_for_files(dir)?;
    let scratch = Scratch::below(&dir).map_err(Problem::with(dir))?;
    scripts::run(&vectors.scripts, driver, watchdog, scratch.path()).map_err(other)
}

/// Tells what failed, and how the process ends.
fn complain_of(ran: &Ran) -> Exit {
    for failure in ran.failures.iter().take(TOLD_MAX) {
        complain(&failure.to_string());
    }
    let hung = |failure: &scripts::Failure| matches!(failure.got, Err(Fault::Hung { .. }));
    match ran {
        _ if ran.failures.iter().any(hung) => Exit::Hang,
        _ if ran.passed() => Exit::Clean,
        // A driver that offers nothing has shown nothing.
        _ if ran.failures.is_empty() => Exit::Unmeasured,
        _ => Exit::Divergence,
    }
}

/// One line a rule, one for what the driver does not offer, one for all.
fn by_rule(ran: &Ran) -> String {
    let line = |(name, (scripts, failed)): (&str, (usize, usize))| {
        format!("{name}: {} of {scripts} scripts agree\n", scripts - failed)
    };
    let rules = ran.rules.iter().map(|(rule, counts)| line((rule, *counts)));
    let left = ran.left_out.iter().map(|(need, count)| {
        format!("left out, for the driver does not offer {need}: {count} scripts\n")
    });
    rules.chain(left).chain([line(("driver", ran.total()))]).collect()
}

/// One line a family, and one for all.
fn table(report: &Report, ran: &Ran) -> String {
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    families.insert(families::SCRIPT, ran.total());
    for rule in &report.rules {
        let (vectors, failed) = families.entry(rule.family).or_default();
        *vectors += rule.vectors;
        *failed += rule.failed;
    }
    let line = |name: &str, vectors: usize, failed: usize| {
        format!("{name}: {} of {vectors} vectors agree\n", vectors - failed)
    };
    let failed = families.values().map(|(_, failed)| failed).sum();
    let lines = families.iter().map(|(name, (vectors, failed))| line(name, *vectors, *failed));
    lines.chain([line("engine", report.vectors() + ran.total().0, failed)]).collect()
}

fn write_sample(dir: &Path, seed: u64, count: usize) -> Result<ExitCode, Problem> {
    fs::create_dir_all(dir).map_err(Problem::with(dir))?;
    if fs::read_dir(dir).map_err(Problem::with(dir))?.next().is_some() {
        return Err(other(format!("{}: not empty; name another directory", dir.display())));
    }
    for (name, bytes) in sample(seed, count).map_err(other)? {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Problem::with(parent))?;
        }
        fs::write(&path, bytes).map_err(Problem::with(path))?;
    }
    show(&format!("{}: {count} damaged vectors of each family\n", dir.display()));
    Ok(Exit::Clean.into())
}
