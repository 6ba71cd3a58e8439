//! The bytes of one file: sparse pages that clones share.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::xxh3_128;

/// Bytes the page cache handles as one unit; a process kill can cut a write only at its borders.
pub const PAGE: u64 = 4096;

/// Bytes a disk writes atomically; a power loss can tear a write only at its borders.
pub const SECTOR: u64 = 512;

const PAGE_LEN: usize = 4096;

/// The digest that stands for a page of zeros, stored or not.
const ZERO_PAGE: u128 = 0;

static ZEROS: [u8; PAGE_LEN] = [0; PAGE_LEN];

#[derive(Clone)]
struct Page {
    bytes: [u8; PAGE_LEN],
    /// Of `bytes`; emptied by every change.
    digest: OnceLock<u128>,
}

impl Page {
    fn zero() -> Self {
        Self { bytes: [0; PAGE_LEN], digest: OnceLock::new() }
    }

    fn digest(&self) -> u128 {
        *self
            .digest
            .get_or_init(|| if self.bytes == ZEROS { ZERO_PAGE } else { xxh3_128(&self.bytes) })
    }
}

/// The content of a file: a length and the pages that hold data.
///
/// What no page holds reads as zero, so a reserved file costs what its data costs. Clones share
/// pages until one of them is written.
#[derive(Clone, Default)]
pub struct Content {
    len: u64,
    pages: BTreeMap<u64, Arc<Page>>,
    /// Of the length and all pages; emptied by every change.
    digest: OnceLock<u128>,
}

/// The content of a file nobody has written.
pub(crate) static EMPTY: Content =
    Content { len: 0, pages: BTreeMap::new(), digest: OnceLock::new() };

impl Content {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `buf` from `offset`; false, with `buf` unspecified, if the file ends before.
    #[must_use]
    pub fn read(&self, offset: u64, buf: &mut [u8]) -> bool {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            return false;
        }
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let start = within_page(at);
            let n = rest.len().min(PAGE_LEN - start);
            let (now, later) = rest.split_at_mut(n);
            match self.pages.get(&(at / PAGE)) {
                Some(page) => now.copy_from_slice(&page.bytes[start..start + n]),
                None => now.fill(0),
            }
            at += n as u64;
            rest = later;
        }
        true
    }

    /// The stretches that hold data, in order, cut at page borders and at the file's end: offset
    /// and bytes. Pages of zeros are left out.
    pub fn extents(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages.iter().filter(|(_, page)| page.digest() != ZERO_PAGE).map(|(number, page)| {
            let offset = number * PAGE;
            (offset, &page.bytes[..within(self.len - offset)])
        })
    }

    /// A digest of length and bytes; a page of zeros counts like an absent one.
    pub fn digest(&self) -> u128 {
        *self.digest.get_or_init(|| {
            let mut seen = Vec::with_capacity(8 + self.pages.len() * 24);
            seen.extend(self.len.to_le_bytes());
            for (number, page) in &self.pages {
                let digest = page.digest();
                if digest != ZERO_PAGE {
                    seen.extend(number.to_le_bytes());
                    seen.extend(digest.to_le_bytes());
                }
            }
            xxh3_128(&seen)
        })
    }

    /// Writes and, if the bytes end past it, moves the end of the file.
    pub(crate) fn write(&mut self, offset: u64, data: &[u8]) {
        self.put(offset, data);
        self.set_size(self.len.max(offset + data.len() as u64));
    }

    /// Sets the length; what is cut off reads as zero if the file grows again.
    pub(crate) fn set_len(&mut self, len: u64) {
        self.set_size(len);
        self.clip();
    }

    /// Stores bytes without moving the end of the file: they may lie past it until
    /// [`Content::clip`] is called.
    pub(crate) fn put(&mut self, offset: u64, data: &[u8]) {
        self.digest.take();
        let mut at = offset;
        let mut rest = data;
        while !rest.is_empty() {
            let start = within_page(at);
            let n = rest.len().min(PAGE_LEN - start);
            let (now, later) = rest.split_at(n);
            self.page_mut(at / PAGE)[start..start + n].copy_from_slice(now);
            at += n as u64;
            rest = later;
        }
    }

    /// Zeroes a range without storing pages for it.
    pub(crate) fn zero(&mut self, range: Range<u64>) {
        self.digest.take();
        if range.is_empty() {
            return;
        }
        let held: Vec<u64> = self
            .pages
            .range(range.start / PAGE..=(range.end - 1) / PAGE)
            .map(|(n, _)| *n)
            .collect();
        for number in held {
            let offset = number * PAGE;
            let start = within(range.start.saturating_sub(offset));
            let end = within(range.end - offset);
            if start == 0 && end == PAGE_LEN {
                self.pages.remove(&number);
            } else {
                self.page_mut(number)[start..end].fill(0);
            }
        }
    }

    /// Moves the end of the file without touching bytes past it.
    pub(crate) fn set_size(&mut self, len: u64) {
        self.digest.take();
        self.len = len;
    }

    /// Drops what lies past the end: nobody can read it, and a file that grows shows zeros.
    pub(crate) fn clip(&mut self) {
        self.zero(self.len..u64::MAX);
    }

    /// The sectors that hold a byte other than zero at or past `from`, in order.
    pub(crate) fn sectors_from(&self, from: u64) -> Vec<u64> {
        let mut found = Vec::new();
        for (number, page) in self.pages.range(from / PAGE..) {
            for sector in 0..PAGE / SECTOR {
                let first = number * PAGE + sector * SECTOR;
                let start = within_page(first.max(from));
                let end = within(sector * SECTOR + SECTOR);
                let past = first + SECTOR > from;
                if past && page.bytes[start..end].iter().any(|byte| *byte != 0) {
                    found.push(first / SECTOR);
                }
            }
        }
        found
    }

    fn page_mut(&mut self, number: u64) -> &mut [u8; PAGE_LEN] {
        let shared = self.pages.entry(number).or_insert_with(|| Arc::new(Page::zero()));
        let page = Arc::make_mut(shared);
        page.digest.take();
        &mut page.bytes
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} pages, {:032x}", self.len, self.pages.len(), self.digest())
    }
}

/// Where in its page an offset falls.
fn within_page(offset: u64) -> usize {
    within(offset % PAGE)
}

/// A distance from a page's start, at most the page's end.
fn within(distance: u64) -> usize {
    distance.min(PAGE) as usize
}

#[cfg(test)]
mod tests;
