//! An open file on a simulated disk.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::{Call, CallKind, SimDisk, State};
use crate::content::{Content, EMPTY};
use crate::trace::{MicroOp, SyncKind};
use crate::tree::Ino;

/// An open file. It stays the same file when its name changes or goes.
#[derive(Clone)]
pub struct SimFile {
    disk: SimDisk,
    ino: Ino,
    /// The path it was opened under; only hooks see it.
    path: String,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, ino: Ino, path: &str) -> Self {
        Self { disk, ino, path: path.to_owned() }
    }

    /// Length in bytes.
    ///
    /// # Errors
    /// What the hook returns.
    pub fn len(&self) -> io::Result<u64> {
        self.call(CallKind::Len, 0, 0)?;
        Ok(self.content(&self.disk.shared.state.lock()).len())
    }

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As [`SimFile::len`].
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before; what the hook returns.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.call(CallKind::Read, offset, buf.len() as u64)?;
        self.fill(offset, buf)
    }

    /// The bytes of a range.
    ///
    /// # Errors
    /// As [`SimFile::read_at`]; [`io::ErrorKind::InvalidInput`] if the range ends before it begins.
    pub fn view(&self, range: Range<u64>) -> io::Result<Bytes> {
        let len = range.end.checked_sub(range.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.call(CallKind::View, range.start, len)?;
        // Compare with the file before taking memory for a length that may be nonsense.
        if range.end > self.content(&self.disk.shared.state.lock()).len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut buf = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?];
        self.fill(range.start, &mut buf)?;
        Ok(buf.into())
    }

    /// Writes all of `data` at `offset`, extending the file if needed.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] past the largest offset; what the hook returns.
    pub fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.call(CallKind::Write, offset, data.len() as u64)?;
        if offset.checked_add(data.len() as u64).is_none_or(|end| end > LARGEST) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if !data.is_empty() {
            self.record(MicroOp::Write {
                ino: self.ino,
                offset,
                data: Bytes::copy_from_slice(data),
            });
        }
        Ok(())
    }

    /// Sets the length; growing adds zeros that take no space.
    ///
    /// # Errors
    /// As [`SimFile::write_at`].
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(CallKind::SetLen, len, 0)?;
        if len > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.record(MicroOp::SetLen { ino: self.ino, len });
        Ok(())
    }

    /// Makes durable what was done to this file before; not its directory entry.
    ///
    /// # Errors
    /// What the hook returns.
    pub fn sync(&self, kind: SyncKind) -> io::Result<()> {
        let call = match kind {
            SyncKind::Data => CallKind::SyncData,
            SyncKind::Full => CallKind::SyncFull,
        };
        self.call(call, 0, 0)?;
        self.record(MicroOp::Sync { ino: self.ino, kind });
        Ok(())
    }

    fn call(&self, kind: CallKind, offset: u64, len: u64) -> io::Result<()> {
        self.disk.enter(Call { offset, len, ..Call::on(kind, &self.path) })
    }

    fn record(&self, op: MicroOp) {
        self.disk.shared.state.lock().record(op);
    }

    fn fill(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if self.content(&self.disk.shared.state.lock()).read(offset, buf) {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// The file's content: its inode stays in the tree as long as the disk lives.
    fn content<'s>(&self, state: &'s State) -> &'s Content {
        state.tree.content(self.ino).unwrap_or(&EMPTY)
    }
}

/// The largest length of a file: offsets are signed in the system's calls.
const LARGEST: u64 = i64::MAX as u64;
