//! Traces for reading: one line an operation, with the names files had at that moment.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MicroOp, SyncKind, Trace};
use crate::tree::{Ino, Tree};

/// An operation with the names its inodes had when it happened.
#[derive(Debug, Clone)]
pub struct Described(String);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The last known name of every inode.
struct Names(BTreeMap<Ino, String>);

impl Names {
    fn of(tree: &Tree) -> Self {
        let root = (Ino::ROOT, ".".to_owned());
        Self(tree.walk().into_iter().map(|(path, ino)| (ino, path)).chain([root]).collect())
    }

    fn get(&self, ino: Ino) -> String {
        self.0.get(&ino).cloned().unwrap_or_else(|| format!("({ino})"))
    }

    fn join(&self, dir: Ino, name: &str) -> String {
        if dir == Ino::ROOT { name.to_owned() } else { format!("{}/{name}", self.get(dir)) }
    }

    fn observe(&mut self, op: &MicroOp) {
        match op {
            MicroOp::Link { dir, name, ino } | MicroOp::MakeDir { dir, name, ino } => {
                self.0.insert(*ino, self.join(*dir, name));
            }
            MicroOp::Rename { to_dir, to, ino, .. } => {
                self.0.insert(*ino, self.join(*to_dir, to));
            }
            _ => {}
        }
    }

    /// What an operation is called, the paths it names, and its numbers.
    fn call(&self, op: &MicroOp) -> [String; 3] {
        let call = |name: &str, path: String, numbers: String| [name.to_owned(), path, numbers];
        let none = String::new;
        match op {
            MicroOp::Write { ino, offset, data } => {
                call("write", self.get(*ino), format!("{offset}+{}", data.len()))
            }
            MicroOp::SetLen { ino, len } => call("set_len", self.get(*ino), len.to_string()),
            MicroOp::Link { dir, name, .. } => call("create", self.join(*dir, name), none()),
            MicroOp::MakeDir { dir, name, .. } => call("create_dir", self.join(*dir, name), none()),
            MicroOp::Unlink { dir, name, .. } => call("remove", self.join(*dir, name), none()),
            MicroOp::Rename { from_dir, from, to_dir, to, .. } => {
                let (from, to) = (self.join(*from_dir, from), self.join(*to_dir, to));
                call("rename", format!("{from} {to}"), none())
            }
            MicroOp::Sync { ino, kind: SyncKind::Data } => {
                call("sync_data", self.get(*ino), none())
            }
            MicroOp::Sync { ino, kind: SyncKind::Full } => call("sync", self.get(*ino), none()),
            MicroOp::SyncDir { dir } => call("sync_dir", self.get(*dir), none()),
            MicroOp::Issue { event } => call("issue", none(), event.to_string()),
            MicroOp::Ack { event } => call("ack", none(), event.to_string()),
            MicroOp::Shown { event } => call("shown", none(), event.to_string()),
        }
    }
}

/// The words that are not empty, with spaces between.
fn words(words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
    words.join(" ")
}

/// What an operation is and what it works on, whichever of its kind it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What listings call the operation.
    pub operation: String,
    /// The paths it names, with `#` for every number in them; empty if it names none.
    pub role: String,
}

impl Site {
    fn new([operation, path, _]: [String; 3]) -> Self {
        let mut role = String::with_capacity(path.len());
        for char in path.chars() {
            match char {
                '0'..='9' if role.ends_with('#') => {}
                '0'..='9' => role.push('#'),
                other => role.push(other),
            }
        }
        Self { operation, role }
    }

    /// The end of a trace.
    pub(crate) fn end() -> Self {
        Self { operation: "end".to_owned(), role: String::new() }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(&[self.operation.clone(), self.role.clone()]))
    }
}

impl Trace {
    /// Every operation in the order of its number, described with the names of its moment.
    pub fn describe(&self) -> Vec<Described> {
        self.calls().map(|call| Described(words(&call))).collect()
    }

    /// Every operation's site, in the order of their numbers.
    pub fn sites(&self) -> Vec<Site> {
        self.calls().map(Site::new).collect()
    }

    fn calls(&self) -> impl Iterator<Item = [String; 3]> {
        let mut names = Names::of(&self.base);
        self.numbered().map(move |(_, op)| {
            let call = names.call(op);
            names.observe(op);
            call
        })
    }
}

impl fmt::Display for Trace {
    /// One line an operation: `#12 write MANIFEST.tmp 0+512`; carried ones say so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, op) in self.describe().into_iter().enumerate() {
            let carried = if number < self.carried.len() { " (carried)" } else { "" };
            writeln!(f, "#{number} {op}{carried}")?;
        }
        Ok(())
    }
}
