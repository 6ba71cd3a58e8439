//! Traces for reading: one line an operation, with the names files had at that moment.

use std::collections::BTreeMap;
use std::fmt;

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

    fn describe(&self, op: &MicroOp) -> String {
        match op {
            MicroOp::Write { ino, offset, data } => {
                format!("write {} {offset}+{}", self.get(*ino), data.len())
            }
            MicroOp::SetLen { ino, len } => format!("set_len {} {len}", self.get(*ino)),
            MicroOp::Link { dir, name, .. } => format!("create {}", self.join(*dir, name)),
            MicroOp::MakeDir { dir, name, .. } => format!("create_dir {}", self.join(*dir, name)),
            MicroOp::Unlink { dir, name, .. } => format!("remove {}", self.join(*dir, name)),
            MicroOp::Rename { from_dir, from, to_dir, to, .. } => {
                format!("rename {} {}", self.join(*from_dir, from), self.join(*to_dir, to))
            }
            MicroOp::Sync { ino, kind: SyncKind::Data } => format!("sync_data {}", self.get(*ino)),
            MicroOp::Sync { ino, kind: SyncKind::Full } => format!("sync {}", self.get(*ino)),
            MicroOp::SyncDir { dir } => format!("sync_dir {}", self.get(*dir)),
            MicroOp::Issue { event } => format!("issue {event}"),
            MicroOp::Ack { event } => format!("ack {event}"),
            MicroOp::Shown { event } => format!("shown {event}"),
        }
    }
}

impl Trace {
    /// Every operation in the order of its number, described with the names of its moment.
    pub fn describe(&self) -> Vec<Described> {
        let mut names = Names::of(&self.base);
        self.numbered()
            .map(|(_, op)| {
                let described = Described(names.describe(op));
                names.observe(op);
                described
            })
            .collect()
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
