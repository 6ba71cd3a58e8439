//! What a recording has to tell.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::trace::{MicroOp, Trace};
use crate::tree::Tree;

/// A recorded call: one that was about the watched directory, whether it succeeded or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// The system call.
    pub name: &'static str,
    /// The thread that made it, numbered from 0 in the order threads were seen.
    pub thread: usize,
    /// What it was about, as a path from the watched directory (the new one of a rename).
    pub path: Option<Arc<str>>,
    /// What it returned: a count, a descriptor, or a negated error number. `None` for a call that
    /// was entered and never seen to return: the program died in it.
    pub result: Option<i64>,
    /// Where its effects stand in [`Trace::ops`]; empty if it had none.
    pub ops: Range<usize>,
}

/// How a recorded program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal of this number that we did not send.
    Signaled(i32),
    /// By us, as asked.
    Killed,
    /// By us, because it ran for too long.
    Hung,
}

/// Why a recording does not tell all that happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A watched file was mapped shared and writable: stores into it are invisible.
    WritableMapping,
    /// The call changes content, entries or durability in a way a trace cannot say.
    Unsupported,
    /// A file came into the watched directory from outside, or left it.
    Border,
    /// The program was ended for a call of another architecture than x86-64 (32-bit x86 or x32).
    ForeignArchitecture,
    /// A thread ended inside the call, and nobody can say how far it got.
    Interrupted,
    /// What happened could not be looked up.
    Unseen(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WritableMapping => "a watched file is mapped writable",
            Self::Unsupported => "a trace cannot say what this call does",
            Self::Border => "a file crosses the border of the watched directory",
            Self::ForeignArchitecture => "a call of another architecture than x86-64",
            Self::Interrupted => "the thread ended inside the call",
            Self::Unseen(what) => return write!(f, "cannot be looked up: {what}"),
        })
    }
}

/// One reason why nothing may be concluded from a recording.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotMeasured {
    /// The system call.
    pub call: &'static str,
    /// Why.
    pub why: Why,
}

impl fmt::Display for NotMeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.why)
    }
}

/// All that was recorded of one run.
#[derive(Debug)]
pub struct Recorded {
    /// What happened, after the directory as it was found; that counts as durable.
    pub trace: Trace,
    /// The recorded calls in the order they were entered; their indices are what
    /// [`KillAt`](super::KillAt) counts.
    pub calls: Vec<CallInfo>,
    /// How the program's first process ended.
    pub end: RecordEnd,
    /// Why nothing may be concluded; each reason once, sorted. Empty if all was seen.
    pub not_measured: Vec<NotMeasured>,
    /// Calls that wrote to files outside the watched directory, or made, cut, mapped writable, moved
    /// or removed some there: how many of each name. `docs/trace.md` says which count.
    pub changes_outside: BTreeMap<&'static str, u64>,
    /// Processes that outlived the first one and were killed.
    pub left_behind: u64,
    /// What the program wrote to its standard output and nobody took.
    pub output: Vec<u8>,
    /// Ends of names of files whose content is not compared.
    pub(super) mapped: Vec<String>,
}

/// Where a directory is not what a trace says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The trace has this file or directory, the real one does not.
    Missing(String),
    /// The real directory has this, the trace does not.
    Unexpected(String),
    /// Both have this file, with different bytes.
    Content(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{path}: missing"),
            Self::Unexpected(path) => write!(f, "{path}: unexpected"),
            Self::Content(path) => write!(f, "{path}: content differs"),
        }
    }
}

impl Recorded {
    /// The directory as the whole trace leaves it: what a kill at its end shows.
    pub fn replayed(&self) -> Tree {
        let mut tree = self.trace.base.clone();
        self.trace.numbered().for_each(|(_, op): (usize, &MicroOp)| tree.apply(op));
        tree
    }

    /// The call the program died in, if it did.
    pub fn interrupted(&self) -> Option<&CallInfo> {
        self.calls.iter().find(|call| call.result.is_none())
    }

    /// Compares a real directory with what the trace says, name by name and byte by byte. Files
    /// that may be mapped writable are compared by name only.
    ///
    /// # Errors
    /// Whatever reading the directory says.
    pub fn compare(&self, dir: &Path) -> io::Result<Vec<Difference>> {
        let real = Tree::read_from(dir)?;
        let told = self.replayed();
        let mut differences: Vec<Difference> = Vec::new();
        differences.extend(missing(&told, &real).map(Difference::Missing));
        differences.extend(missing(&real, &told).map(Difference::Unexpected));
        for (path, content) in told.files() {
            let mapped = self.mapped.iter().any(|end| path.ends_with(end));
            let same = real.file(&path).is_none_or(|real| real.digest() == content.digest());
            if !mapped && !same {
                differences.push(Difference::Content(path));
            }
        }
        differences.sort();
        Ok(differences)
    }
}

/// The paths of one tree that are not of the same kind in another.
fn missing<'t>(of: &'t Tree, from: &'t Tree) -> impl Iterator<Item = String> + 't {
    let files = of.files().map(|(path, _)| path).filter(|path| from.file(path).is_none());
    let dirs: std::collections::BTreeSet<String> = from.dirs().collect();
    files.chain(of.dirs().filter(move |path| !dirs.contains(path)).collect::<Vec<_>>())
}
