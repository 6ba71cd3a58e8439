//! Sidecars: where the records of one sealed segment are.
//!
//! A sidecar is derived from its segment and can be made again from it. It is nothing but blocks
//! of 256 bytes, each ending in a CRC:
//!
//! ```text
//! header:  "ESDX" | version u16 = 1 | 0 u16 | digest [32] | records u64 | slot_blocks u32
//!          | min_sequence u64 | max_sequence u64 | tombstones u64 | first key [20] | last key [20]
//!          | 0*
//! slots:   { offset u32 | key_bits u16 | crc_bits u16 }*31 | used u8 | spills u8 | 0 u16
//! fences:  { offset u32 }*63
//! ```
//!
//! The CRC of a block continues from that of the segment's digest, which the block's number was
//! folded into by exclusive or: a block of another segment, or from another place, does not
//! verify. A key is collection u32, entity (16 bytes).
//!
//! The hash of a key is XXH3-64 of its 20 bytes, seeded with the first eight bytes of the digest.
//! Its high half names the key's home among the slot blocks, its low 16 bits are `key_bits`. A
//! block that is full spills into the next one. Fences are the offsets of every 16th record.

mod read;

pub use read::{Damaged, Sidecar};

use super::{CRC_LEN, Fields, len_u32};
use crate::format::manifest::SegmentInfo;
use crate::ids::{CollectionId, EntityId, Key};

/// Bytes of a block, its CRC included.
pub(crate) const BLOCK_LEN: usize = 256;
/// Bytes of a block that its CRC covers.
pub(crate) const COVERED_LEN: usize = BLOCK_LEN - CRC_LEN;
/// Records a slot block holds at most.
pub(crate) const SLOTS: usize = 31;
/// Offsets a fence block holds.
pub(crate) const FENCES: usize = COVERED_LEN / 4;
/// From one fence to the next, in records.
pub(crate) const STRIDE: usize = 16;

/// Records a slot block holds on average: four fifths of its room. With more, many spill.
const SLOTS_FILLED: u64 = 25;
const SLOT_LEN: usize = 8;
const USED_AT: usize = SLOTS * SLOT_LEN;
const MAGIC: [u8; 4] = *b"ESDX";
const VERSION: u16 = 1;

/// Where a record is, and enough of its key and CRC to tell others from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) offset: u32,
    pub(crate) key_bits: u16,
    pub(crate) crc_bits: u16,
}

/// What a sidecar knows of its whole segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) slot_blocks: u32,
    pub(crate) min_sequence: u64,
    pub(crate) max_sequence: u64,
    pub(crate) tombstones: u64,
    pub(crate) first: Key,
    pub(crate) last: Key,
}

/// What binds the blocks of a sidecar to its segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding {
    hash_seed: u64,
    crc_seed: u32,
    homes: u64,
}

impl Binding {
    pub(crate) fn new(info: &SegmentInfo) -> Self {
        let hash_seed = info.digest.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
        let homes = info.records.div_ceil(SLOTS_FILLED).max(1);
        Self { hash_seed, crc_seed: super::crc(&info.digest), homes }
    }

    /// Slot blocks that are some key's home; those after them hold what spilled.
    pub(crate) fn homes(&self) -> u64 {
        self.homes
    }

    /// A key's home among the slot blocks, and its key bits.
    #[expect(clippy::cast_possible_truncation, reason = "homes and bits are parts of the hash")]
    pub(crate) fn place(&self, key: &Key) -> (u32, u16) {
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(&key_bytes(key), self.hash_seed);
        ((((hash >> 32) * self.homes) >> 32) as u32, hash as u16)
    }

    /// The CRC that block `number` must end in.
    pub(crate) fn sum(&self, number: u32, covered: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc_seed ^ number);
        hasher.update(covered);
        hasher.finalize()
    }

    /// Fills up a block and appends it with its CRC.
    pub(crate) fn push_block(&self, mut block: Vec<u8>, out: &mut Vec<u8>) {
        block.resize(COVERED_LEN, 0);
        let number = len_u32(out.len() / BLOCK_LEN);
        let sum = self.sum(number, &block);
        out.extend_from_slice(&block);
        out.extend(sum.to_le_bytes());
    }

    /// The content of block `number`, if it verifies.
    pub(crate) fn verified<'a>(&self, number: u32, block: &'a [u8]) -> Option<&'a [u8]> {
        let (covered, sum) = block.split_last_chunk::<CRC_LEN>()?;
        (self.sum(number, covered) == u32::from_le_bytes(*sum)).then_some(covered)
    }
}

/// Fence blocks that a segment of so many records needs.
pub(crate) fn fence_blocks(records: u64) -> u64 {
    records.div_ceil(STRIDE as u64).div_ceil(FENCES as u64)
}

impl Header {
    pub(crate) fn encode(&self, info: &SegmentInfo) -> Vec<u8> {
        let mut out = Vec::with_capacity(BLOCK_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend(u32::from(VERSION).to_le_bytes());
        out.extend_from_slice(&info.digest);
        out.extend(info.records.to_le_bytes());
        out.extend(self.slot_blocks.to_le_bytes());
        out.extend(self.min_sequence.to_le_bytes());
        out.extend(self.max_sequence.to_le_bytes());
        out.extend(self.tombstones.to_le_bytes());
        out.extend_from_slice(&key_bytes(&self.first));
        out.extend_from_slice(&key_bytes(&self.last));
        out
    }

    /// Reads a header block; `None` if it is not that of the segment `info` describes.
    pub(crate) fn decode(block: &[u8], info: &SegmentInfo) -> Option<Self> {
        let mut fields = Fields::new(Binding::new(info).verified(0, block)?);
        let ours = fields.array() == Some(MAGIC)
            && fields.u32() == Some(VERSION.into())
            && fields.array() == Some(info.digest)
            && fields.u64() == Some(info.records);
        if !ours {
            return None;
        }
        Some(Self {
            slot_blocks: fields.u32()?,
            min_sequence: fields.u64()?,
            max_sequence: fields.u64()?,
            tombstones: fields.u64()?,
            first: key(&mut fields)?,
            last: key(&mut fields)?,
        })
    }

    /// Reads the header block of a file of `len` bytes; `None`, too, if that is another length than
    /// the header says.
    pub(crate) fn of_file(block: &[u8], len: u64, info: &SegmentInfo) -> Option<Self> {
        Self::decode(block, info).filter(|header| header.file_len(info) == len)
    }

    /// Bytes of the whole sidecar.
    pub(crate) fn file_len(&self, info: &SegmentInfo) -> u64 {
        (1 + u64::from(self.slot_blocks) + fence_blocks(info.records)) * BLOCK_LEN as u64
    }
}

/// Encodes a slot block. `spills` says that a search must go on in the next one.
pub(crate) fn encode_slots(slots: &[Slot], spills: bool) -> Vec<u8> {
    debug_assert!(slots.len() <= SLOTS);
    let mut out = Vec::with_capacity(BLOCK_LEN);
    for slot in slots {
        out.extend(slot.offset.to_le_bytes());
        out.extend(slot.key_bits.to_le_bytes());
        out.extend(slot.crc_bits.to_le_bytes());
    }
    out.resize(USED_AT, 0);
    #[expect(clippy::cast_possible_truncation, reason = "at most SLOTS")]
    out.extend([slots.len() as u8, u8::from(spills)]);
    out
}

/// A slot block's content, verified.
#[derive(Clone, Copy)]
pub(crate) struct SlotBlock<'a>(pub(crate) &'a [u8]);

impl<'a> SlotBlock<'a> {
    /// The slots in use, in order.
    pub(crate) fn slots(self) -> impl Iterator<Item = Slot> + 'a {
        let used = usize::from(self.0[USED_AT]).min(SLOTS);
        let (slots, _) = self.0[..used * SLOT_LEN].as_chunks::<SLOT_LEN>();
        slots.iter().map(|[a, b, c, d, e, f, g, h]| Slot {
            offset: u32::from_le_bytes([*a, *b, *c, *d]),
            key_bits: u16::from_le_bytes([*e, *f]),
            crc_bits: u16::from_le_bytes([*g, *h]),
        })
    }

    /// Whether a search must go on in the next block.
    pub(crate) fn spills(self) -> bool {
        self.0[USED_AT + 1] != 0
    }
}

/// An offset in a fence block's content.
pub(crate) fn fence(covered: &[u8], at: usize) -> Option<u32> {
    covered.as_chunks::<4>().0.get(at).map(|offset| u32::from_le_bytes(*offset))
}

fn key_bytes(key: &Key) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&key.collection.get().to_le_bytes());
    bytes[4..].copy_from_slice(key.entity.as_bytes());
    bytes
}

fn key(fields: &mut Fields<'_>) -> Option<Key> {
    let collection = CollectionId::new(fields.u32()?);
    Some(Key { collection, entity: EntityId::new(fields.array()?) })
}

#[cfg(test)]
mod tests;
