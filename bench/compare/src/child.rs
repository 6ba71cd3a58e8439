//! What is done in a process of its own: to be killed, to be traced, to have its memory looked at.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::data::{entity, id, is_entity};
use crate::peers::{PEERS, open_without_checkpoints};
use crate::store::{Peer, Result, Store};
use crate::work::load::{self, load};
use crate::work::reads::wrong;
use crate::work::space::written;

/// What the child says on standard output after each step; also a mark in its trace.
pub const MARK: &str = "acknowledged";
/// Entities in a transaction of a store that is about to be killed.
const BATCH: u64 = 1_000;

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Puts so many entities, each in a transaction of its own.
    Put,
    /// Loads so many entities and waits for its end with the store open.
    Load,
    /// Loads so many entities and closes; reports how long both took, and what was written.
    Fill,
    /// The same in ascending order of identities.
    FillAscending,
    /// Opens, reads so many entities, and reports its memory.
    Read,
}

impl Task {
    const fn word(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Load => "load",
            Self::Fill => "fill",
            Self::FillAscending => "fill-ascending",
            Self::Read => "read",
        }
    }
}

/// The command line of a child: the program, then its arguments.
///
/// # Errors
/// If this program cannot say where it is.
pub fn command_line(task: Task, peer: &Peer, dir: &Path, count: u64) -> Result<Vec<PathBuf>> {
    let count = count.to_string();
    let words = ["child", task.word(), peer.name].map(PathBuf::from);
    let program = std::env::current_exe()?;
    Ok([program].into_iter().chain(words).chain([dir.to_owned(), count.into()]).collect())
}

/// A child, its standard output a pipe.
///
/// # Errors
/// The system's.
pub fn spawn(line: &[PathBuf]) -> Result<std::process::Child> {
    let (program, arguments) = line.split_first().ok_or("no program")?;
    Ok(Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?)
}

/// Has a child do a task to its end, and answers the figures it reports.
///
/// # Errors
/// The system's; a child that failed, or reported something else.
pub fn figures<const N: usize>(
    task: Task,
    peer: &Peer,
    dir: &Path,
    count: u64,
) -> Result<[f64; N]> {
    let mut child = spawn(&command_line(task, peer, dir, count)?)?;
    let mut said = String::new();
    child.stdout.take().ok_or("no pipe")?.read_to_string(&mut said)?;
    if !child.wait()?.success() {
        return Err(format!("{}: a process of its own could not {}", peer.name, task.word()).into());
    }
    let figures = said.trim().strip_prefix(MARK).ok_or("a process that said nothing")?;
    let figures: Vec<f64> =
        figures.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    figures.try_into().map_err(|_| "a process that said something else".into())
}

/// Does a child's task.
///
/// # Errors
/// The peer's.
pub fn run(task: Task, peer: &str, dir: &Path, count: u64) -> Result<()> {
    let peer = PEERS.iter().find(|known| known.name == peer).ok_or("no such peer")?;
    match task {
        Task::Put => {
            let store = (peer.open)(dir)?;
            let mut session = store.session()?;
            mark("")?;
            for number in 0..count {
                session.put(&[(id(number), entity(number))])?;
                mark("")?;
            }
            drop(session);
            store.close()
        }
        Task::Load => {
            let store = open_for_kill(peer, dir)?;
            load(&*store, count, BATCH, false)?;
            mark("")?;
            // Until the parent kills this process, or is gone itself.
            std::io::stdin().read_line(&mut String::new())?;
            Ok(())
        }
        Task::Fill | Task::FillAscending => {
            let store = (peer.open)(dir)?;
            let (begun, before) = (Instant::now(), written()?);
            load(&*store, count, load::BATCH, task == Task::FillAscending)?;
            let loaded = begun.elapsed().as_secs_f64();
            store.close()?;
            let closed = begun.elapsed().as_secs_f64();
            mark(&format!(" {loaded} {closed} {}", written()? - before))
        }
        Task::Read => {
            let before = Resident::now()?;
            let store = (peer.open)(dir)?;
            let mut session = store.session()?;
            for number in 0..count {
                let mut is_right = false;
                session.get(&id(number), &mut |content| is_right = is_entity(number, content))?;
                if !is_right {
                    return Err(wrong(number));
                }
            }
            let after = Resident::now()?;
            mark(&format!(" {} {}", after.own - before.own, after.mapped - before.mapped))?;
            drop(session);
            store.close()
        }
    }
}

/// The engine is to have all in its WAL; its peers have their own ways.
fn open_for_kill(peer: &Peer, dir: &Path) -> Result<Box<dyn Store>> {
    if peer.package == "entidb-engine" { open_without_checkpoints(dir) } else { (peer.open)(dir) }
}

/// One line, in one write.
fn mark(what: &str) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(format!("{MARK}{what}\n").as_bytes())?;
    Ok(out.flush()?)
}

/// Resident bytes of this process.
struct Resident {
    /// Its own memory.
    own: i64,
    /// Pages of mapped files.
    mapped: i64,
}

impl Resident {
    fn now() -> Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name));
            let kib =
                value.and_then(|value| value.trim().trim_end_matches(" kB").parse::<i64>().ok());
            kib.map(|kib| kib * 1024).ok_or_else(|| format!("/proc/self/status has no {name}"))
        };
        Ok(Self { own: field("RssAnon:")?, mapped: field("RssFile:")? })
    }
}
