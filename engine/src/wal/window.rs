//! Bounded reading of a file of any length.

use std::io;

use bytes::Bytes;

use crate::storage::File;

/// Bytes read ahead at once.
const READ_LEN: usize = 256 << 10;

/// A sliding buffer over a file: memory grows with the largest piece asked for, not the file. Pieces
/// share the buffer: one that is kept keeps all that was read with it.
pub(super) struct Window<'a> {
    file: &'a dyn File,
    len: u64,
    start: u64,
    buffer: Bytes,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a dyn File) -> io::Result<Self> {
        Ok(Self { file, len: file.len()?, start: 0, buffer: Bytes::new() })
    }

    /// Length of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Exactly `len` bytes from `offset`, or `None` if the file ends before.
    pub(super) fn get(&mut self, offset: u64, len: usize) -> io::Result<Option<Bytes>> {
        let end = offset.saturating_add(len as u64);
        if end > self.len {
            return Ok(None);
        }
        if offset < self.start || end > self.start + self.buffer.len() as u64 {
            let ahead = usize::try_from(self.len - offset).unwrap_or(usize::MAX);
            // The memory of the last piece, unless someone keeps part of it.
            let mut buffer = std::mem::take(&mut self.buffer).try_into_mut().unwrap_or_default();
            buffer.resize(ahead.min(READ_LEN.max(len)), 0);
            self.file.read_at(offset, &mut buffer)?;
            (self.start, self.buffer) = (offset, buffer.freeze());
        }
        // The difference is below the buffer's length.
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        Ok(Some(self.buffer.slice(from..from + len)))
    }

    /// Up to `READ_LEN` bytes from `offset`; empty at the end of the file.
    pub(super) fn chunk(&mut self, offset: u64) -> io::Result<Bytes> {
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        Ok(self.get(offset, rest.min(READ_LEN))?.unwrap_or_default())
    }
}
