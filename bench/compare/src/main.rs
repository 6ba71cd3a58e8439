//! Measures `EntiDB` and its peers side by side: the same work, in turns that alternate, in one run.
//! Every result that is read is checked.

mod child;
mod data;
mod goals;
mod machine;
mod peers;
mod report;
mod results;
mod store;
mod turn;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand, ValueEnum};

use crate::child::Task;
use crate::machine::Machine;
use crate::report::Report;
use crate::results::Row;
use crate::store::{Peer, Result};
use crate::work::{Setting, commits, kill, load, memory, reads, sync_calls, ycsb};

/// Measures EntiDB and its peers side by side.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Tiny sizes: shows that all works, says nothing about speed
    #[arg(long)]
    quick: bool,
    /// Only these peers (default: all)
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these parts (default: all)
    #[arg(long, value_delimiter = ',')]
    parts: Vec<Part>,
    /// Entities in a loaded store [default: 200000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    entities: Option<u64>,
    /// Rounds [default: 5]
    #[arg(long)]
    rounds: Option<usize>,
    /// Milliseconds of a turn [default: 250]
    #[arg(long)]
    turn: Option<u64>,
    /// Where stores are put, in a directory that is removed afterwards
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Where the results go
    #[arg(long, default_value = "compare-out")]
    out: PathBuf,
    /// Decides what is read and updated, and in which order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    command: Option<Internal>,
}

#[derive(Subcommand)]
enum Internal {
    /// What this program has another process of itself do
    #[command(hide = true)]
    Child { task: Task, peer: String, dir: PathBuf, count: u64 },
}

/// Parts of a run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Sync calls of a commit, from a trace
    Sync,
    /// Durable commits
    Commits,
    /// Bulk load, space, bytes written
    Load,
    /// Reopening after a close and after a kill
    Reopen,
    /// Resident memory
    Memory,
    /// Random gets and full scans
    Reads,
    /// YCSB A, B, C, F
    Ycsb,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Internal::Child { task, peer, dir, count }) => child::run(*task, peer, dir, *count),
        None => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    std::fs::create_dir_all(&arguments.dir)?;
    let dir = tempfile::Builder::new().prefix("proofhouse-compare-").tempdir_in(&arguments.dir)?;
    let quick = |quick, full| if arguments.quick { quick } else { full };
    let setting = Setting {
        entities: arguments.entities.unwrap_or(quick(2_000, 200_000)),
        rounds: arguments.rounds.unwrap_or(if arguments.quick { 2 } else { 5 }).max(1),
        turn: Duration::from_millis(arguments.turn.unwrap_or(quick(10, 250))),
        seed: arguments.seed,
        dir: dir.path().to_owned(),
        peers: chosen(&arguments.only)?,
    };
    let is_wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let machine = Machine::now(dir.path(), &setting.peers)?;
    let sync_calls =
        if is_wanted(Part::Sync) { sync_calls::measure(&setting)? } else { Vec::new() };
    let mut report = Report {
        machine,
        entities: setting.entities,
        rounds: setting.rounds,
        turn_ms: setting.turn.as_millis(),
        seed: setting.seed,
        seconds: 0,
        sync_calls,
        rows: measure(&setting, arguments.quick, is_wanted)?,
        goals: Vec::new(),
    };
    report.judge();
    report.seconds = start.elapsed().as_secs();
    println!("{}", report.table());
    report.write(&arguments.out)?;
    println!("results: {}", arguments.out.join("compare.md").display());
    Ok(())
}

fn measure(
    setting: &Setting,
    is_quick: bool,
    is_wanted: impl Fn(Part) -> bool,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if is_wanted(Part::Commits) {
        rows.extend(commits::measure(setting)?);
    }
    let on_loaded = [Part::Load, Part::Reopen, Part::Memory, Part::Reads, Part::Ycsb];
    if !on_loaded.into_iter().any(&is_wanted) {
        return Ok(rows);
    }
    // Loading once is enough for those that only need the stores.
    let rounds = if is_wanted(Part::Load) { setting.rounds } else { 1 };
    let loads = load::measure(setting, rounds)?;
    if is_wanted(Part::Load) {
        rows.extend(loads);
    }
    if is_wanted(Part::Reopen) {
        rows.extend(kill::measure(setting, is_quick)?);
    }
    if is_wanted(Part::Memory) {
        rows.extend(memory::measure(setting)?);
    }
    let stores = load::reopen(setting)?;
    if is_wanted(Part::Reads) {
        rows.extend(reads::measure(setting, &stores)?);
    }
    if is_wanted(Part::Ycsb) {
        rows.extend(ycsb::measure(setting, &stores)?);
    }
    for loaded in stores {
        loaded.store.close()?;
    }
    Ok(rows)
}

/// The peers that are named, or all.
fn chosen(only: &[String]) -> Result<Vec<&'static Peer>> {
    let is = |peer: &Peer, name: &String| peer.name.eq_ignore_ascii_case(name);
    if let Some(unknown) = only.iter().find(|name| !peers::PEERS.iter().any(|peer| is(peer, name)))
    {
        let known: Vec<_> = peers::PEERS.iter().map(|peer| peer.name).collect();
        return Err(format!("no peer is called {unknown}; there are {}", known.join(", ")).into());
    }
    let is_chosen = |peer: &&Peer| only.is_empty() || only.iter().any(|name| is(peer, name));
    Ok(peers::PEERS.iter().filter(is_chosen).collect())
}
