//! What tracees' descriptors stand for, without asking twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::tracee::{FileId, Tracee, malformed};

/// What a descriptor stands for at this moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Descriptor {
    /// The file.
    pub(super) id: FileId,
    /// Whether it is a regular file.
    pub(super) regular: bool,
    /// Where the description stands, in bytes.
    pub(super) position: u64,
    /// The flags of its `open`.
    pub(super) flags: u64,
}

const O_APPEND: u64 = 0o2000;

/// Flags of `pwritev2` that go before those of the description.
const RWF_APPEND: u64 = 16;
const RWF_NOAPPEND: u64 = 32;

impl Descriptor {
    /// Whether a write with these flags of `pwritev2` goes to the end of the file.
    pub(super) fn appends(&self, flags: u64) -> bool {
        (self.flags & O_APPEND != 0 && flags & RWF_NOAPPEND == 0) || flags & RWF_APPEND != 0
    }
}

/// Descriptors that were looked up before.
///
/// A tracee may close a descriptor and use its number for another file, and we do not watch that.
/// So each use reads the descriptor's `fdinfo` again, through a handle that follows the number: as
/// long as mount and inode are the same, so is the file.
#[derive(Debug, Default)]
pub(super) struct Descriptors(BTreeMap<(Tracee, i32), Known>);

#[derive(Debug)]
struct Known {
    info: File,
    mount: u64,
    id: FileId,
    regular: bool,
}

/// How many descriptors are remembered: each costs one of ours.
const KNOWN_MAX: usize = 64;

/// The lines of `fdinfo` we look at are the first ones and short.
const INFO_LEN: usize = 256;

impl Descriptors {
    /// Looks a descriptor up.
    ///
    /// # Errors
    /// What `/proc` says: [`io::ErrorKind::NotFound`] if there is no such descriptor.
    pub(super) fn look(&mut self, tracee: Tracee, fd: i32) -> io::Result<Descriptor> {
        if let Some(known) = self.0.get(&(tracee, fd)) {
            match Info::read(&known.info) {
                Ok(info) if (info.mount, info.inode) == (known.mount, known.id.ino) => {
                    return Ok(info.descriptor(known));
                }
                _ => self.0.remove(&(tracee, fd)),
            };
        }
        let file = File::open(format!("/proc/{}/fdinfo/{fd}", tracee.0))?;
        let info = Info::read(&file)?;
        let stat = tracee.stat(fd)?;
        let known = Known { info: file, mount: info.mount, id: stat.id, regular: stat.regular };
        let descriptor = info.descriptor(&known);
        if self.0.len() >= KNOWN_MAX {
            self.0.clear();
        }
        self.0.insert((tracee, fd), known);
        Ok(descriptor)
    }

    /// Forgets a thread that has ended.
    pub(super) fn forget(&mut self, tracee: Tracee) {
        self.0.retain(|(of, _), _| *of != tracee);
    }
}

/// The fields of `fdinfo` (`proc_pid_fdinfo(5)`).
#[derive(Debug, PartialEq, Eq)]
struct Info {
    position: u64,
    flags: u64,
    mount: u64,
    /// 0 before Linux 5.14, which is no inode's number: then nothing is ever remembered.
    inode: u64,
}

impl Info {
    fn read(file: &File) -> io::Result<Self> {
        let mut text = [0; INFO_LEN];
        let len = file.read_at(&mut text, 0)?;
        std::str::from_utf8(&text[..len]).ok().and_then(Self::parse).ok_or_else(malformed)
    }

    fn parse(text: &str) -> Option<Self> {
        // In the order in which the kernel writes them: each line is looked at once.
        let mut lines = text.lines();
        let mut field = |name| lines.find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some(Self {
            position: field("pos:")?.parse().ok()?,
            flags: u64::from_str_radix(field("flags:")?, 8).ok()?,
            mount: field("mnt_id:")?.parse().ok()?,
            inode: field("ino:").map_or(Some(0), |inode| inode.parse().ok())?,
        })
    }

    fn descriptor(&self, known: &Known) -> Descriptor {
        let Self { position, flags, .. } = *self;
        Descriptor { id: known.id, regular: known.regular, position, flags }
    }
}

#[cfg(test)]
mod tests;
