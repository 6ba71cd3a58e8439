//! What every trace keeps: without it, enumerating one might never end.

use std::collections::BTreeMap;

use super::{INO_MAX, SIZE_MAX};
use crate::trace::MicroOp;
use crate::tree::Ino;

/// What an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Dir,
}

/// Inodes and directories as they are after the operations so far.
#[derive(Debug)]
pub(super) struct Checker {
    kinds: BTreeMap<Ino, Kind>,
    /// The directory each directory is or was in. Never a cycle.
    parents: BTreeMap<Ino, Ino>,
}

type Checked = Result<(), &'static str>;

impl Checker {
    pub(super) fn new() -> Self {
        Self { kinds: BTreeMap::from([(Ino::ROOT, Kind::Dir)]), parents: BTreeMap::new() }
    }

    /// A file of the beginning.
    pub(super) fn file(&mut self, ino: Ino, len: u64) -> Checked {
        if len > SIZE_MAX {
            return Err("a file larger than any");
        }
        self.fresh(ino, Kind::File)
    }

    /// A directory of the beginning.
    pub(super) fn dir(&mut self, ino: Ino) -> Checked {
        self.fresh(ino, Kind::Dir)
    }

    fn fresh(&mut self, ino: Ino, kind: Kind) -> Checked {
        is_number(ino)?;
        if self.kinds.insert(ino, kind).is_some() { Err("an inode twice") } else { Ok(()) }
    }

    /// A name of the beginning; whether it is a directory's.
    pub(super) fn entry(&mut self, dir: Ino, name: &str, ino: Ino) -> Result<bool, &'static str> {
        let (Some(Kind::Dir), Some(kind)) = (self.kinds.get(&dir), self.kinds.get(&ino)) else {
            return Err("an entry of what is not there");
        };
        let is_dir = *kind == Kind::Dir;
        is_name(name)?;
        if is_dir {
            self.place(ino, dir)?;
        }
        Ok(is_dir)
    }

    /// An operation.
    pub(super) fn op(&mut self, op: &MicroOp) -> Checked {
        match op {
            MicroOp::Write { ino, offset, data } => {
                self.is(*ino, Kind::File)?;
                let end = offset.checked_add(data.len() as u64);
                if end.is_some_and(|end| end <= SIZE_MAX) { Ok(()) } else { Err(PAST_END) }
            }
            MicroOp::SetLen { ino, len } => {
                self.is(*ino, Kind::File)?;
                if *len <= SIZE_MAX { Ok(()) } else { Err(PAST_END) }
            }
            MicroOp::Link { dir, name, ino } => {
                self.is(*dir, Kind::Dir)?;
                self.is(*ino, Kind::File)?;
                is_name(name)
            }
            MicroOp::MakeDir { dir, name, ino } => {
                self.is(*dir, Kind::Dir)?;
                self.is(*ino, Kind::Dir)?;
                is_name(name)?;
                self.place(*ino, *dir)
            }
            MicroOp::Unlink { dir, name, .. } => {
                self.is(*dir, Kind::Dir)?;
                is_name(name)
            }
            MicroOp::Rename { from_dir, from, to_dir, to, ino } => {
                self.is(*from_dir, Kind::Dir)?;
                self.is(*to_dir, Kind::Dir)?;
                is_name(from)?;
                is_name(to)?;
                self.rename(*ino, *from_dir, *to_dir)
            }
            MicroOp::Sync { ino, .. } => self.is(*ino, Kind::File),
            MicroOp::SyncDir { dir } => self.is(*dir, Kind::Dir),
            MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. } => Ok(()),
        }
    }

    /// An inode keeps what it is; one nobody spoke of becomes what it is taken for.
    fn is(&mut self, ino: Ino, kind: Kind) -> Checked {
        is_number(ino)?;
        if *self.kinds.entry(ino).or_insert(kind) == kind {
            Ok(())
        } else {
            Err("a file taken for a directory, or the other way round")
        }
    }

    /// A directory gets its first and only place.
    fn place(&mut self, ino: Ino, dir: Ino) -> Checked {
        let placed = ino == Ino::ROOT || self.parents.contains_key(&ino);
        if placed || self.is_within(dir, ino) {
            return Err("a directory with two places, or within itself");
        }
        self.parents.insert(ino, dir);
        Ok(())
    }

    fn rename(&mut self, ino: Ino, from_dir: Ino, to_dir: Ino) -> Checked {
        is_number(ino)?;
        if *self.kinds.entry(ino).or_insert(Kind::File) == Kind::File {
            return Ok(());
        }
        if self.parents.get(&ino) != Some(&from_dir) || self.is_within(to_dir, ino) {
            return Err("a directory moved from where it is not, or into itself");
        }
        self.parents.insert(ino, to_dir);
        Ok(())
    }

    /// Whether a directory is another one or below it. The root is below none.
    fn is_within(&self, dir: Ino, above: Ino) -> bool {
        let mut at = Some(dir);
        while let Some(here) = at {
            if here == above {
                return true;
            }
            at = self.parents.get(&here).copied();
        }
        false
    }
}

const PAST_END: &str = "an offset past the end of any file";

/// Numbers above are for files that are made once the trace is played on.
fn is_number(ino: Ino) -> Checked {
    if ino.0 <= INO_MAX { Ok(()) } else { Err("an inode number above 2^63 - 1") }
}

fn is_name(name: &str) -> Checked {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return Err("not a name");
    }
    Ok(())
}
