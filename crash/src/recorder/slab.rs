//! Memory for what programs wrote, taken from the system in large pieces.
//!
//! A recording is mostly the bytes of writes. Taken one by one, each needs memory nobody has
//! touched yet, and the system takes longer to find a page than to copy one. A large piece is found
//! as a few huge pages, where there are any.

use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{Advice, MmapMut, MmapRaw};

/// The first piece, in bytes; each is four times as large as the one before. Most recordings are
/// short.
const FIRST: usize = 64 << 10;

/// The largest piece, in bytes: two huge pages.
const LARGEST: usize = 4 << 20;

/// From so many bytes on a part has a piece of its own.
const OWN: usize = LARGEST / 8;

/// Gives out memory.
#[derive(Debug, Default)]
pub(super) struct Slab {
    piece: Option<Arc<MmapRaw>>,
    /// Where in the piece the next part begins.
    next: usize,
}

/// A part of a piece, of which there are no two of the same bytes: it is not cloned.
#[derive(Debug)]
pub(super) struct Part {
    piece: Arc<MmapRaw>,
    range: Range<usize>,
}

impl Slab {
    /// Memory for so many bytes, all zero.
    ///
    /// # Errors
    /// What the system says if there is no more.
    pub(super) fn take(&mut self, len: usize) -> io::Result<Part> {
        if len >= OWN {
            return Ok(Part { piece: piece(len)?, range: 0..len });
        }
        let fits = |piece: &&Arc<MmapRaw>| piece.len() - self.next >= len;
        let piece = match self.piece.as_ref().filter(fits) {
            Some(piece) => Arc::clone(piece),
            None => self.begin(len)?,
        };
        let range = self.next..self.next + len;
        self.next = range.end;
        Ok(Part { piece, range })
    }

    fn begin(&mut self, len: usize) -> io::Result<Arc<MmapRaw>> {
        let larger = self.piece.as_ref().map_or(FIRST, |last| last.len() * 4);
        let piece = piece(larger.max(len.next_power_of_two()).min(LARGEST))?;
        self.piece = Some(Arc::clone(&piece));
        self.next = 0;
        Ok(piece)
    }
}

fn piece(len: usize) -> io::Result<Arc<MmapRaw>> {
    let piece = MmapMut::map_anon(len)?;
    // Where there are no huge pages this fails, and nothing is lost. Miri has no such call.
    if !cfg!(miri) {
        let _ = piece.advise(Advice::HugePage);
    }
    Ok(Arc::new(piece.into()))
}

impl Part {
    /// The bytes as they are now, without copying them.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the range lies inside the mapping, which lives as long as `self` and holds bytes
        // from the beginning (zeros). No other part has any of these bytes, so whoever could change
        // them needs `self` mutably.
        unsafe {
            std::slice::from_raw_parts(self.piece.as_ptr().add(self.range.start), self.range.len())
        }
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut [u8] {
        let start = self.range.start;
        // SAFETY: as above; and `self` is borrowed mutably, so nobody reads them meanwhile.
        unsafe {
            std::slice::from_raw_parts_mut(self.piece.as_mut_ptr().add(start), self.range.len())
        }
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests;
