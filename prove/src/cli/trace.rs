//! `trace`: what a trace file holds.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use proofhouse_crash::{TraceFileError, read_trace};

use super::Problem;
use crate::finding::Exit;

/// What to do with a trace file.
#[derive(Debug, Subcommand)]
pub(super) enum TraceCommand {
    /// Lists its operations, one a line, with the names that files had at that moment.
    Show {
        /// The trace file.
        file: PathBuf,
    },
}

/// Does it.
pub(super) fn run(command: &TraceCommand) -> Result<ExitCode, Problem> {
    let TraceCommand::Show { file } = command;
    list(file)?;
    Ok(Exit::Clean.into())
}

fn list(path: &Path) -> Result<(), Problem> {
    let file = File::open(path).map_err(Problem::with(path))?;
    let trace = read_trace(BufReader::new(file)).map_err(|error| match error {
        // The system's own words, as of any file.
        TraceFileError::Io(error) => Problem::with(path)(error),
        error => Problem::Other(format!("{}: {error}", path.display())),
    })?;
    let mut out = BufWriter::new(io::stdout().lock());
    // Whoever stopped reading needs no more of it.
    let _ = write!(out, "{trace}").and_then(|()| out.flush());
    Ok(())
}
