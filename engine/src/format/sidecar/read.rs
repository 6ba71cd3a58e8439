//! Reads sidecars: where a key's record is, and where a run of records begins.

use bytes::Bytes;

use super::{
    BLOCK_LEN, Binding, FENCES, Header, STRIDE, Slot, SlotBlock, fence, fence_blocks, len_u32,
};
use crate::fetch::fetch;
use crate::format::manifest::SegmentInfo;
use crate::ids::{CollectionId, EntityId, Key};

/// A sidecar does not verify. It can be made again from its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged {
    /// The block that shows it, from 0.
    pub block: u32,
}

/// The sidecar of one segment. Every block is checked each time it is read.
#[derive(Debug)]
pub struct Sidecar {
    header: Header,
    binding: Binding,
    records: u64,
    data: Bytes,
}

impl Sidecar {
    /// Reads the header of a sidecar; `None` if it is not that of the segment which MANIFEST
    /// describes so, or has another length than it says.
    pub fn decode(data: Bytes, info: &SegmentInfo) -> Option<Self> {
        let header = Header::of_file(data.get(..BLOCK_LEN)?, data.len() as u64, info)?;
        Some(Self::new(header, info, data))
    }

    /// Offsets in the segment where a record of this entity may be, in bytes: nearly always one
    /// if there is a record, none if not. [`Damaged`] if a block on the way does not verify: then
    /// there may be more.
    pub fn offsets(
        &self,
        collection: CollectionId,
        entity: EntityId,
    ) -> impl Iterator<Item = Result<u32, Damaged>> {
        let slots = self.candidates(&Key { collection, entity }, &[]);
        slots.map(|slot| slot.map(|slot| slot.offset))
    }

    /// How many fences there are: one for the first of every 16 records.
    pub fn fences(&self) -> usize {
        usize::try_from(self.records.div_ceil(STRIDE as u64)).unwrap_or(usize::MAX)
    }

    /// The offset of record `at * 16` in the segment, in bytes.
    ///
    /// # Errors
    /// Its block does not verify, or there is no such fence.
    pub fn fence(&self, at: usize) -> Result<u32, Damaged> {
        if at >= self.fences() {
            return Err(Damaged { block: 1 + self.header.slot_blocks });
        }
        let block = 1 + self.header.slot_blocks + len_u32(at / FENCES);
        fence(self.block(block)?, at % FENCES).ok_or(Damaged { block })
    }

    /// Checks every block.
    ///
    /// # Errors
    /// The first that does not verify.
    pub fn check(&self) -> Result<(), Damaged> {
        let fences = u32::try_from(fence_blocks(self.records)).unwrap_or(u32::MAX);
        (0..1 + self.header.slot_blocks + fences).try_for_each(|at| self.block(at).map(drop))
    }

    /// A sidecar whose header was read from `data` already.
    pub(crate) fn new(header: Header, info: &SegmentInfo, data: Bytes) -> Self {
        Self { header, binding: Binding::new(info), records: info.records, data }
    }

    /// The same sidecar, its bytes somewhere else.
    pub(crate) fn with_data(&self, data: Bytes) -> Self {
        let Self { header, binding, records, .. } = *self;
        Self { header, binding, records, data }
    }

    pub(crate) fn data(&self) -> &Bytes {
        &self.data
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The slots that may be `key`'s: nearly always one if the key is there, none if not.
    /// `records` are the segment's bytes.
    pub(crate) fn candidates<'a>(&'a self, key: &Key, records: &'a [u8]) -> Candidates<'a> {
        let (home, key_bits) = self.binding.place(key);
        Candidates { sidecar: self, records, key_bits, at: At::Block(home) }
    }

    fn slot_block(&self, number: u32) -> Result<SlotBlock<'_>, Damaged> {
        // What the last slot block spills into is no slot block.
        if number >= self.header.slot_blocks {
            return Err(Damaged { block: 1 + number });
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

/// Iterates over [`Sidecar::candidates`]. Its end is as checked as its items; damage ends it.
pub(crate) struct Candidates<'a> {
    sidecar: &'a Sidecar,
    records: &'a [u8],
    key_bits: u16,
    at: At<'a>,
}

/// What comes next.
enum At<'a> {
    /// A slot block that was not read yet.
    Block(u32),
    /// A slot of the block of that number.
    Slot(u32, SlotBlock<'a>, usize),
    End,
}

impl<'a> Candidates<'a> {
    /// A slot block, verified. The record that its bytes lead to is fetched meanwhile: computing a
    /// CRC takes about as long as memory does.
    fn read_block(&self, number: u32) -> Result<SlotBlock<'a>, Damaged> {
        if let Some(block) = self.sidecar.raw(1 + number) {
            let mut slots = SlotBlock(block).slots();
            if let Some(likely) = slots.find(|slot| slot.key_bits == self.key_bits) {
                fetch(self.records, likely.offset as usize);
            }
        }
        self.sidecar.slot_block(number)
    }
}

impl Iterator for Candidates<'_> {
    type Item = Result<Slot, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, block, from) = match std::mem::replace(&mut self.at, At::End) {
                At::Slot(number, block, from) => (number, block, from),
                At::Block(number) => match self.read_block(number) {
                    Ok(block) => (number, block, 0),
                    Err(damaged) => return Some(Err(damaged)),
                },
                At::End => return None,
            };
            let mut rest = (from..).zip(block.slots().skip(from));
            if let Some((at, slot)) = rest.find(|(_, slot)| slot.key_bits == self.key_bits) {
                self.at = At::Slot(number, block, at + 1);
                return Some(Ok(slot));
            }
            if !block.spills() {
                return None;
            }
            self.at = At::Block(number + 1);
        }
    }
}
