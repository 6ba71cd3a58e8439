//! A process that runs plans on real files and tells what they leave, with hasher seeds of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use proofhouse_crash::{ChildEnd, Limits, run_child};
use proofhouse_subjects::Placed;

use super::{ChildError, WATCHDOG, known_subject, say};
use crate::cli::Problem;
use crate::finding::Exit;
use crate::measure::determinism;
use crate::scratch::Scratch;

/// What the process is told.
#[derive(Debug, Args)]
pub struct DigestArgs {
    /// The subject's name.
    #[arg(long)]
    subject: String,
    /// The seed of the run.
    #[arg(long)]
    seed: u64,
    /// How many plans.
    #[arg(long)]
    cases: u64,
    /// Where the stores go.
    #[arg(long)]
    dir: PathBuf,
}

/// Prints the digest of the files after each plan.
///
/// # Errors
/// Arguments that cannot be used, and whatever the file system says.
pub fn digests(args: &DigestArgs) -> Result<ExitCode, Problem> {
    let subject = known_subject(&args.subject)?;
    for case in 0..args.cases {
        let digest = digest(args, &subject, case).map_err(Problem::with(&args.dir))?;
        say(&format!("{digest:032x}")).map_err(Problem::with("standard output"))?;
    }
    Ok(Exit::Clean.into())
}

fn digest(args: &DigestArgs, subject: &Placed, case: u64) -> io::Result<u128> {
    let dir = Scratch::below(&args.dir)?;
    determinism::digest_on_files(subject, &dir.path().join("store"), args.seed, case)
}

/// The digests that another process finds, in case order.
///
/// # Errors
/// [`ChildError`].
pub(crate) fn elsewhere(
    program: &Path,
    subject: &str,
    seed: u64,
    cases: u64,
    dir: &Path,
) -> Result<Vec<u128>, ChildError> {
    // Whatever becomes of the process, what it makes is in here.
    let scratch = Scratch::below(dir)?;
    let mut command = Command::new(program);
    command.args(["__digests", "--subject", subject, "--seed", &seed.to_string()]);
    command.args(["--cases", &cases.to_string(), "--dir"]).arg(scratch.path());
    // One process does the work of many: it may take as long as they.
    let plans = u32::try_from(cases).unwrap_or(u32::MAX);
    let run = run_child(command, Limits { kill: None, watchdog: WATCHDOG.saturating_mul(plans) })?;
    let digests: Option<Vec<_>> =
        run.lines.iter().map(|line| u128::from_str_radix(line, 16).ok()).collect();
    match (run.end, digests) {
        (ChildEnd::Exited(0), Some(digests)) if digests.len() as u64 == cases => Ok(digests),
        _ => Err(ChildError::of(&run)),
    }
}
