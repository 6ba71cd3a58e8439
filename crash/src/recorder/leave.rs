//! A call's exit: what it did, as operations of a trace.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use nix::libc;

use super::aio::{Asked, Operation, Submission};
use super::call::{Call, Cloned, Position, Source};
use super::descriptors::{Descriptor, Descriptors};
use super::enter::{O_TRUNC, Opened, Role, TMPFILE};
use super::report::Why;
use super::slab::Slab;
use super::tracee::{Stat, Tracee};
use super::world::{Spot, World};
use crate::content::Content;
use crate::trace::{MicroOp, SyncKind};
use crate::tree::Ino;

/// What a call did, or why we cannot say.
pub(super) type Effects = Result<Vec<MicroOp>, Why>;

const O_DSYNC: u64 = 0o10_000;
/// `O_SYNC` without `O_DSYNC`, which it contains.
const O_SYNC: u64 = 0o4_000_000;

const RWF_DSYNC: u64 = 2;
const RWF_SYNC: u64 = 4;

const FALLOC_KEEP_SIZE: u64 = 1;
const FALLOC_PUNCH_HOLE: u64 = 2;
const FALLOC_ZERO_RANGE: u64 = 16;
const FALLOC_UNSHARE_RANGE: u64 = 64;
const FALLOC_WRITE_ZEROES: u64 = 128;

const MS_SYNC: u64 = 4;

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Unseen(error.to_string())
    }
}

/// Looks at calls that have returned.
pub(super) struct Leave<'a> {
    pub(super) world: &'a mut World,
    pub(super) descriptors: &'a mut Descriptors,
    /// Where the bytes of writes are kept.
    pub(super) slab: &'a mut Slab,
    pub(super) tracee: Tracee,
    /// What the call returned: a count, a descriptor, or a negated error.
    pub(super) result: i64,
    /// Ends of names of files that may be mapped writable.
    pub(super) mapped: &'a [String],
    /// Whether the call changed what is not ours.
    pub(super) outside: &'a mut bool,
}

impl Leave<'_> {
    /// What the call did to the watched directory.
    pub(super) fn effects(&mut self, call: &Call, role: &Role) -> Effects {
        let Ok(result) = u64::try_from(self.result) else { return Ok(self.failed(role)) };
        match (role, *call) {
            (Role::Refused(why), _) => Err(why.clone()),
            (Role::Everything, _) => Ok(self.world.sync_all()),
            (Role::Outside, _) => Ok(self.count_outside(true)),
            (Role::Submission { submission, outside }, _) => {
                self.count_outside(*outside);
                self.completed(submission, result)
            }
            (Role::Open { at, flags }, _) => self.open(at, *flags),
            (Role::Name(spot, dir), Call::MakeDir { .. }) => self.make_dir(spot, dir),
            (Role::Name(spot, _), _) => self.remove(spot),
            (Role::Move { from, to }, Call::Rename { flags, .. }) => self.rename(from, to, flags),
            (Role::Link { ino, to }, _) => {
                Ok(vec![MicroOp::Link { dir: to.dir, name: to.name.clone(), ino: *ino }])
            }
            (Role::Memory, Call::SyncMapping { addr, len, flags }) => {
                self.sync_mapping(addr, len, flags)
            }
            (Role::Memory, _) => self.check_mappings(),
            (Role::Write(ino, before), Call::Write { fd, source, position, flags }) => {
                self.write((*ino, before), fd, (source, position), flags, result)
            }
            (Role::Write(ino, before), Call::Transfer { fd, offset, .. }) => {
                self.transfer((*ino, before), fd, offset, result)
            }
            (Role::File(ino), call) => self.file_call(*ino, call),
            (Role::Reply | Role::Cores | Role::Move { .. } | Role::Write(..), _) => {
                Err(Why::Unsupported)
            }
        }
    }

    /// A call that may have changed what is not ours has no effect on what is.
    fn count_outside(&mut self, changed: bool) -> Vec<MicroOp> {
        *self.outside |= changed;
        Vec::new()
    }

    fn file_call(&mut self, ino: Ino, call: Call) -> Effects {
        match call {
            Call::CloneContent { fd, source } => self.clone_content(ino, fd, source),
            Call::SetLen { len, .. } | Call::Truncate { len, .. } => Ok(self.set_len(ino, len)),
            Call::Allocate { mode, offset, len, .. } => self.allocate(ino, mode, offset, len),
            Call::SyncFile { data_only, .. } => Ok(vec![self.sync(ino, data_only)]),
            _ => Err(Why::Unsupported),
        }
    }

    /// A failed call did nothing; but an `open` can fail after it has created its file, where a
    /// file system refuses the other flags (open(2), NOTES on `O_DIRECT`).
    fn failed(&mut self, role: &Role) -> Vec<MicroOp> {
        match role {
            Role::Open { at: Opened::Name(spot, dir), .. } if self.world.entry(spot).is_none() => {
                let made = Stat::of_name(dir, &*spot.name).ok();
                made.map(|stat| self.link_new(spot, &stat)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn write(
        &mut self,
        (ino, before): (Ino, &Descriptor),
        fd: i32,
        (source, position): (Source, Position),
        flags: u64,
        count: u64,
    ) -> Effects {
        if count == 0 {
            return Ok(Vec::new());
        }
        let offset = match position {
            // Linux appends whatever offset it was given (pwrite(2), BUGS).
            _ if before.appends(flags) => self.end(fd, position)?.checked_sub(count),
            Position::Current => Some(self.start(fd, before, count)?),
            Position::At(offset) => Some(offset),
        };
        let offset = offset.ok_or_else(inconsistent)?;
        let data = self.tracee.bytes(source, length(count), self.slab)?;
        let mut ops = vec![MicroOp::Write { ino, offset, data }];
        ops.extend(sync_after_write(ino, before, flags));
        Ok(ops)
    }

    /// What was submitted together ran side by side: its syncs cover none of its writes, and of two
    /// writes to one place nobody knows which came last.
    fn completed(&mut self, submission: &Submission, accepted: u64) -> Effects {
        let (mut syncs, mut writes, mut covered) = (Vec::new(), Vec::new(), Vec::new());
        for (asked, result) in submission.results(self.tracee, accepted)? {
            let Ok(count) = u64::try_from(result) else { continue };
            let Asked { ino, ref descriptor, .. } = *asked;
            match asked.block.operation {
                Operation::Sync { data_only } => syncs.push(self.sync(ino, data_only)),
                Operation::Write { .. } if count == 0 => {}
                Operation::Write { source, offset, flags } => {
                    let data = self.tracee.bytes(source, length(count), self.slab)?;
                    writes.push(MicroOp::Write { ino, offset, data });
                    writes.extend(sync_after_write(ino, descriptor, flags));
                    covered.push((ino, offset, offset.saturating_add(count)));
                }
            }
        }
        covered.sort_unstable();
        let overlap = |pair: &[(Ino, u64, u64)]| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2;
        if covered.windows(2).any(overlap) {
            return Err(Why::Unsupported);
        }
        Ok(syncs.into_iter().chain(writes).collect())
    }

    fn sync(&self, ino: Ino, data_only: bool) -> MicroOp {
        match data_only {
            _ if self.world.is_dir(ino) => MicroOp::SyncDir { dir: ino },
            true => MicroOp::Sync { ino, kind: SyncKind::Data },
            false => MicroOp::Sync { ino, kind: SyncKind::Full },
        }
    }

    /// Where a write that appended has ended: it moves the description there, unless it was given
    /// an offset.
    fn end(&mut self, fd: i32, position: Position) -> io::Result<u64> {
        match position {
            Position::Current => Ok(self.descriptors.look(self.tracee, fd)?.position),
            Position::At(_) => Ok(self.tracee.stat(fd)?.len),
        }
    }

    /// Where a description stood when so many bytes were written through it. Whoever shares it can
    /// move it at any time: between our look and the call, too.
    fn start(&mut self, fd: i32, before: &Descriptor, count: u64) -> Result<u64, Why> {
        let after = self.descriptors.look(self.tracee, fd)?.position;
        if after.checked_sub(count) == Some(before.position) {
            Ok(before.position)
        } else {
            Err(Why::Unseen("the description was moved during the call".to_owned()))
        }
    }

    /// Bytes that never were in the tracee's memory are read back from the file.
    fn transfer(
        &mut self,
        (ino, before): (Ino, &Descriptor),
        fd: i32,
        offset: u64,
        count: u64,
    ) -> Effects {
        if count == 0 {
            return Ok(Vec::new());
        }
        // The kernel moves the offset in memory along, as it does the description's.
        let start = match offset {
            0 => Some(self.start(fd, before, count)?),
            offset => self.tracee.read_u64(offset)?.checked_sub(count),
        };
        let mut ops = vec![self.read_back(ino, fd, start.ok_or_else(inconsistent)?, count)?];
        ops.extend(sync_after_write(ino, before, 0));
        Ok(ops)
    }

    fn clone_content(&self, ino: Ino, fd: i32, source: Cloned) -> Effects {
        let (source, from, count, offset) = match source {
            Cloned::Whole(source) => (source, 0, 0, 0),
            Cloned::Range(range) => {
                // struct file_clone_range (ioctl_ficlonerange(2)): source, its offset, length, our
                // offset.
                let fields = self.tracee.read_numbers(range, 4)?;
                let source = i32::try_from(fields[0]).map_err(|_| inconsistent())?;
                (source, fields[1], fields[2], fields[3])
            }
        };
        // No length means all there is.
        let count = match count {
            0 => self.tracee.stat(source)?.len.saturating_sub(from),
            count => count,
        };
        let written = (count > 0).then(|| self.read_back(ino, fd, offset, count));
        written.into_iter().collect()
    }

    fn read_back(&self, ino: Ino, fd: i32, offset: u64, count: u64) -> Result<MicroOp, Why> {
        let mut bytes = vec![0; length(count)];
        self.tracee.reopen(fd)?.read_exact_at(&mut bytes, offset)?;
        Ok(MicroOp::Write { ino, offset, data: Bytes::from(bytes) })
    }

    fn set_len(&self, ino: Ino, len: u64) -> Vec<MicroOp> {
        let changes = self.world.len(ino) != len;
        changes.then_some(MicroOp::SetLen { ino, len }).into_iter().collect()
    }

    fn allocate(&mut self, ino: Ino, mode: u64, offset: u64, count: u64) -> Effects {
        let end = offset.saturating_add(count);
        let grown = if mode & FALLOC_KEEP_SIZE == 0 {
            end.max(self.world.len(ino))
        } else {
            self.world.len(ino)
        };
        let mut ops = match mode & !FALLOC_KEEP_SIZE {
            0 | FALLOC_UNSHARE_RANGE => Vec::new(),
            FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE | FALLOC_WRITE_ZEROES => {
                self.zeros(ino, offset, end)
            }
            _ => return Err(Why::Unsupported),
        };
        ops.extend(self.set_len(ino, grown));
        Ok(ops)
    }

    /// Writes of zeros over what is not zero in a range: it costs what its data costs.
    fn zeros(&mut self, ino: Ino, start: u64, end: u64) -> Vec<MicroOp> {
        let extents = self.world.tree().content(ino).into_iter().flat_map(Content::extents);
        extents
            .filter_map(|(at, bytes)| {
                let offset = at.max(start);
                let count = (at + bytes.len() as u64).min(end).checked_sub(offset)?;
                let data = Bytes::from(vec![0; length(count)]);
                (count > 0).then_some(MicroOp::Write { ino, offset, data })
            })
            .collect()
    }

    fn open(&mut self, at: &Opened, flags: u64) -> Effects {
        let fd = i32::try_from(self.result).map_err(|_| inconsistent())?;
        let stat = self.tracee.stat(fd)?;
        match at {
            Opened::Unnamed => {
                self.world.create(stat.id);
                Ok(Vec::new())
            }
            // A new file without a name can have the number of a lost one of ours.
            Opened::Elsewhere { .. } if flags & TMPFILE != 0 => {
                self.world.lost(stat.id);
                Ok(Vec::new())
            }
            Opened::Elsewhere { changes } => {
                let cut = flags & O_TRUNC != 0 && self.world.known(&stat).is_some();
                let inside = self.world.contains(&self.tracee.path_of(fd)?);
                if cut || inside {
                    return Err(Why::Border);
                }
                Ok(self.count_outside(*changes && stat.is_kept()))
            }
            Opened::Name(spot, _) => match self.world.entry(spot) {
                None => Ok(vec![self.link_new(spot, &stat)]),
                Some(ino) if self.world.known(&stat) != Some(ino) => Err(inconsistent()),
                Some(ino) if flags & O_TRUNC != 0 => Ok(self.set_len(ino, 0)),
                Some(_) => Ok(Vec::new()),
            },
        }
    }

    fn link_new(&mut self, spot: &Spot, stat: &Stat) -> MicroOp {
        let ino = self.world.create(stat.id);
        MicroOp::Link { dir: spot.dir, name: spot.name.clone(), ino }
    }

    fn make_dir(&mut self, spot: &Spot, dir: &OwnedFd) -> Effects {
        let ino = self.world.create(Stat::of_name(dir, &*spot.name)?.id);
        Ok(vec![MicroOp::MakeDir { dir: spot.dir, name: spot.name.clone(), ino }])
    }

    fn remove(&self, spot: &Spot) -> Effects {
        let ino = self.entry(spot)?;
        Ok(vec![MicroOp::Unlink { dir: spot.dir, name: spot.name.clone(), ino }])
    }

    fn rename(&self, from: &Spot, to: &Spot, flags: u64) -> Effects {
        if flags & !u64::from(libc::RENAME_NOREPLACE) != 0 {
            return Err(Why::Unsupported);
        }
        let ino = self.entry(from)?;
        if self.world.entry(to) == Some(ino) {
            // Two names of one file: rename(2) does nothing and succeeds.
            return Ok(Vec::new());
        }
        Ok(vec![MicroOp::Rename {
            from_dir: from.dir,
            from: from.name.clone(),
            to_dir: to.dir,
            to: to.name.clone(),
            ino,
        }])
    }

    fn entry(&self, spot: &Spot) -> Result<Ino, Why> {
        self.world.entry(spot).ok_or_else(inconsistent)
    }

    /// `msync` of a whole file is a sync of it; of a part it is something no trace can say.
    fn sync_mapping(&mut self, addr: u64, len: u64, flags: u64) -> Effects {
        let end = addr.saturating_add(len);
        let mut ops = Vec::new();
        for mapping in self.tracee.mappings()? {
            let (first, last) = mapping.addresses;
            let touched = mapping.shared && first < end && addr < last;
            let Some(ino) = self.world.mapped(&mapping).filter(|_| touched) else { continue };
            if flags & MS_SYNC == 0 || self.may_be_mapped(ino) {
                continue;
            }
            let covered = end.min(last) - first;
            if mapping.offset != 0 || addr > first || covered < self.world.len(ino) {
                return Err(Why::Unsupported);
            }
            ops.push(MicroOp::Sync { ino, kind: SyncKind::Data });
        }
        Ok(ops)
    }

    /// Stores into a writable shared mapping are invisible to us.
    fn check_mappings(&mut self) -> Effects {
        for mapping in self.tracee.mappings()? {
            let stored = mapping.shared && mapping.writable;
            let file = self.world.mapped(&mapping).filter(|_| stored);
            if file.is_some_and(|ino| !self.may_be_mapped(ino)) {
                return Err(Why::WritableMapping);
            }
        }
        Ok(Vec::new())
    }

    fn may_be_mapped(&mut self, ino: Ino) -> bool {
        let path = self.world.path(ino);
        path.is_some_and(|path| self.mapped.iter().any(|end| path.ends_with(end)))
    }
}

/// What a synchronous write makes durable: "as though each write was followed by" the sync of its
/// kind (open(2), `O_SYNC`; pwritev2(2), `RWF_DSYNC`).
fn sync_after_write(ino: Ino, descriptor: &Descriptor, flags: u64) -> Option<MicroOp> {
    if descriptor.flags & O_SYNC != 0 || flags & RWF_SYNC != 0 {
        Some(MicroOp::Sync { ino, kind: SyncKind::Full })
    } else if descriptor.flags & O_DSYNC != 0 || flags & RWF_DSYNC != 0 {
        Some(MicroOp::Sync { ino, kind: SyncKind::Data })
    } else {
        None
    }
}

fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn inconsistent() -> Why {
    Why::Unseen("the directory is not what its calls made of it".to_owned())
}

#[cfg(test)]
mod tests;
