//! How a subject that is a command is driven: what a command line says of it, and a case remembers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a command may take for an answer, if nothing else is said.
const WATCHDOG: Duration = Duration::from_secs(10);

/// How to get along with a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct Driving {
    /// End of the names of files that a recorded engine may map writable, as no recovery reads
    /// them, such as `-shm` for `SQLite`.
    #[cfg_attr(feature = "cli", arg(long, value_name = "SUFFIX"))]
    pub mapped: Vec<String>,
    /// The longest that a command may take for an answer.
    #[cfg_attr(feature = "cli", arg(long, default_value = "10s", value_parser = crate::cli::duration))]
    pub watchdog: Duration,
}

impl Driving {
    /// Whether it is what a command line that says nothing of it means.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Driving {
    fn default() -> Self {
        Self { mapped: Vec::new(), watchdog: WATCHDOG }
    }
}
