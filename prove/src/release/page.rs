//! The result: one line a check.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::finding::Exit;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was made, and found nothing.
    Pass,
    /// It found something.
    Fail,
    /// A tool is not installed.
    MissingTool,
    /// There is nothing to check against yet.
    NothingEarlier,
    /// It was not asked for, or what it needs was not made.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name.
    pub check: &'static str,
    /// How it ended.
    pub state: State,
    /// What was seen, in a few words.
    pub seen: String,
    /// What is wrong, or is worth knowing, one to a line.
    pub told: Vec<String>,
    /// The exit that a failure asks for.
    #[serde(skip)]
    exit: Exit,
}

impl Line {
    /// A check that ended.
    pub fn new(check: &'static str, state: State, seen: impl Into<String>) -> Self {
        Self { check, state, seen: seen.into(), told: Vec::new(), exit: Exit::Divergence }
    }

    /// A check that passes if there is nothing wrong.
    pub fn judged(check: &'static str, seen: impl Into<String>, wrong: Vec<String>) -> Self {
        let state = if wrong.is_empty() { State::Pass } else { State::Fail };
        Self::new(check, state, seen).telling(wrong)
    }

    /// A check that failed before it could count.
    pub fn failed(check: &'static str, why: impl Into<String>) -> Self {
        Self::judged(check, "", vec![why.into()])
    }

    /// The same, with this told below the table.
    #[must_use]
    pub fn telling(self, told: Vec<String>) -> Self {
        Self { told, ..self }
    }

    /// The same; a failure asks for this exit.
    #[must_use]
    pub fn asking(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

/// All checks.
#[derive(Debug, Serialize)]
pub struct Page {
    /// In the order in which they ran.
    pub lines: Vec<Line>,
}

impl Page {
    /// How the process ends: the first failure decides; then what was skipped or, where all
    /// tools must be there, could not be checked for want of one.
    pub fn exit(&self, all_tools: bool) -> Exit {
        if let Some(line) = self.lines.iter().find(|line| line.state == State::Fail) {
            return line.exit;
        }
        let unmeasured = |line: &Line| match line.state {
            State::MissingTool => all_tools,
            State::Skipped => true,
            State::Pass | State::Fail | State::NothingEarlier => false,
        };
        if self.lines.iter().any(unmeasured) { Exit::Unmeasured } else { Exit::Clean }
    }

    /// The page for people.
    pub fn render(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["check", "verdict", "seen"]);
        for line in &self.lines {
            table.add_row([line.check, line.state.words(), line.seen.as_str()]);
        }
        let mut text = format!("{table}\n");
        for line in &self.lines {
            for told in &line.told {
                // Writing to memory cannot fail.
                let _ = writeln!(text, "{}: {told}", line.check);
            }
        }
        text
    }
}

impl State {
    /// The state as the page has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::MissingTool => "NOT MEASURED (missing tool)",
            Self::NothingEarlier => "NOT MEASURED (no earlier release)",
            Self::Skipped => "NOT MEASURED (skipped)",
        }
    }
}
