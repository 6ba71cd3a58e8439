//! What `/proc` and a tracee's memory tell about a stopped tracee.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use nix::libc;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::{Pid, getpid};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, openat2};

use super::call::{PathArg, Source};
use super::slab::Slab;

/// A thread we trace, by its number. While it is stopped neither it nor what `/proc` says of it
/// can go away, except by SIGKILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tracee(pub(super) i32);

/// What identifies a file, whatever its names: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId {
    pub(super) dev: u64,
    pub(super) ino: u64,
}

/// What the system says of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stat {
    pub(super) id: FileId,
    /// Names it has.
    pub(super) links: u64,
    /// Length in bytes.
    pub(super) len: u64,
    /// Whether it is a regular file.
    pub(super) regular: bool,
}

/// What to do with a symbolic link at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLink {
    Followed,
    Kept,
}

/// A mapping of a file into a tracee's memory.
#[derive(Debug)]
pub(super) struct Mapping {
    /// First and one past the last address.
    pub(super) addresses: (u64, u64),
    pub(super) writable: bool,
    pub(super) shared: bool,
    /// Where in the file it begins, in bytes.
    pub(super) offset: u64,
    /// The file; not on every file system the number `stat` gives it.
    pub(super) id: FileId,
    pub(super) path: PathBuf,
}

/// The longest path the kernel takes, its end included.
const PATH_MAX: usize = 4096;

/// The most buffers one call takes (`UIO_MAXIOV`).
const VECTOR_MAX: usize = 1024;

const PAGE: u64 = 4096;

impl Tracee {
    /// The process a thread belongs to.
    pub(super) fn group(self) -> io::Result<i32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        line.and_then(|number| number.trim().parse().ok()).ok_or_else(malformed)
    }

    /// The file behind a descriptor.
    pub(super) fn stat(self, fd: i32) -> io::Result<Stat> {
        Stat::of(&self.descriptor(fd))
    }

    /// The canonical path of the file behind a descriptor, as the kernel knows it.
    pub(super) fn path_of(self, fd: i32) -> io::Result<PathBuf> {
        fs::read_link(self.descriptor(fd))
    }

    /// This process, which is not traced.
    pub(super) fn ourselves() -> Self {
        Self(getpid().as_raw())
    }

    /// Opens the file behind a descriptor anew, for reading.
    pub(super) fn reopen(self, fd: i32) -> io::Result<File> {
        File::open(self.descriptor(fd))
    }

    fn descriptor(self, fd: i32) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{fd}", self.0))
    }

    /// The text of a path argument.
    pub(super) fn path_text(self, path: PathArg) -> io::Result<OsString> {
        let mut text = Vec::new();
        while text.len() < PATH_MAX {
            let at = path.addr + text.len() as u64;
            // Never past a page's end: the next page may not be there.
            let chunk = self.read(at, length(PAGE - at % PAGE).min(256))?;
            if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
                text.extend(&chunk[..end]);
                return Ok(OsString::from_vec(text));
            }
            text.extend(chunk);
        }
        Err(io::ErrorKind::InvalidFilename.into())
    }

    /// Opens what a path argument leads to, to look at it and for nothing else.
    ///
    /// The symbolic link `/proc/self` leads us elsewhere than the tracee. A path that begins with
    /// it, or with `/dev/fd`, which leads there, is taken for what the tracee means; one that comes
    /// through it later is an error, as is any other of the kernel's links.
    pub(super) fn open_path(self, dir: i32, text: &OsStr, last: LastLink) -> io::Result<OwnedFd> {
        let (start, rest, links) = self.start(dir, Path::new(text));
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let start = rustix::fs::open(start, flags, Mode::empty())?;
        if rest.as_os_str().is_empty() {
            return Ok(start);
        }
        let flags = if last == LastLink::Kept { flags | OFlags::NOFOLLOW } else { flags };
        Ok(openat2(start, rest, flags, Mode::empty(), links)?)
    }

    /// Where a path of the tracee starts, as a path of ours, how it goes on, and which links may
    /// be on the way.
    fn start(self, dir: i32, path: &Path) -> (PathBuf, &Path, ResolveFlags) {
        let own = PathBuf::from(format!("/proc/{}", self.0));
        let any = ResolveFlags::empty();
        let beginnings = [
            ("/proc/self", own.clone(), any),
            ("/proc/thread-self", own.join("task").join(self.0.to_string()), any),
            ("/proc", own.join("root/proc"), any),
            ("/dev/fd", own.join("fd"), any),
            ("/", own.join("root"), ResolveFlags::NO_MAGICLINKS),
        ];
        for (beginning, start, links) in beginnings {
            if let Ok(rest) = path.strip_prefix(beginning) {
                return (start, rest, links);
            }
        }
        let base = if dir == libc::AT_FDCWD { own.join("cwd") } else { self.descriptor(dir) };
        (base, path, ResolveFlags::NO_MAGICLINKS)
    }

    /// Bytes of memory, all of them.
    pub(super) fn read(self, addr: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.read_into(addr, &mut bytes)?;
        Ok(bytes)
    }

    fn read_into(self, addr: u64, bytes: &mut [u8]) -> io::Result<()> {
        let len = bytes.len();
        self.read_parts(&[RemoteIoVec { base: length(addr), len }], bytes)
    }

    /// Bytes of several places of memory, one after the other, until there are enough.
    fn read_parts(self, parts: &[RemoteIoVec], bytes: &mut [u8]) -> io::Result<()> {
        let len = bytes.len();
        let read = process_vm_readv(Pid::from_raw(self.0), &mut [IoSliceMut::new(bytes)], parts)?;
        if read == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// One number of memory.
    pub(super) fn read_u64(self, addr: u64) -> io::Result<u64> {
        Ok(numbers(&self.read(addr, 8)?).next().unwrap_or_default())
    }

    /// Consecutive numbers of memory.
    pub(super) fn read_numbers(self, addr: u64, count: usize) -> io::Result<Vec<u64>> {
        Ok(numbers(&self.read(addr, count.saturating_mul(8))?).collect())
    }

    /// The first `len` bytes of what a write was given.
    pub(super) fn bytes(self, source: Source, len: usize, slab: &mut Slab) -> io::Result<Bytes> {
        // Read to where they will stay.
        let mut bytes = slab.take(len)?;
        let (vector, count) = match source {
            Source::Buffer(addr) => {
                self.read_into(addr, &mut bytes)?;
                return Ok(bytes.freeze());
            }
            Source::Vector(vector, count) => (vector, count.min(VECTOR_MAX)),
        };
        let parts: Vec<RemoteIoVec> = self
            .read_numbers(vector, count * 2)?
            .chunks_exact(2)
            .map(|buffer| RemoteIoVec { base: length(buffer[0]), len: length(buffer[1]) })
            .collect();
        self.read_parts(&parts, &mut bytes)?;
        Ok(bytes.freeze())
    }

    /// The files mapped into memory.
    pub(super) fn mappings(self) -> io::Result<Vec<Mapping>> {
        let text = fs::read(format!("/proc/{}/maps", self.0))?;
        Ok(text.split(|byte| *byte == b'\n').filter_map(Mapping::parse).collect())
    }
}

impl Mapping {
    /// A line of `maps` (`proc_pid_maps(5)`); `None` for memory that is no file's.
    fn parse(line: &[u8]) -> Option<Self> {
        // Five fields, then blanks, then a path that may hold blanks itself.
        let mut fields = line.splitn(6, |byte| *byte == b' ');
        let mut field = || std::str::from_utf8(fields.next()?).ok();
        let (start, end) = field()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let addresses = (hex(start)?, hex(end)?);
        let access = field()?.as_bytes();
        let offset = hex(field()?)?;
        let (major, minor) = field()?.split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        let dev = rustix::fs::makedev(number(major)?, number(minor)?);
        let ino = field()?.parse().ok().filter(|ino| *ino != 0)?;
        let path = fields.next()?.trim_ascii_start();
        Some(Self {
            addresses,
            writable: access.get(1) == Some(&b'w'),
            shared: access.get(3) == Some(&b's'),
            offset,
            id: FileId { dev, ino },
            path: PathBuf::from(OsStr::from_bytes(path)),
        })
    }
}

impl Stat {
    /// The file a path leads to, through symbolic links.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(rustix::fs::stat(path)?.into())
    }

    /// The file a handle of ours is of.
    pub(super) fn of_handle(handle: &OwnedFd) -> io::Result<Self> {
        Ok(rustix::fs::fstat(handle)?.into())
    }

    /// The file a name in a directory is of; a symbolic link is one itself.
    pub(super) fn of_name(dir: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Self> {
        Ok(rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?.into())
    }

    /// Whether it is a file that a store could be kept in: no memory, no temporary file without a
    /// name.
    pub(super) const fn is_kept(&self) -> bool {
        self.regular && self.links > 0
    }
}

impl From<rustix::fs::Stat> for Stat {
    fn from(stat: rustix::fs::Stat) -> Self {
        Self {
            id: FileId { dev: stat.st_dev, ino: stat.st_ino },
            links: stat.st_nlink,
            // No file is shorter than nothing.
            len: stat.st_size.unsigned_abs(),
            regular: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
        }
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers.iter().map(|number| u64::from_ne_bytes(*number))
}

fn length(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what /proc says is not what we know")
}

#[cfg(test)]
mod tests;
