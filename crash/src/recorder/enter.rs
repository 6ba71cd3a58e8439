//! A call's entry: is it about the watched directory, and about what in it?

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use nix::libc;

use super::aio::{self, Asked, Operation, Submission};
use super::call::{Call, Flags, PathArg, UNTRACED};
use super::descriptors::{Descriptor, Descriptors};
use super::report::Why;
use super::tracee::{FileId, LastLink, Stat, Tracee};
use super::world::{Spot, World};
use crate::tree::Ino;

/// What a call under way is about, as found before it ran.
#[derive(Debug)]
pub(super) enum Role {
    /// Bytes for the one who talks to the program.
    Reply,
    /// One watched file or directory.
    File(Ino),
    /// Bytes for a watched file, through a description as it stood before.
    Write(Ino, Descriptor),
    /// Writes and syncs of watched files, to be completed some time; whether others are written to
    /// with them.
    Submission { submission: Submission, outside: bool },
    /// Everything that is not durable.
    Everything,
    /// A name in a watched directory, and that directory.
    Name(Spot, OwnedFd),
    /// An `open` with these flags.
    Open { at: Opened, flags: u64 },
    /// A file from one watched place to another.
    Move { from: Spot, to: Spot },
    /// One more name for a watched file.
    Link { ino: Ino, to: Spot },
    /// Memory that may show a watched file.
    Memory,
    /// Where the program may run, which must be true while it is asked.
    Cores,
    /// Files or names that are not ours, which the call changes if it succeeds.
    Outside,
    /// Something a trace cannot say, if it succeeds.
    Refused(Why),
}

/// Where an `open` may create or cut a file.
#[derive(Debug)]
pub(super) enum Opened {
    /// At a name in a watched directory, and that directory.
    Name(Spot, OwnedFd),
    /// Without a name, on the file system of a watched directory.
    Unnamed,
    /// At a name that is not in a watched directory; a symbolic link there may still lead to one.
    /// Whether the file comes into being there, or loses bytes.
    Elsewhere { changes: bool },
}

/// What to do with a call.
#[derive(Debug)]
pub(super) enum Entry {
    /// It does not concern us.
    Pass,
    /// It is as if there were no such call.
    Missing,
    /// It writes to a file that is not ours. Not looked at again: whether it succeeds is not asked.
    Outside,
    /// Look at it again when it returns.
    Follow(Role),
}

pub(super) const O_TRUNC: u64 = 0o1000;

/// `O_TMPFILE` without `O_DIRECTORY`, which it contains.
pub(super) const TMPFILE: u64 = 0o20_000_000;

/// `RESOLVE_IN_ROOT` of `openat2`: the directory is the root of the path.
const IN_ROOT: u64 = 16;

impl Role {
    /// Whether no other recorded call may run meanwhile. Calls that can wait for another thread
    /// are not exclusive: holding that thread would be a deadlock.
    pub(super) fn exclusive(&self, call: &Call) -> bool {
        let waits = matches!(call, Call::Transfer { waits: true, .. });
        !waits && self.counts()
    }

    /// Whether the call is one of those that are numbered.
    pub(super) fn counts(&self) -> bool {
        let elsewhere = matches!(self, Self::Open { at: Opened::Elsewhere { .. }, .. });
        !elsewhere
            && !matches!(
                self,
                Self::Reply | Self::Memory | Self::Cores | Self::Outside | Self::Refused(_)
            )
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
    /// Where we cannot look, nobody knows what the call does; if it fails, it does nothing. Most of
    /// these do fail, as we did: there is no such file, descriptor or memory.
    pub(super) fn look(&mut self, call: &Call) -> Entry {
        self.role(call).unwrap_or_else(|error| Entry::Follow(Role::Refused(Why::from(error))))
    }

    fn role(&mut self, call: &Call) -> io::Result<Entry> {
        Ok(match *call {
            Call::Write { fd, .. } => self.write(fd)?,
            Call::Transfer { fd, .. } => match self.write(fd)? {
                Entry::Follow(Role::Reply) => Entry::Follow(Role::Refused(Why::Unsupported)),
                other => other,
            },
            Call::CloneContent { fd, .. } | Call::SetLen { fd, .. } | Call::Allocate { fd, .. } => {
                match self.file(fd)? {
                    Some(ino) => Entry::Follow(Role::File(ino)),
                    None => follow(self.stays(fd)?.then_some(Role::Outside)),
                }
            }
            Call::SyncFile { fd, .. } => follow(self.file(fd)?.map(Role::File)),
            Call::Request { fd } => refuse_if(self.file(fd)?.is_some(), Why::Unsupported),
            Call::Pipe { fd } => refuse_if(self.is_reply(fd)?, Why::Unsupported),
            Call::Harmless | Call::OwnWay => Entry::Pass,
            Call::Clone { flags } => self.traced(flags)?,
            Call::AskCores => Entry::Follow(Role::Cores),
            Call::System | Call::OpenHandle => refuse_if(true, Why::Unsupported),
            Call::Open { path, flags } => self.open(path, flags)?,
            Call::MakeDir { path } => Entry::Follow(match self.spot(path)? {
                Some((spot, dir)) => Role::Name(spot, dir),
                None => Role::Outside,
            }),
            Call::Remove { path } => match self.spot(path)? {
                Some((spot, dir)) => Entry::Follow(Role::Name(spot, dir)),
                None => outside_unless(self.holds_root(path)?, Why::Border),
            },
            Call::MakeOther { path } => {
                outside_unless(self.spot(path)?.is_some(), Why::Unsupported)
            }
            Call::Bind { addr, len } => self.bind(addr, len)?,
            Call::Rename { from, to, .. } => self.rename(from, to)?,
            Call::Link { from, to, flags } => self.link(from, to, flags)?,
            Call::Truncate { path, .. } => {
                let stat = self.led(path)?;
                let other = stat.is_kept().then_some(Role::Outside);
                follow(self.world.known(&stat).map(Role::File).or(other))
            }
            Call::SyncAll => Entry::Follow(Role::Everything),
            Call::SyncFileSystem { fd } => {
                let same = self.world.same_device(&self.tracee.stat(fd)?);
                follow(same.then_some(Role::Everything))
            }
            Call::Map { fd, writable } => match self.file(fd)? {
                Some(_) => Entry::Follow(Role::Memory),
                None => follow((writable && self.stays(fd)?).then_some(Role::Outside)),
            },
            Call::Protect | Call::SyncMapping { .. } => {
                follow(self.shared_mappings.then_some(Role::Memory))
            }
            // Which of its files lose bytes, its mappings do not say afterwards: they may be gone.
            Call::RemovePages => refuse_if(self.shared_mappings, Why::Unsupported),
            Call::Submit { context, count, blocks } => self.submit(context, count, blocks)?,
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
        } else if descriptor.regular && self.stays(fd)? {
            Entry::Outside
        } else {
            Entry::Pass
        })
    }

    /// Whether what a call does to a file that is not ours can outlive the program: it has a name,
    /// and is none of those that the kernel makes up.
    fn stays(&self, fd: i32) -> io::Result<bool> {
        Ok(self.tracee.stat(fd)?.is_kept() && !self.tracee.path_of(fd)?.starts_with("/proc"))
    }

    fn is_reply(&mut self, fd: i32) -> io::Result<bool> {
        Ok(self.descriptors.look(self.tracee, fd)?.id == self.reply)
    }

    fn open(&mut self, path: PathArg, flags: Flags) -> io::Result<Entry> {
        let (flags, resolve) = match flags {
            Flags::Given(flags) => (flags, 0),
            Flags::InMemory(how) => {
                // struct open_how (openat2(2)): flags, mode, resolve.
                let how = self.tracee.read_numbers(how, 3)?;
                (how[0], how[2])
            }
        };
        let created = u64::from((libc::O_CREAT | libc::O_TRUNC).unsigned_abs());
        let path_only = u64::from(libc::O_PATH.unsigned_abs());
        if flags & (created | TMPFILE) == 0 || flags & path_only != 0 {
            return Ok(Entry::Pass);
        }
        let at = if flags & TMPFILE != 0 {
            let stat = self.led(path)?;
            self.world
                .known(&stat)
                .map_or(Opened::Elsewhere { changes: false }, |_| Opened::Unnamed)
        } else {
            let mut text = self.tracee.path_text(path)?;
            if resolve & IN_ROOT != 0 && text.as_bytes().starts_with(b"/") {
                text = [OsStr::new("."), &text].into_iter().collect();
            }
            match self.spot_of(path.dir, &text)? {
                Some((spot, dir)) => Opened::Name(spot, dir),
                None => Opened::Elsewhere { changes: self.changes(path.dir, &text, flags) },
            }
        };
        Ok(Entry::Follow(Role::Open { at, flags }))
    }

    /// Nobody is made whom we could not follow. Programs fall back to other calls, or do without.
    fn traced(&self, flags: Flags) -> io::Result<Entry> {
        let flags = match flags {
            Flags::Given(flags) => flags,
            // struct clone_args (clone(2)): flags come first.
            Flags::InMemory(args) => self.tracee.read_u64(args)?,
        };
        Ok(if flags & UNTRACED == 0 { Entry::Pass } else { Entry::Missing })
    }

    /// Whether an `open` elsewhere makes a file or takes bytes from one. Where nothing can be found,
    /// something will have been made if it succeeds.
    fn changes(&self, dir: i32, text: &OsStr, flags: u64) -> bool {
        let found = self.tracee.open_path(dir, text, LastLink::Followed);
        let found = found.and_then(|file| Stat::of_handle(&file));
        found.map_or(true, |stat| flags & O_TRUNC != 0 && stat.len > 0)
    }

    fn rename(&mut self, from: PathArg, to: PathArg) -> io::Result<Entry> {
        Ok(match (self.spot(from)?, self.spot(to)?) {
            (Some((from, _)), Some((to, _))) => Entry::Follow(Role::Move { from, to }),
            (None, None) => {
                outside_unless(self.holds_root(from)? || self.holds_root(to)?, Why::Border)
            }
            _ => refuse_if(true, Why::Border),
        })
    }

    fn link(&mut self, from: PathArg, to: PathArg, flags: u64) -> io::Result<Entry> {
        let Some((to, _)) = self.spot(to)? else { return Ok(Entry::Follow(Role::Outside)) };
        let text = self.tracee.path_text(from)?;
        let followed = flags & u64::from(libc::AT_SYMLINK_FOLLOW.unsigned_abs()) != 0;
        let last = if followed { LastLink::Followed } else { LastLink::Kept };
        let stat = Stat::of_handle(&self.tracee.open_path(from.dir, &text, last)?)?;
        Ok(Entry::Follow(match self.world.known(&stat) {
            Some(ino) => Role::Link { ino, to },
            None => Role::Refused(Why::Border),
        }))
    }

    /// A socket bound to a path makes a special file there.
    fn bind(&mut self, addr: u64, len: u64) -> io::Result<Entry> {
        let address = self.tracee.read(addr, usize::try_from(len).unwrap_or_default().min(128))?;
        // struct sockaddr_un (unix(7)): the family, then the path; one in the abstract namespace
        // begins with a zero.
        let unix = libc::AF_UNIX.unsigned_abs().to_ne_bytes();
        let Some(path) = address.strip_prefix(&unix[..2]) else { return Ok(Entry::Pass) };
        let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
        if path.is_empty() {
            return Ok(Entry::Pass);
        }
        let spot = self.spot_of(libc::AT_FDCWD, OsStr::from_bytes(path))?;
        Ok(outside_unless(spot.is_some(), Why::Unsupported))
    }

    fn submit(&mut self, context: u64, count: u64, blocks: u64) -> io::Result<Entry> {
        let (mut asked, mut outside) = (Vec::new(), false);
        for (index, block) in aio::blocks(self.tracee, count, blocks)? {
            let descriptor = self.descriptors.look(self.tracee, block.fd)?;
            if let Some(ino) = self.file_of(block.fd, descriptor)? {
                asked.push(Asked { block, index, ino, descriptor });
            } else if matches!(block.operation, Operation::Write { .. }) && descriptor.regular {
                outside |= self.stays(block.fd)?;
            }
        }
        if asked.is_empty() {
            return Ok(follow(outside.then_some(Role::Outside)));
        }
        // Where a write that appends went is known only when no other follows it.
        let appends = |asked: &Asked| {
            matches!(asked.block.operation, Operation::Write { flags, .. }
                if asked.descriptor.appends(flags))
        };
        if asked.iter().any(appends) {
            return Ok(refuse_if(true, Why::Unsupported));
        }
        let submission = Submission::new(self.tracee, context, asked)?;
        Ok(Entry::Follow(Role::Submission { submission, outside }))
    }

    /// What a path argument leads to, through symbolic links.
    fn led(&self, path: PathArg) -> io::Result<Stat> {
        let text = self.tracee.path_text(path)?;
        Stat::of_handle(&self.tracee.open_path(path.dir, &text, LastLink::Followed)?)
    }

    fn spot(&mut self, path: PathArg) -> io::Result<Option<(Spot, OwnedFd)>> {
        let text = self.tracee.path_text(path)?;
        self.spot_of(path.dir, &text)
    }

    /// The place a path names, if its directory is watched, and that directory. The name itself
    /// need not exist.
    fn spot_of(&mut self, dir: i32, text: &OsStr) -> io::Result<Option<(Spot, OwnedFd)>> {
        let Some((parent, name)) = split(text) else { return Ok(None) };
        let parent = self.tracee.open_path(dir, parent, LastLink::Followed)?;
        let Some(dir) = self.world.known(&Stat::of_handle(&parent)?) else { return Ok(None) };
        let text = name.to_str().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: not UTF-8", name.display()))
        })?;
        Ok(Some((Spot { dir, name: Arc::from(text) }, parent)))
    }

    /// Whether a path names the watched directory or one that it is in.
    fn holds_root(&self, path: PathArg) -> io::Result<bool> {
        let text = self.tracee.path_text(path)?;
        let Some((parent, name)) = split(&text) else { return Ok(false) };
        let parent = self.tracee.open_path(path.dir, parent, LastLink::Followed)?;
        let parent = Tracee::ourselves().path_of(parent.as_raw_fd())?;
        Ok(self.world.is_within(&parent.join(name)))
    }
}

fn follow(role: Option<Role>) -> Entry {
    role.map_or(Entry::Pass, Entry::Follow)
}

fn refuse_if(refused: bool, why: Why) -> Entry {
    follow(refused.then_some(Role::Refused(why)))
}

/// A change of something that is not ours, unless a trace cannot say what it does to ours.
fn outside_unless(refused: bool, why: Why) -> Entry {
    Entry::Follow(if refused { Role::Refused(why) } else { Role::Outside })
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

#[cfg(test)]
mod tests;
