//! What a driver can do wrong, each in one line.

use std::fmt;
use std::time::Duration;

use proofhouse_model::protocol::{LineError, MAX_LINE, VERSION};
use proofhouse_model::{ErrorClass, Refusal};

/// A driver that can be talked to no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the driver {fault}{}", LastWords(.stderr))]
pub struct DriverError {
    /// What it did.
    pub fault: Fault,
    /// The last lines that it wrote to its standard error, if that was captured.
    pub stderr: Vec<String>,
}

/// The driver's own fault as the answer to an open or a close.
impl From<&DriverError> for Refusal {
    fn from(error: &DriverError) -> Self {
        Self { class: ErrorClass::InDoubt, message: error.to_string() }
    }
}

/// What a driver did instead of answering.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such command, or it may not be run.
    #[error("could not be started: {why}: {command}")]
    NotStarted {
        /// The command.
        command: String,
        /// What the system says of it.
        why: String,
    },
    /// It ended by itself.
    #[error("exited with code {code} instead of answering {due}")]
    Exited {
        /// The code.
        code: i32,
        /// The request that waits.
        due: Due,
    },
    /// A signal ended it.
    #[error("was ended by signal {signal} instead of answering {due}")]
    Killed {
        /// The signal's number.
        signal: i32,
        /// The request that waits.
        due: Due,
    },
    /// It lives, but nobody can write answers any more.
    #[error("closed its standard output instead of answering {due}")]
    Closed {
        /// The request that waits.
        due: Due,
    },
    /// It lives and is silent.
    #[error("did not answer {due} within {} s", .watchdog.as_secs_f64())]
    Hung {
        /// The request that waits.
        due: Due,
        /// How long it was waited for.
        watchdog: Duration,
    },
    /// Its process ended, but some other process holds its standard output.
    #[error("exited and left its standard output to another process, {due} unanswered")]
    ForkedAway {
        /// The request that waits.
        due: Due,
    },
    /// Its process ended, but some other process answers.
    #[error(
        "exited while a child of it goes on answering: {due} was answered after the driver's \
         process had ended"
    )]
    Outlived {
        /// The request that was answered.
        due: Due,
    },
    /// A line that is no answer.
    #[error("answered {due} with something else: {error}: {line}")]
    Garbage {
        /// The request that waits.
        due: Due,
        /// What is wrong with the line.
        error: LineError,
        /// The line's beginning.
        line: String,
    },
    /// The answer to another request.
    #[error("answered request {got} where {due} is due")]
    WrongNumber {
        /// The request that waits.
        due: Due,
        /// The number that the answer has.
        got: u64,
    },
    /// The kind of answer that this request cannot have.
    #[error("answered {due} with \"{got}\"")]
    WrongKind {
        /// The request that waits.
        due: Due,
        /// The kind of answer that came.
        got: &'static str,
    },
    /// A line when nothing was asked.
    #[error("wrote a line that nothing had asked for: {line}")]
    Unasked {
        /// The line's beginning.
        line: String,
    },
    /// A line without end.
    #[error("answered {due} with a line longer than {MAX_LINE} bytes")]
    TooLong {
        /// The request that waits.
        due: Due,
    },
    /// It speaks a version that this program does not know.
    #[error("speaks version {0} of the protocol, which is newer than {VERSION}: update proofhouse")]
    NewerVersion(u32),
    /// The system failed a call on one of the pipes.
    #[error("cannot be reached: {0}")]
    Io(String),
}

impl Fault {
    /// Whether it shows only after the watchdog's time: each time it is met costs as much.
    pub const fn is_silence(&self) -> bool {
        matches!(self, Self::Hung { .. } | Self::ForkedAway { .. })
    }
}

/// The request whose answer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub n: u64,
    /// What it asks.
    pub ask: &'static str,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} ({})", self.n, self.ask)
    }
}

/// The last line on standard error, where tracebacks end with the reason.
struct LastWords<'a>(&'a [String]);

impl fmt::Display for LastWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.last() {
            Some(line) => write!(f, "; its last words: {line}"),
            None => Ok(()),
        }
    }
}

/// The beginning of a line, as people can read it: still one line, whatever bytes it has.
pub(super) fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(line.trim_ascii_end());
    let readable = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    let mut shown: String = text.chars().take(SHOWN).map(readable).collect();
    if text.chars().count() > SHOWN {
        shown.push_str("..");
    }
    shown
}
