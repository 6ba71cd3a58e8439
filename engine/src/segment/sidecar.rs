//! Reads sidecars: where a key's record is, and where a run of records begins.

use std::io;

use bytes::Bytes;

use crate::fetch::fetch;
use crate::format::len_u32;
use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::sidecar::{
    BLOCK_LEN, Binding, FENCES, Header, STRIDE, Slot, SlotBlock, fence, fence_blocks,
};
use crate::ids::Key;
use crate::storage::{File, Storage, SyncKind};

/// A sidecar does not verify. It can be made again from its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged {
    /// The block that shows it.
    pub(crate) block: u32,
}

/// The sidecar of one segment. Every block is checked each time it is read.
#[derive(Debug)]
pub(crate) struct Sidecar {
    header: Header,
    binding: Binding,
    records: u64,
    data: Bytes,
}

impl Sidecar {
    /// Opens the stored sidecar of a segment; `None` if there is none, or it is not this
    /// segment's, or the medium refuses it: a sidecar is never needed.
    pub(crate) fn open(storage: &dyn Storage, id: u64, info: &SegmentInfo) -> Option<Self> {
        let file = storage.open(&names::sidecar_path(id)).ok()?;
        let mut block = [0; BLOCK_LEN];
        file.read_at(0, &mut block).ok()?;
        let header = Header::decode(&block, info)?;
        let len = header.file_len(info);
        if file.len().ok()? != len {
            return None;
        }
        Some(Self::new(header, info, file.view(0..len).ok()?))
    }

    /// A sidecar whose header was read from `data` already.
    pub(super) fn new(header: Header, info: &SegmentInfo, data: Bytes) -> Self {
        Self { header, binding: Binding::new(info), records: info.records, data }
    }

    /// Writes and syncs a sidecar, in place of one that may be there, and answers the same one
    /// read from the medium. Its name is not synced yet.
    ///
    /// # Errors
    /// The medium's; what was written is removed.
    pub(super) fn store(&self, storage: &dyn Storage, id: u64) -> io::Result<Self> {
        let name = names::sidecar_path(id);
        let stored = create(storage, &name).and_then(|file| {
            file.write_at(0, &self.data)?;
            file.sync(SyncKind::Data)?;
            file.view(0..self.data.len() as u64)
        });
        if stored.is_err() {
            // The error that matters is in `stored`; a file left behind does not verify.
            let _ = storage.remove(&name);
        }
        let Self { header, binding, records, .. } = *self;
        stored.map(|data| Self { header, binding, records, data })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The slots that may be `key`'s: nearly always one if the key is there, none if not.
    /// `records` are the segment's bytes.
    pub(crate) fn candidates<'a>(&'a self, key: &Key, records: &'a [u8]) -> Candidates<'a> {
        let (home, key_bits) = self.binding.place(key);
        Candidates { sidecar: self, records, key_bits, block: home, slots: None }
    }

    /// How many fences there are.
    pub(crate) fn fences(&self) -> usize {
        usize::try_from(self.records.div_ceil(STRIDE as u64)).unwrap_or(usize::MAX)
    }

    /// The offset of record `at * STRIDE`.
    pub(crate) fn fence(&self, at: usize) -> Result<u32, Damaged> {
        let block = 1 + self.header.slot_blocks + len_u32(at / FENCES);
        fence(self.block(block)?, at % FENCES).ok_or(Damaged { block })
    }

    /// Checks every block.
    pub(super) fn check(&self) -> Result<(), Damaged> {
        let fences = u32::try_from(fence_blocks(self.records)).unwrap_or(u32::MAX);
        (0..1 + self.header.slot_blocks + fences).try_for_each(|at| self.block(at).map(drop))
    }

    fn slot_block(&self, number: u32) -> Result<SlotBlock<'_>, Damaged> {
        // What the last slot block spills into is no slot block.
        if number >= self.header.slot_blocks {
            return Err(Damaged { block: number });
        }
        self.block(1 + number).map(SlotBlock)
    }

    fn block(&self, number: u32) -> Result<&[u8], Damaged> {
        let verified = self.raw(number).and_then(|block| self.binding.verified(number, block));
        verified.ok_or(Damaged { block: number })
    }

    /// A block that nobody has verified.
    fn raw(&self, number: u32) -> Option<&[u8]> {
        let start = number as usize * BLOCK_LEN;
        self.data.get(start..start + BLOCK_LEN)
    }
}

/// Iterates over [`Sidecar::candidates`]. Its end is as checked as its items.
pub(crate) struct Candidates<'a> {
    sidecar: &'a Sidecar,
    records: &'a [u8],
    key_bits: u16,
    /// The next block to read.
    block: u32,
    /// What is left of the block being read.
    slots: Option<(SlotBlock<'a>, usize)>,
}

impl<'a> Candidates<'a> {
    /// The next block, verified. The record that its bytes lead to is fetched meanwhile: computing
    /// a CRC takes about as long as memory does.
    fn read_block(&self) -> Result<SlotBlock<'a>, Damaged> {
        if let Some(block) = self.sidecar.raw(1 + self.block) {
            let mut slots = SlotBlock(block).slots();
            if let Some(likely) = slots.find(|slot| slot.key_bits == self.key_bits) {
                fetch(self.records, likely.offset as usize);
            }
        }
        self.sidecar.slot_block(self.block)
    }
}

impl Iterator for Candidates<'_> {
    type Item = Result<Slot, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (block, from) = match self.slots {
                Some(reading) => reading,
                None => match self.read_block() {
                    Ok(block) => (block, 0),
                    Err(damaged) => return Some(Err(damaged)),
                },
            };
            let mut rest = (from..).zip(block.slots().skip(from));
            if let Some((at, slot)) = rest.find(|(_, slot)| slot.key_bits == self.key_bits) {
                self.slots = Some((block, at + 1));
                return Some(Ok(slot));
            }
            if !block.spills() {
                self.slots = Some((block, usize::MAX));
                return None;
            }
            self.slots = None;
            self.block += 1;
        }
    }
}

/// Creates a sidecar's file, whatever is there.
fn create(storage: &dyn Storage, name: &str) -> io::Result<std::sync::Arc<dyn File>> {
    match storage.create(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => storage.create_dir(names::INDEX)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => storage.remove(name)?,
        created => return created,
    }
    storage.create(name)
}

/// Makes the names of new sidecars durable. If that fails, a power loss may take them, and the
/// next open makes them anew.
pub(crate) fn sync_sidecars(storage: &dyn Storage) {
    let _ = storage.sync_dir(names::INDEX);
}
