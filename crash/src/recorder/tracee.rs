//! What `/proc` and a tracee's memory tell about a stopped tracee.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IoSliceMut};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::call::{PathArg, Source};

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
            let chunk = self.read(at, within(PAGE - at % PAGE).min(256))?;
            if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
                text.extend(&chunk[..end]);
                return Ok(OsString::from_vec(text));
            }
            text.extend(chunk);
        }
        Err(io::ErrorKind::InvalidFilename.into())
    }

    /// A path argument as a path of ours, which leads to the same file.
    pub(super) fn resolve(self, dir: i32, text: &OsStr) -> PathBuf {
        let own = PathBuf::from(format!("/proc/{}", self.0));
        let path = Path::new(text);
        if let Ok(rest) = path.strip_prefix("/proc/self") {
            return own.join(rest);
        }
        if let Ok(rest) = path.strip_prefix("/proc/thread-self") {
            return own.join("task").join(self.0.to_string()).join(rest);
        }
        if let Ok(rest) = path.strip_prefix("/") {
            return own.join("root").join(rest);
        }
        let base = if dir == libc::AT_FDCWD { own.join("cwd") } else { self.descriptor(dir) };
        if text.is_empty() { base } else { base.join(path) }
    }

    /// Bytes of memory, all of them.
    pub(super) fn read(self, addr: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.read_into(addr, &mut bytes)?;
        Ok(bytes)
    }

    fn read_into(self, addr: u64, bytes: &mut [u8]) -> io::Result<()> {
        let base = usize::try_from(addr).map_err(|_| malformed())?;
        let len = bytes.len();
        let remote = [RemoteIoVec { base, len }];
        let local = &mut [IoSliceMut::new(bytes)];
        let read = process_vm_readv(Pid::from_raw(self.0), local, &remote)?;
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
    pub(super) fn bytes(self, source: Source, len: usize) -> io::Result<Arc<[u8]>> {
        let (vector, count) = match source {
            Source::Buffer(addr) => {
                // Where they will stay: a trace is mostly bytes of writes.
                let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, len).collect();
                if let Some(bytes) = Arc::get_mut(&mut bytes) {
                    self.read_into(addr, bytes)?;
                }
                return Ok(bytes);
            }
            Source::Vector(vector, count) => (vector, count.min(VECTOR_MAX)),
        };
        let fields = self.read_numbers(vector, count * 2)?;
        let mut bytes = Vec::with_capacity(len);
        for buffer in fields.chunks_exact(2) {
            let part = usize::try_from(buffer[1]).unwrap_or(usize::MAX).min(len - bytes.len());
            if part > 0 {
                bytes.extend(self.read(buffer[0], part)?);
            }
        }
        Ok(Arc::from(bytes))
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
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    /// The file a path names, a symbolic link itself included.
    pub(super) fn of_name(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::from(&metadata))
    }
}

impl From<&fs::Metadata> for Stat {
    fn from(metadata: &fs::Metadata) -> Self {
        Self {
            id: FileId { dev: metadata.dev(), ino: metadata.ino() },
            links: metadata.nlink(),
            len: metadata.len(),
            regular: metadata.is_file(),
        }
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers.iter().map(|number| u64::from_ne_bytes(*number))
}

fn within(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

pub(super) fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what /proc says is not what we know")
}

#[cfg(test)]
mod tests;
