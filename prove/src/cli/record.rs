//! `record`: what a program does to a directory, into a trace file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use proofhouse_crash::{RecordCommand, RecordEnd, RecordOptions, Recorded, record, write_trace};

use super::{Problem, complain, duration};
use crate::finding::Exit;

/// What a trace file is called, if nobody says otherwise.
const NAME: &str = "proofhouse.trace";

/// What to record, and where to.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// The directory whose changes are recorded; it must exist, and nobody else may change it.
    #[arg(long, value_name = "DIR", default_value = ".")]
    watch: PathBuf,
    /// The trace file, outside the watched directory. If not given: proofhouse.trace here or, where
    /// here is watched, beside the watched directory.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The longest that the program may run.
    #[arg(long, default_value = "1m", value_parser = duration)]
    watchdog: Duration,
    /// End of the names of files that may be mapped writable, as nothing depends on them after a
    /// crash, such as `-shm` for `SQLite`.
    #[arg(long, value_name = "SUFFIX")]
    mapped: Vec<String>,
    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// Records a program. What it prints is passed on, what was recorded is said on standard error.
pub(super) fn run(args: RecordArgs) -> Result<ExitCode, Problem> {
    let watch = args.watch.canonicalize().map_err(Problem::with(&args.watch))?;
    let out = place(args.out, &watch)?;
    let command = RecordCommand::new(args.command, &watch).map_err(Problem::with("."))?;
    let options =
        RecordOptions { watchdog: args.watchdog, mapped: args.mapped, ..RecordOptions::default() };
    // What cannot be started or traced says of itself what it is.
    let recorded = record_through(command, options)
        .map_err(|error| Problem::Other(format!("cannot record: {error}")))?;
    keep(&recorded, &out).map_err(Problem::with(&out))?;
    complain(&summary(&recorded, &out));
    judge(&recorded, &watch).map(Into::into)
}

/// Where the trace goes: nobody may change the watched directory but the program.
fn place(out: Option<PathBuf>, watch: &Path) -> Result<PathBuf, Problem> {
    let default = out.is_none();
    let out = out.unwrap_or_else(|| NAME.into());
    let dir = parent(&out).canonicalize().map_err(Problem::with(&out))?;
    match watch.parent() {
        _ if !dir.starts_with(watch) => Ok(out),
        Some(beside) if default => Ok(beside.join(NAME)),
        _ => Err(Problem::Other(format!("{}: lies in the watched directory", out.display()))),
    }
}

fn keep(recorded: &Recorded, out: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out)?);
    write_trace(&recorded.trace, &mut file)?;
    file.flush()
}

/// The directory that a new file goes to.
fn parent(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn record_through(command: RecordCommand, options: RecordOptions) -> io::Result<Recorded> {
    let mut session = record(command, options)?;
    if let Some(mut stdout) = session.take_stdout() {
        // Nothing is asked of the program: its input has ended before it begins.
        drop(session.take_stdin());
        // Whoever stopped reading us needs no more of it; the program learns that as from a pipe.
        let _ = io::copy(&mut stdout, &mut io::stdout());
    }
    session.finish()
}

/// What was recorded, in one line.
fn summary(recorded: &Recorded, out: &Path) -> String {
    let end = match recorded.end {
        RecordEnd::Exited(code) => format!("the program exited with code {code}"),
        RecordEnd::Signaled(signal) => format!("signal {signal} ended the program"),
        RecordEnd::Killed => "the program was killed".to_owned(),
        RecordEnd::Hung => "the program did not end in time and was killed".to_owned(),
    };
    let (calls, ops) = (recorded.calls.len(), recorded.trace.ops.len());
    format!("{calls} calls, {ops} operations, {end}: {}", out.display())
}

/// What the recording is worth: whether it tells all that happened, and tells the truth.
fn judge(recorded: &Recorded, watch: &Path) -> Result<Exit, Problem> {
    for (name, count) in &recorded.changes_outside {
        complain(&format!(
            "calls that changed something outside the watched directory: {count} × {name}"
        ));
    }
    if recorded.left_behind > 0 {
        let what = "processes that outlived the program and were killed";
        complain(&format!("{what}: {}", recorded.left_behind));
    }
    for reason in &recorded.not_measured {
        complain(&format!("NOT MEASURED: {reason}"));
    }
    if recorded.end == RecordEnd::Hung {
        return Ok(Exit::Hang);
    }
    if !recorded.not_measured.is_empty() {
        return Ok(Exit::Unmeasured);
    }
    let differences = recorded.compare(watch).map_err(Problem::with(watch))?;
    for difference in &differences {
        complain(&format!("HARNESS BROKEN: the trace replayed is not the directory: {difference}"));
    }
    Ok(if differences.is_empty() { Exit::Clean } else { Exit::HarnessBroken })
}
