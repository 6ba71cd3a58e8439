//! `check-subject`: what a driver does wrong, in plain words.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use proofhouse_subjects::command::{Complaint, Fault};
use proofhouse_subjects::{CommandLine, DriverError, check_command};

use super::prove::place_for_files;
use super::{Problem, duration, show};
use crate::finding::Exit;
use crate::scratch::Scratch;

/// Which driver, and how patiently.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The longest that an answer may take.
    #[arg(long, default_value = "10s", value_parser = duration)]
    watchdog: Duration,
    /// Where its stores go for the check; the system's temporary directory if not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The driver and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Checks a driver; one line per complaint.
pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, Problem> {
    let Some((program, rest)) = args.command.split_first() else {
        return Err(Problem::Other("a command is missing".to_owned()));
    };
    let command = CommandLine::new(program, rest);
    #[cfg(target_os = "linux")]
    super::strays::adopt().map_err(|error| Problem::Other(error.to_string()))?;
    let complaints = check(&command, &place_for_files(args.dir.as_deref())?, args.watchdog)?;
    if let Some(Complaint::Driver { error, .. }) = complaints.first()
        && let Fault::NotStarted { .. } = error.fault
    {
        return Err(Problem::Other(error.to_string()));
    }
    for complaint in &complaints {
        show(&format!("{complaint}\n"));
    }
    if complaints.is_empty() {
        show("no complaints: the driver speaks the protocol\n");
    }
    Ok(exit(&complaints).into())
}

/// Whatever the driver left is gone afterwards: in the scratch directory, and running.
fn check(command: &CommandLine, dir: &Path, watchdog: Duration) -> Result<Vec<Complaint>, Problem> {
    let scratch = Scratch::below(dir).map_err(Problem::with(dir))?;
    let complaints = check_command(command, scratch.path(), watchdog);
    #[cfg(target_os = "linux")]
    super::strays::end_all();
    complaints.map_err(Problem::with(scratch.path()))
}

fn exit(complaints: &[Complaint]) -> Exit {
    let hung = |one: &Complaint| match one {
        Complaint::Driver { error: DriverError { fault, .. }, .. } => {
            matches!(fault, Fault::Hung { .. })
        }
        Complaint::Stays(_) => true,
        _ => false,
    };
    match complaints {
        [] => Exit::Clean,
        some if some.iter().any(hung) => Exit::Hang,
        _ => Exit::Divergence,
    }
}
