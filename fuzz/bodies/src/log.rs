//! A second reader of write-ahead logs, written from `docs/format.md` §4 alone, for being obviously
//! right. It shares nothing with the engine's.

use std::collections::BTreeMap;

use crate::reseal::crc;

const HEADER: usize = 11;
const STAMP: usize = 20;
const CRC: usize = 4;
const PAYLOAD_MAX: usize = (64 << 20) + 128;

/// One write: where, which, and the content, or `None` for a deletion.
pub type Write = ((u32, [u8; 16]), Option<Vec<u8>>);

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Complete commits, in order.
    pub commits: Vec<Vec<Write>>,
    /// Where the first record ends.
    pub begins: usize,
    /// Where no valid record of this log begins.
    pub broken_at: usize,
    /// The writes of the transaction that was never completed, and its `synced_to`.
    pub open: Option<(Vec<Write>, u64)>,
}

impl Log {
    /// The last complete commit, of a log that begins after `cut`.
    pub fn last(&self, cut: u64) -> u64 {
        cut + self.commits.len() as u64
    }

    /// What the first `count` commits make of an empty store.
    pub fn entities(&self, count: usize) -> BTreeMap<(u32, [u8; 16]), Vec<u8>> {
        let mut entities = BTreeMap::new();
        for (key, content) in self.commits.iter().take(count).flatten() {
            match content {
                Some(content) => entities.insert(*key, content.clone()),
                None => entities.remove(key),
            };
        }
        entities
    }
}

/// Acknowledged bytes are damaged, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt(pub &'static str);

/// A valid record of this log.
struct Record {
    len: usize,
    synced_to: u64,
    body: Body,
}

enum Body {
    Begin(u64),
    Write(u64, Write),
    Commit(u64, u64),
    Checkpoint(u64, u64),
    /// Valid, and nothing that belongs there.
    Strange,
}

/// Reads the log of a generation that begins after commit `cut`, in a store of these collections.
///
/// # Errors
/// [`Corrupt`] by one of the rules of the section "Torn or corrupt?".
pub fn read(file: &[u8], generation: u32, cut: u64, known: &[u32]) -> Result<Log, Corrupt> {
    let first = record(file, 0, generation).ok_or(Corrupt("no first record"))?;
    match first.body {
        Body::Checkpoint(found, reserved) => {
            if found != cut || first.synced_to != cut {
                return Err(Corrupt("another cut"));
            }
            if reserved > file.len() as u64 {
                return Err(Corrupt("shorter than reserved"));
            }
        }
        _ => return Err(Corrupt("the first record is no checkpoint")),
    }
    let (begins, mut at) = (first.len, first.len);
    let mut log = Log { commits: Vec::new(), begins, broken_at: at, open: None };
    let mut synced_to = cut;
    // The last commit there is ends a log as a break does.
    while log.last(cut) < u64::MAX
        && let Some(found) = record(file, at, generation)
    {
        let last = log.last(cut);
        if found.synced_to < synced_to || found.synced_to > last {
            return Err(Corrupt("a synced_to that falls, or is ahead"));
        }
        synced_to = found.synced_to;
        at += found.len;
        step(&mut log, found, last + 1, known)?;
    }
    log.broken_at = at;
    let last = log.last(cut);
    let ahead = |at: &usize| record(file, *at, generation).is_some_and(|it| it.synced_to > last);
    if places(file, at + 1).any(|at| ahead(&at)) {
        return Err(Corrupt("a record after the break knows of a later sync"));
    }
    Ok(log)
}

/// The grammar: BEGIN, writes in ascending order, COMMIT.
fn step(log: &mut Log, found: Record, due: u64, known: &[u32]) -> Result<(), Corrupt> {
    match (found.body, &mut log.open) {
        (Body::Begin(txid), None) if txid == due => {
            log.open = Some((Vec::new(), found.synced_to));
        }
        (Body::Write(txid, write), Some((writes, _))) if txid == due => {
            if writes.last().is_some_and(|(key, _)| *key >= write.0) {
                return Err(Corrupt("writes out of order"));
            }
            if !known.contains(&write.0.0) {
                return Err(Corrupt("an unknown collection"));
            }
            writes.push(write);
        }
        (Body::Commit(txid, sequence), Some((writes, _)))
            if txid == due && sequence == due && !writes.is_empty() =>
        {
            log.commits.push(std::mem::take(writes));
            log.open = None;
        }
        _ => return Err(Corrupt("a record out of place")),
    }
    Ok(())
}

/// How many valid records of this log there are, at any place.
pub fn count(file: &[u8], generation: u32) -> usize {
    places(file, 0).filter(|at| record(file, *at, generation).is_some()).count()
}

/// How many valid records follow one another from the beginning.
pub fn chained(file: &[u8], generation: u32) -> usize {
    let (mut at, mut records) = (0, 0);
    while let Some(found) = record(file, at, generation) {
        at += found.len;
        records += 1;
    }
    records
}

/// Where the magic stands, from an offset on.
fn places(file: &[u8], from: usize) -> impl Iterator<Item = usize> + '_ {
    let rest = file.get(from..).unwrap_or_default();
    rest.windows(4).enumerate().filter(|(_, it)| *it == b"EWAL").map(move |(at, _)| from + at)
}

/// The valid record of this generation that stands at its own offset.
fn record(file: &[u8], at: usize, generation: u32) -> Option<Record> {
    let mut rest = file.get(at..)?;
    let whole = rest;
    if take::<4>(&mut rest)? != *b"EWAL" {
        return None;
    }
    let (version, [kind]) = (u16::from_le_bytes(take(&mut rest)?), take::<1>(&mut rest)?);
    let len = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
    // A record of version 1 has no stamp: it is of no generation.
    if version != 2 || !(STAMP..=PAYLOAD_MAX).contains(&len) {
        return None;
    }
    let end = HEADER + len;
    let sum = whole.get(end..end + CRC)?;
    if sum != crc(&whole[..end]).to_le_bytes() {
        return None;
    }
    let mut fields = &whole[HEADER..end];
    let stamped = u32::from_le_bytes(take(&mut fields)?);
    let (offset, synced_to) = (number(&mut fields)?, number(&mut fields)?);
    if stamped != generation || offset != at as u64 {
        return None;
    }
    let body = body(kind, &mut fields)?;
    fields.is_empty().then_some(Record { len: end + CRC, synced_to, body })
}

fn body(kind: u8, fields: &mut &[u8]) -> Option<Body> {
    Some(match kind {
        1 => Body::Begin(number(fields)?),
        2 | 3 => {
            let txid = number(fields)?;
            let collection = u32::from_le_bytes(take(fields)?);
            let entity = take(fields)?;
            let hashed = match take(fields)? {
                [0] => false,
                [1] => take::<32>(fields).map(|_| true)?,
                _ => return None,
            };
            let content = if kind == 2 { Some(blob(fields)?) } else { None };
            let write = ((collection, entity), content);
            if hashed { Body::Strange } else { Body::Write(txid, write) }
        }
        4 => Body::Commit(number(fields)?, number(fields)?),
        5 => number(fields).map(|_| Body::Strange)?,
        6 => Body::Checkpoint(number(fields)?, number(fields)?),
        // An unknown type: whatever fields it has.
        _ => {
            *fields = &[];
            Body::Strange
        }
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn blob(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let len = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken.to_vec())
}
