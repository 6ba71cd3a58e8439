//! The records of the tiny store's log.
//!
//! ```text
//! record  = length u32 | crc32 u32 | body          all integers little-endian
//! body    = sequence u64 | change*                 `length` counts the body
//! change  = 0 collection u8                        created
//!         | 1 collection u8 | id [16] | content length u32 | content
//!         | 2 collection u8 | id [16]              deleted
//! ```
//!
//! The checksum covers the length and the body, so that zeros are no record.

use bytes::Bytes;
use proofhouse_model::{Collection, Id};

const HEADER: usize = 8;
const CREATE: u8 = 0;
const PUT: u8 = 1;
const DELETE: u8 = 2;

/// One change to the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Change {
    Create(Collection),
    Put(Collection, Id, Bytes),
    Delete(Collection, Id),
}

/// What is logged at once: a transaction, a creation, or the whole store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The sequence of the last commit up to and including this record.
    pub(super) sequence: u64,
    pub(super) changes: Vec<Change>,
}

impl Record {
    /// The bytes of the record; `None` if they are too many to count.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; HEADER];
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        for change in &self.changes {
            match change {
                Change::Create(collection) => bytes.extend_from_slice(&[CREATE, collection.0]),
                Change::Put(collection, id, content) => {
                    bytes.extend_from_slice(&[PUT, collection.0]);
                    bytes.extend_from_slice(&id.0);
                    bytes.extend_from_slice(&u32::try_from(content.len()).ok()?.to_le_bytes());
                    bytes.extend_from_slice(content);
                }
                Change::Delete(collection, id) => {
                    bytes.extend_from_slice(&[DELETE, collection.0]);
                    bytes.extend_from_slice(&id.0);
                }
            }
        }
        let length = u32::try_from(bytes.len() - HEADER).ok()?.to_le_bytes();
        let crc = checksum(length, &bytes[HEADER..]).to_le_bytes();
        bytes[..4].copy_from_slice(&length);
        bytes[4..HEADER].copy_from_slice(&crc);
        Some(bytes)
    }

    /// The record at the start of `bytes`, and what follows; `None` if there is no whole one.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        if checksum(*length, body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (sequence, mut body) = body.split_first_chunk::<8>()?;
        let mut changes = Vec::new();
        while !body.is_empty() {
            let (change, tail) = decode_change(body)?;
            changes.push(change);
            body = tail;
        }
        Some((Self { sequence: u64::from_le_bytes(*sequence), changes }, rest))
    }
}

fn decode_change(bytes: &[u8]) -> Option<(Change, &[u8])> {
    let ([kind, collection], rest) = bytes.split_first_chunk::<2>()?;
    let collection = Collection(*collection);
    if *kind == CREATE {
        return Some((Change::Create(collection), rest));
    }
    let (id, rest) = rest.split_first_chunk::<16>()?;
    match *kind {
        PUT => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            Some((Change::Put(collection, Id(*id), Bytes::copy_from_slice(content)), rest))
        }
        DELETE => Some((Change::Delete(collection, Id(*id)), rest)),
        _ => None,
    }
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(body);
    crc.finalize()
}

#[cfg(test)]
mod tests;
