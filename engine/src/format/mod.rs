//! The bytes on disk: record and file layouts, without any I/O.
//!
//! `docs/format.md` is the specification; every integer is little-endian, every CRC is CRC-32
//! (IEEE 802.3, reflected polynomial 0xEDB88320).

pub mod manifest;
pub mod names;
pub mod segment;
pub mod sidecar;
pub mod wal;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crc32fast::Hasher;

/// Bytes of a CRC at the end of a record or file.
pub(crate) const CRC_LEN: usize = 4;

/// A hasher that has seen nothing. Making one asks what the processor can do, which takes as long
/// as some sixty bytes.
static FRESH: LazyLock<Hasher> = LazyLock::new(Hasher::new);

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = FRESH.clone();
    hasher.update(bytes);
    hasher.finalize()
}

/// Appends the CRC of everything in `out` from `start` on.
pub(crate) fn push_crc(out: &mut Vec<u8>, start: usize) {
    let sum = crc(&out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// A length as the format stores it. Limits are checked before anything is encoded.
#[expect(clippy::cast_possible_truncation, reason = "limits keep lengths below 4 GiB")]
pub(crate) const fn len_u32(len: usize) -> u32 {
    debug_assert!(len <= u32::MAX as usize);
    len as u32
}

/// A short length as the format stores it. Limits are checked before anything is encoded.
#[expect(clippy::cast_possible_truncation, reason = "limits keep these lengths below 64 KiB")]
pub(crate) const fn len_u16(len: usize) -> u16 {
    debug_assert!(len <= u16::MAX as usize);
    len as u16
}

/// Reads little-endian fields; every read checks the bytes that are left.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Position of the next field.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The bytes that are left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.at += len;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        self.at += N;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A byte that is 0 or 1.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}
