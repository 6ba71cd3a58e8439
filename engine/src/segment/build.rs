//! Makes a sidecar from its segment, checking all of the segment on the way.

use crate::error::Result;
use crate::format::len_u32;
use crate::format::sidecar::{
    BLOCK_LEN, Binding, FENCES, Header, SLOTS, STRIDE, Sidecar, Slot, encode_slots, fence_blocks,
};

use super::cursor::Forward;
use super::reader::{Found, Segment};

/// A slot on its way to its block.
struct Entry {
    home: u32,
    slot: Slot,
}

impl Segment {
    /// Reads the whole segment, checks it against what MANIFEST says (every record's CRC, order,
    /// count, digest, and that no sequence is out of range) and makes its sidecar, in memory.
    ///
    /// # Errors
    /// `Corrupt` for any difference.
    pub(super) fn build_sidecar(&self) -> Result<Sidecar> {
        let info = self.info();
        let binding = Binding::new(info);
        let mut records = Forward::whole();
        let mut entries = Vec::new();
        let mut fences = Vec::new();
        let mut facts: Option<Header> = None;
        let mut offset = 0;
        while let Some(record) = records.read(self)? {
            let (home, key_bits) = binding.place(&record.key);
            if entries.len().is_multiple_of(STRIDE) {
                fences.push(offset);
            }
            #[expect(clippy::cast_possible_truncation, reason = "sixteen bits of the CRC")]
            let slot = Slot { offset, key_bits, crc_bits: record.crc as u16 };
            entries.push(Entry { home, slot });
            note(&mut facts, &record);
            offset = len_u32(records.at());
        }
        let Some(mut header) = facts else { return Err(self.corrupt(0, "no records")) };
        let mut data = vec![0; BLOCK_LEN];
        header.slot_blocks = push_slots(entries, &binding, &mut data);
        for block in fences.chunks(FENCES) {
            binding.push_block(block.iter().flat_map(|at| at.to_le_bytes()).collect(), &mut data);
        }
        let mut head = Vec::with_capacity(BLOCK_LEN);
        binding.push_block(header.encode(info), &mut head);
        data[..BLOCK_LEN].copy_from_slice(&head);
        debug_assert_eq!(data.len() as u64, header.file_len(info));
        debug_assert_eq!(fences.len().div_ceil(FENCES) as u64, fence_blocks(info.records));
        Ok(Sidecar::new(header, info, data.into()))
    }
}

/// Widens what is known of the segment by one record, read in ascending order.
fn note(facts: &mut Option<Header>, record: &Found) {
    let facts = facts.get_or_insert(Header {
        slot_blocks: 0,
        min_sequence: record.sequence,
        max_sequence: record.sequence,
        tombstones: 0,
        first: record.key,
        last: record.key,
    });
    facts.min_sequence = facts.min_sequence.min(record.sequence);
    facts.max_sequence = facts.max_sequence.max(record.sequence);
    facts.tombstones += u64::from(record.is_tombstone());
    facts.last = record.key;
}

/// Puts each slot into its home block, or the first one after it with room, and answers how many
/// blocks that took.
fn push_slots(mut entries: Vec<Entry>, binding: &Binding, out: &mut Vec<u8>) -> u32 {
    // Offsets differ, so the order, and with it every byte, follows from the segment alone.
    entries.sort_unstable_by_key(|entry| (entry.home, entry.slot.offset));
    let mut rest = entries.into_iter().peekable();
    let mut block = 0;
    let mut slots = Vec::with_capacity(SLOTS);
    while u64::from(block) < binding.homes() || rest.peek().is_some() {
        while slots.len() < SLOTS
            && let Some(entry) = rest.next_if(|entry| entry.home <= block)
        {
            slots.push(entry.slot);
        }
        let spills = rest.peek().is_some_and(|entry| entry.home <= block);
        binding.push_block(encode_slots(&slots, spills), out);
        slots.clear();
        block += 1;
    }
    block
}
