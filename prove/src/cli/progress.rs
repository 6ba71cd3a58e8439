//! Progress on standard error, only where a person is looking.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::ProgressBar;

/// A line that says what is being measured; nothing if standard error is not a terminal.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Starts the line.
    pub(super) fn start() -> Self {
        Self(stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        }))
    }

    /// Says what comes next.
    pub(super) fn says(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
