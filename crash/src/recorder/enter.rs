//! A call's entry: is it about the watched directory, and about what in it?

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc;

use super::call::{Call, OpenFlags, PathArg};
use super::descriptors::{Descriptor, Descriptors};
use super::report::Why;
use super::tracee::{FileId, Stat, Tracee};
use super::world::{Spot, World};
use crate::tree::Ino;

/// What a call under way is about, as found before it ran.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// Bytes for the one who talks to the program.
    Reply,
    /// One watched file or directory.
    File(Ino),
    /// Bytes for a watched file, through a description as it stood before.
    Write(Ino, Descriptor),
    /// Everything that is not durable.
    Everything,
    /// A name in a watched directory; the path is ours and leads there.
    Name(Spot, PathBuf),
    /// An `open` with these flags.
    Open { at: Opened, flags: u64 },
    /// A file from one watched place to another.
    Move { from: Spot, to: Spot },
    /// One more name for a watched file.
    Link { ino: Ino, to: Spot },
    /// Memory that may show a watched file.
    Memory,
    /// Something a trace cannot say, if it succeeds.
    Refused(Why),
}

/// Where an `open` may create or cut a file.
#[derive(Debug, Clone)]
pub(super) enum Opened {
    /// At a name in a watched directory; the path is ours and leads there.
    Name(Spot, PathBuf),
    /// Without a name, on the file system of a watched directory.
    Unnamed,
    /// Through a symbolic link outside the watched directory.
    Linked,
}

/// What to do with a call.
#[derive(Debug)]
pub(super) enum Entry {
    /// It does not concern us.
    Pass,
    /// It writes to a regular file that is not ours.
    Outside,
    /// Look at it again when it returns.
    Follow(Role),
}

/// `O_TMPFILE` without `O_DIRECTORY`, which it contains.
const TMPFILE: u64 = 0o20_000_000;

/// Operations of `io_submit` that write or sync: `IOCB_CMD_PWRITE`, `FSYNC`, `FDSYNC`, `PWRITEV`.
const CHANGING_BLOCKS: [u64; 4] = [1, 2, 3, 8];

/// The most control blocks of one `io_submit` we look at.
const BLOCKS_MAX: u64 = 65_536;

impl Role {
    /// Whether no other recorded call may run meanwhile. Calls that can wait for another thread
    /// are not exclusive: holding that thread would be a deadlock.
    pub(super) fn exclusive(&self, call: &Call) -> bool {
        let waits = matches!(call, Call::Transfer { waits: true, .. });
        !waits && !matches!(self, Self::Reply | Self::Memory)
    }

    /// Whether the call is one of those that are numbered.
    pub(super) fn counts(&self) -> bool {
        !matches!(self, Self::Reply | Self::Memory | Self::Refused(_))
            && !matches!(self, Self::Open { at: Opened::Linked, .. })
    }
}

/// Looks at calls before they run.
pub(super) struct Enter<'a> {
    pub(super) world: &'a mut World,
    pub(super) descriptors: &'a mut Descriptors,
    pub(super) tracee: Tracee,
    /// The pipe that is the program's standard output.
    pub(super) reply: FileId,
    /// Whether a watched file was ever mapped shared.
    pub(super) shared_mappings: bool,
}

impl Enter<'_> {
    /// What to do with a call that is about to run.
    ///
    /// # Errors
    /// Whatever looking it up says. What does not exist is no error: the call will say so itself.
    pub(super) fn look(&mut self, call: &Call) -> io::Result<Entry> {
        self.role(call).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidData => Err(error),
            // No such file, directory, descriptor, memory or process: the call fails as well.
            _ => Ok(Entry::Pass),
        })
    }

    fn role(&mut self, call: &Call) -> io::Result<Entry> {
        Ok(match *call {
            Call::Write { fd, .. } => self.write(fd)?,
            Call::Transfer { fd, .. } => match self.write(fd)? {
                Entry::Follow(Role::Reply) => Entry::Follow(Role::Refused(Why::Unsupported)),
                other => other,
            },
            Call::CloneContent { fd, .. }
            | Call::SetLen { fd, .. }
            | Call::Allocate { fd, .. }
            | Call::SyncFile { fd, .. } => follow(self.file(fd)?.map(Role::File)),
            Call::BlockRequest { fd } => {
                follow(self.file(fd)?.map(|_| Role::Refused(Why::Unsupported)))
            }
            Call::Open { path, flags } => self.open(path, flags)?,
            Call::MakeDir { path } | Call::Remove { path } => {
                follow(self.spot(path)?.map(|(spot, path)| Role::Name(spot, path)))
            }
            Call::MakeOther { path } => {
                follow(self.spot(path)?.map(|_| Role::Refused(Why::Unsupported)))
            }
            Call::Rename { from, to, .. } => self.rename(from, to)?,
            Call::Link { from, to, flags } => self.link(from, to, flags)?,
            Call::Truncate { path, .. } => {
                let text = self.tracee.path_text(path)?;
                let stat = Stat::of(&self.tracee.resolve(path.dir, &text))?;
                follow(self.world.known(&stat).map(Role::File))
            }
            Call::SyncAll => Entry::Follow(Role::Everything),
            Call::SyncFileSystem { fd } => {
                let same = self.world.same_device(&self.tracee.stat(fd)?);
                follow(same.then_some(Role::Everything))
            }
            Call::Map { fd, .. } => follow(self.file(fd)?.map(|_| Role::Memory)),
            Call::Protect | Call::SyncMapping { .. } => {
                follow(self.shared_mappings.then_some(Role::Memory))
            }
            Call::Submit { count, blocks } => self.submit(count, blocks)?,
        })
    }

    fn file(&mut self, fd: i32) -> io::Result<Option<Ino>> {
        let descriptor = self.descriptors.look(self.tracee, fd)?;
        self.file_of(fd, descriptor)
    }

    fn file_of(&mut self, fd: i32, descriptor: Descriptor) -> io::Result<Option<Ino>> {
        if self.world.is_nameless(descriptor.id) {
            let stat = self.tracee.stat(fd)?;
            return Ok(self.world.known(&stat));
        }
        Ok(self.world.file(descriptor.id))
    }

    fn write(&mut self, fd: i32) -> io::Result<Entry> {
        let descriptor = self.descriptors.look(self.tracee, fd)?;
        Ok(if descriptor.id == self.reply {
            Entry::Follow(Role::Reply)
        } else if let Some(ino) = self.file_of(fd, descriptor)? {
            Entry::Follow(Role::Write(ino, descriptor))
        } else if descriptor.regular {
            Entry::Outside
        } else {
            Entry::Pass
        })
    }

    fn open(&mut self, path: PathArg, flags: OpenFlags) -> io::Result<Entry> {
        let flags = match flags {
            OpenFlags::Given(flags) => flags,
            OpenFlags::InMemory(how) => self.tracee.read_u64(how)?,
        };
        let created = u64::from((libc::O_CREAT | libc::O_TRUNC).unsigned_abs());
        if flags & (created | TMPFILE) == 0 {
            return Ok(Entry::Pass);
        }
        if flags & TMPFILE != 0 {
            let text = self.tracee.path_text(path)?;
            let stat = Stat::of(&self.tracee.resolve(path.dir, &text))?;
            let at = self.world.known(&stat).map(|_| Opened::Unnamed);
            return Ok(follow(at.map(|at| Role::Open { at, flags })));
        }
        if let Some((spot, path)) = self.spot(path)? {
            return Ok(Entry::Follow(Role::Open { at: Opened::Name(spot, path), flags }));
        }
        let text = self.tracee.path_text(path)?;
        let link = std::fs::symlink_metadata(self.tracee.resolve(path.dir, &text))?.is_symlink();
        Ok(follow(link.then_some(Role::Open { at: Opened::Linked, flags })))
    }

    fn rename(&mut self, from: PathArg, to: PathArg) -> io::Result<Entry> {
        Ok(match (self.spot(from)?, self.spot(to)?) {
            (Some((from, _)), Some((to, _))) => Entry::Follow(Role::Move { from, to }),
            (None, None) => Entry::Pass,
            _ => Entry::Follow(Role::Refused(Why::Border)),
        })
    }

    fn link(&mut self, from: PathArg, to: PathArg, flags: u64) -> io::Result<Entry> {
        let Some((to, _)) = self.spot(to)? else { return Ok(Entry::Pass) };
        let text = self.tracee.path_text(from)?;
        let source = self.tracee.resolve(from.dir, &text);
        // An empty path means the descriptor itself, which we reach through a symbolic link.
        let through = u64::from(libc::AT_SYMLINK_FOLLOW.unsigned_abs());
        let through = text.is_empty() || flags & through != 0;
        let stat = if through { Stat::of(&source)? } else { Stat::of_name(&source)? };
        Ok(Entry::Follow(match self.world.known(&stat) {
            Some(ino) => Role::Link { ino, to },
            None => Role::Refused(Why::Border),
        }))
    }

    fn submit(&mut self, count: u64, blocks: u64) -> io::Result<Entry> {
        let count = usize::try_from(count.min(BLOCKS_MAX)).unwrap_or_default();
        for block in self.tracee.read_numbers(blocks, count)? {
            // struct iocb (linux/aio_abi.h): the operation is the low half of the first 32 bits
            // at offset 16, the descriptor the 32 bits after them.
            let fields = self.tracee.read_u64(block + 16)?;
            let fd = i32::try_from(fields >> 32).unwrap_or(-1);
            if CHANGING_BLOCKS.contains(&(fields & 0xffff)) && self.file(fd)?.is_some() {
                return Ok(Entry::Follow(Role::Refused(Why::Unsupported)));
            }
        }
        Ok(Entry::Pass)
    }

    /// The place a path argument names, if its directory is watched, and a path of ours to it.
    /// The name itself need not exist.
    fn spot(&mut self, path: PathArg) -> io::Result<Option<(Spot, PathBuf)>> {
        let text = self.tracee.path_text(path)?;
        let Some((parent, name)) = split(&text) else { return Ok(None) };
        let parent = self.tracee.resolve(path.dir, parent);
        let Some(dir) = self.world.known(&Stat::of(&parent)?) else { return Ok(None) };
        let text = name.to_str().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: not UTF-8", name.display()))
        })?;
        Ok(Some((Spot { dir, name: Arc::from(text) }, parent.join(name))))
    }
}

fn follow(role: Option<Role>) -> Entry {
    role.map_or(Entry::Pass, Entry::Follow)
}

/// Splits a path into the directory and the last name in it; `None` where that is no name.
fn split(text: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let text = text.as_bytes();
    let end = text.iter().rposition(|byte| *byte != b'/')? + 1;
    let start = text[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let name = &text[start..end];
    let parent = if start == 0 { &b"."[..] } else { &text[..start] };
    (!matches!(name, b"." | b"..")).then(|| (OsStr::from_bytes(parent), OsStr::from_bytes(name)))
}

/// Whether a path leads to something now.
pub(super) fn found(path: &Path) -> Option<Stat> {
    Stat::of_name(path).ok()
}

#[cfg(test)]
mod tests;
