//! Gives damaged records the checksums that their bytes now have.
//!
//! A fuzzer seldom guesses a CRC; without this it would never get past one. The layouts are those
//! of `docs/format.md` and `docs/trace.md`, found here without the engine's help.

use crate::len_at;

const CRC_LEN: usize = 4;

/// The CRC of the format: IEEE 802.3.
pub fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Reseals a file that ends in a CRC over all before.
pub fn whole(file: &mut [u8]) {
    if let Some(end) = file.len().checked_sub(CRC_LEN) {
        let sum = crc(&file[..end]);
        file[end..].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Reseals the records of a write-ahead log, wherever one begins; with a generation, each is also
/// stamped with that and its own offset.
pub fn log(file: &mut [u8], generation: Option<u32>) {
    let mut at = 0;
    while let Some(found) =
        file.get(at..).and_then(|rest| rest.windows(4).position(|window| window == b"EWAL"))
    {
        let start = at + found;
        let end = len_at(file, start + 7).and_then(|len| len.checked_add(start + 15));
        let Some(record) = end.and_then(|end| file.get_mut(start..end)) else {
            at = start + 1;
            continue;
        };
        if let (Some(generation), true) = (generation, record.len() >= 11 + 20 + CRC_LEN) {
            record[11..15].copy_from_slice(&generation.to_le_bytes());
            record[15..23].copy_from_slice(&(start as u64).to_le_bytes());
        }
        whole(record);
        at = start + record.len();
    }
}

/// Where the records of a segment begin and end, by their lengths alone; the last one ends before
/// what is no record.
pub fn segment_records(file: &[u8]) -> Vec<(usize, usize)> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(len) = len_at(file, at).filter(|len| *len >= 37) {
        let Some(end) = at.checked_add(len).filter(|end| *end <= file.len()) else { break };
        records.push((at, end));
        at = end;
    }
    records
}

/// Reseals the records of a segment.
pub fn segment(file: &mut [u8]) {
    for (start, end) in segment_records(file) {
        whole(&mut file[start..end]);
    }
}

/// Bytes of a trace file before its first record, and of a record's frame.
const TRACE_HEAD: usize = 10;
const FRAME: usize = 8;

/// The checksum of a trace file's record: over its length and its payload.
pub fn trace_sum(len: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(len);
    hasher.update(payload);
    hasher.finalize()
}

/// Where the records of a trace file begin and end, by their lengths alone.
pub fn trace_records(file: &[u8]) -> Vec<(usize, usize)> {
    let mut records = Vec::new();
    let mut at = TRACE_HEAD;
    while let Some(len) = len_at(file, at) {
        let end = at.checked_add(FRAME).and_then(|at| at.checked_add(len));
        let Some(end) = end.filter(|end| *end <= file.len()) else { break };
        records.push((at, end));
        at = end;
    }
    records
}

/// Reseals the records of a trace file.
pub fn trace(file: &mut [u8]) {
    for (start, end) in trace_records(file) {
        let sum = trace_sum(&file[start..start + 4], &file[start + FRAME..end]);
        file[start + 4..start + FRAME].copy_from_slice(&sum.to_le_bytes());
    }
}
