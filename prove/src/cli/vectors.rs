//! `vectors`: makes the golden vectors, checks them, damages them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use proofhouse_golden::{
    EngineCodec, EngineLayouts, EngineReader, Report, Vectors, check, check_families,
    check_layouts, embedded, publish, sample,
};

use super::{Problem, complain, show};
use crate::finding::Exit;

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

fn check_all(dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let vectors = dir.map_or_else(embedded, Vectors::load).map_err(other)?;
    let mut report = check(&vectors, &EngineCodec);
    report.extend(check_layouts(&vectors, &EngineLayouts));
    report.extend(check_families(&vectors, &EngineReader));
    show(&table(&report));
    for failure in report.failures.iter().take(TOLD_MAX) {
        complain(&failure.to_string());
    }
    Ok(if report.passed() { Exit::Clean.into() } else { Exit::Divergence.into() })
}

/// One line a family, and one for all.
fn table(report: &Report) -> String {
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
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
    lines.chain([line("engine", report.vectors(), failed)]).collect()
}

fn write_sample(dir: &Path, seed: u64, count: usize) -> Result<ExitCode, Problem> {
    fs::create_dir_all(dir).map_err(Problem::with(dir))?;
    if fs::read_dir(dir).map_err(Problem::with(dir))?.next().is_some() {
        return Err(other(format!("{}: not empty; name another directory", dir.display())));
    }
    for (name, bytes) in sample(seed, count).map_err(other)? {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(Problem::with(path))?;
    }
    show(&format!("{}: {count} damaged vectors of each family\n", dir.display()));
    Ok(Exit::Clean.into())
}
