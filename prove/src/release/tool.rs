//! Tools that are run, and what they say.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;

/// Lines of a tool's complaint that are kept.
const KEPT: usize = 12;

/// Why a tool did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not installed.
    Missing(String),
    /// It ended with another code than 0; its last words.
    Failed {
        /// The code, if it was not killed.
        code: Option<i32>,
        /// What it said, errors last.
        words: String,
    },
}

impl Trouble {
    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Missing(tool) => format!("{tool} is not installed"),
            Self::Failed { words, .. } => words,
        }
    }
}

/// What a tool wrote: on standard output, and on standard error.
pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
}

/// `cargo`, the one that runs this program if one does.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a tool to its end.
pub(super) fn run(command: &mut Command) -> Result<Said, Trouble> {
    // Where it is installed is no matter of a report.
    let program = Path::new(command.get_program());
    let tool = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Missing(tool.clone()),
        _ => Trouble::Failed { code: None, words: format!("{tool}: {error}") },
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said { out: text(&output.stdout), err: text(&output.stderr) };
    if output.status.success() {
        return Ok(said);
    }
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).take(2).collect();
    let code = output.status.code();
    let words = format!("{tool} {}: {}", arguments.join(" "), last_lines(&said));
    Err(Trouble::Failed { code, words })
}

/// From the first line that says `error`, or else the last ones.
fn last_lines(said: &Said) -> String {
    let text = if said.err.trim().is_empty() { &said.out } else { &said.err };
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = lines.iter().position(|line| line.starts_with("error"));
    let first = first.unwrap_or(lines.len().saturating_sub(KEPT));
    lines.get(first..).unwrap_or_default().iter().take(KEPT).copied().collect::<Vec<_>>().join("; ")
}
