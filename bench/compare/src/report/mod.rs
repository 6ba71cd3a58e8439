//! Tables, plots, and data for other tools.

mod plot;

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::goals::{Verdict, verdicts};
use crate::machine::Machine;
use crate::results::{Cell, Row, Spread};
use crate::store::Result;
use crate::work::sync_calls::SyncCalls;

/// All there is to tell of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where and with what.
    pub machine: Machine,
    /// Entities in a loaded store.
    pub entities: u64,
    /// Rounds.
    pub rounds: usize,
    /// Length of a turn, in milliseconds.
    pub turn_ms: u128,
    /// The seed.
    pub seed: u64,
    /// How long it all took, in seconds.
    pub seconds: u64,
    /// Sync calls of a commit.
    pub sync_calls: Vec<SyncCalls>,
    /// Everything else.
    pub rows: Vec<Row>,
    /// What became of the goals.
    pub goals: Vec<Verdict>,
}

impl Report {
    /// Compares what was measured with the goals.
    pub fn judge(&mut self) {
        self.goals = verdicts(&self.rows);
    }

    /// The table on the terminal.
    pub fn table(&self) -> String {
        let names: Vec<&str> = self.names();
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["workload", "unit"].into_iter().chain(names.iter().copied()));
        for row in &self.rows {
            let cells = names.iter().map(|name| cell_text(row, name, None));
            table.add_row([row.name.clone(), row.unit.to_owned()].into_iter().chain(cells));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{}\n{table}\n\n{}\n{}", self.heading(), self.sync_text(), self.goal_text())
    }

    /// Writes `compare.json`, `compare.md` and a plot for each row.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, out: &Path) -> Result<()> {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("compare.json"), serde_json::to_string_pretty(self)? + "\n")?;
        let plots = plot::write(&self.rows, out)?;
        std::fs::write(out.join("compare.md"), self.markdown(&plots))?;
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for cell in self.rows.iter().rev().flat_map(|row| &row.cells) {
            if !names.contains(&cell.peer.as_str()) {
                names.push(&cell.peer);
            }
        }
        names
    }

    fn heading(&self) -> String {
        let Machine {
            date,
            processor,
            cores,
            kernel,
            file_system,
            rustc,
            load_before,
            is_loaded,
            peers,
        } = &self.machine;
        let loaded = if *is_loaded {
            ": OTHERS KEPT IT BUSY, these figures are of that load, too"
        } else {
            ""
        };
        let mut out = format!(
            "{date}, {cores} cores of {processor}, Linux {kernel}, {file_system}, {rustc}, \
             load {load_before} before{loaded}.\n{} entities of 150 bytes under ids of 16, {} rounds \
             of turns of {} ms that alternate, seed {}; {} s in all. Medians; quartiles are in brackets.\n",
            self.entities, self.rounds, self.turn_ms, self.seed, self.seconds,
        );
        for one in peers {
            let _ = writeln!(out, "- {} {}: {}", one.peer, one.version, one.settings);
        }
        out
    }

    fn sync_text(&self) -> String {
        let mut out = String::from("Sync calls of a durable commit of one entity, from a trace:\n");
        for calls in &self.sync_calls {
            let told = if let Some(why) = &calls.not_measured {
                format!("NOT MEASURED ({why})")
            } else {
                let kinds = calls.by_commit.iter();
                let kinds = kinds.map(|(kind, count)| format!("{count:.2} {kind}"));
                let kinds = kinds.collect::<Vec<_>>().join(", ");
                let word = if calls.durable { "durable" } else { "NOT DURABLE" };
                format!("{word}: {}", if kinds.is_empty() { "none" } else { &kinds })
            };
            let _ = writeln!(out, "- {}: {told}", calls.peer);
        }
        out
    }

    fn goal_text(&self) -> String {
        let mut out = String::from("Goals, as ratios of neighbouring turns:\n");
        for one in &self.goals {
            let Verdict { row, against, goal, ratio, low, high, by_cpu } = one;
            let by_cpu = by_cpu.map_or(String::new(), |by| format!(", {by:.2} by processor time"));
            let spread = format!("({low:.2} to {high:.2}{by_cpu})");
            let word = one.word();
            let _ = writeln!(out, "- {row}: {ratio:.2} × {against} {spread}, goal {goal}: {word}");
        }
        out
    }

    fn markdown(&self, plots: &[String]) -> String {
        let names = self.names();
        let mut out = format!("# EntiDB beside its peers\n\n{}\n", self.heading());
        let _ = writeln!(out, "| workload | unit | {} |", names.join(" | "));
        let _ = writeln!(out, "|---|---|{}", "---:|".repeat(names.len()));
        for row in &self.rows {
            let cells: Vec<_> =
                names.iter().map(|name| cell_text(row, name, Some("<br>"))).collect();
            let _ = writeln!(out, "| {} | {} | {} |", row.name, row.unit, cells.join(" | "));
        }
        let _ = write!(out, "\n{}\n{}", self.sync_text(), self.goal_text());
        for plot in plots {
            let _ = write!(out, "\n![{plot}]({plot})\n");
        }
        out
    }
}

/// Median, and quartiles after `newline` if that is given.
fn cell_text(row: &Row, peer: &str, newline: Option<&str>) -> String {
    let Some(cell) = row.cells.iter().find(|cell| cell.peer == peer) else { return String::new() };
    let Cell { samples, not_measured, .. } = cell;
    match (Spread::of(samples), not_measured) {
        (_, Some(why)) => format!("NOT MEASURED: {why}"),
        (None, None) => String::new(),
        (Some(Spread { median, low, high }), None) => match newline {
            Some(newline) if samples.len() > 1 => {
                format!("{}{newline}({} to {})", number(median), number(low), number(high))
            }
            _ => number(median),
        },
    }
}

/// Three significant digits, thousands and millions in short.
fn number(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e4 => format!("{:.0} k", v / 1e3),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
