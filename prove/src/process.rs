//! The processes that `prove` starts: this same program, told what to be.
//!
//! A victim carries out a plan on real files and says on standard output what it issues and what
//! was acknowledged, each in a line of its own, written at once; it is killed, or kills itself at
//! a storage call. A survivor opens what the victim left, lives on, and says what it saw. Their
//! lines are read by this same version of the program only.

mod digests;
mod survivor;
mod victim;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use proofhouse_crash::{ChildEnd, ChildRun, KillAfter, Limits, run_child};
use proofhouse_model::Plan;
use proofhouse_subjects::Placed;

use crate::cli::Problem;
use crate::scratch::Scratch;
use crate::subject;

pub(crate) use digests::elsewhere;
pub use digests::{DigestArgs, digests};
pub use survivor::{Saw, SurvivorArgs, survivor};
pub use victim::{VictimArgs, Witness, victim};

/// After which a child is taken for hung.
const WATCHDOG: Duration = Duration::from_secs(20);

/// What victims and survivors have in common.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The subject's name.
    #[arg(long)]
    subject: String,
    /// The plan file.
    #[arg(long)]
    plan: PathBuf,
    /// The store's directory.
    #[arg(long)]
    store: PathBuf,
}

impl StoreArgs {
    /// The subject and the plan.
    fn load(&self) -> Result<(Placed, Plan), Problem> {
        let subject = known_subject(&self.subject)?;
        let file = std::fs::read(&self.plan).map_err(Problem::with(&self.plan))?;
        let plan = Plan::parse(&file);
        let plan = plan.map_err(|error| Problem::Other(format!("the plan: {error}")))?;
        Ok((subject, plan))
    }
}

fn known_subject(name: &str) -> Result<Placed, Problem> {
    subject::named(name).ok_or_else(|| Problem::Subject(name.to_owned()))
}

/// A place for one store and its plan, on real files; gone when dropped.
pub struct Site {
    subject: String,
    dir: Scratch,
}

impl Site {
    /// A fresh place below `dir`, with the plan's file in it.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn new(dir: &Path, subject: &str, plan: &Plan) -> io::Result<Self> {
        let site = Self { subject: subject.to_owned(), dir: Scratch::below(dir)? };
        std::fs::write(site.plan(), plan.to_string())?;
        Ok(site)
    }

    fn plan(&self) -> PathBuf {
        self.dir.path().join("plan")
    }

    /// Where the store is, or will be.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Starts `program` as one of these processes, on this site, to its end.
    fn run(
        &self,
        program: &Path,
        role: &str,
        more: &[&str],
        kill: Option<KillAfter>,
    ) -> io::Result<ChildRun> {
        let mut command = Command::new(program);
        command.args([role, "--subject", &self.subject]);
        command.args([OsStr::new("--plan"), self.plan().as_os_str()]);
        command.args([OsStr::new("--store"), self.store().as_os_str()]);
        command.args(more);
        run_child(command, Limits { kill, watchdog: WATCHDOG })
    }
}

/// Why a child's words cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It did not end in time.
    #[error("the process did not end within {} s", WATCHDOG.as_secs())]
    Hung,
    /// It ended otherwise than it should have.
    #[error("the process ended with {end:?} after saying {said:?}")]
    Ended {
        /// How.
        end: ChildEnd,
        /// Its last line.
        said: String,
    },
    /// It could not be started, or its place not be used.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl ChildError {
    fn of(run: &ChildRun) -> Self {
        match run.end {
            ChildEnd::Hung => Self::Hung,
            end => Self::Ended { end, said: run.lines.last().cloned().unwrap_or_default() },
        }
    }
}

/// Writes one line at once, in one call.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
