//! Reads a WAL after an unclean end and tells a torn tail from corruption.
//!
//! With *n* the last complete commit, a **break** is where no valid record of this generation and
//! offset begins. A torn batch was never acknowledged, and nothing was written after it, because
//! a batch is written only after the sync of the one before returned. So a valid record after the
//! break that was written when a commit above *n* was already synced proves that acknowledged
//! bytes are damaged: `Corrupt`. Without one, everything from the break on is dropped.

use bytes::Bytes;
use memchr::memmem;

use super::window::Window;
use super::writer::Write;
use crate::error::{Error, IoContext, Result};
use crate::format::names;
use crate::format::wal::{
    Body, HEADER_LEN, MAGIC, NoRecord, Record, STAMP_LEN, Stamp, decode, record_len,
};
use crate::ids::{CollectionId, Key};
use crate::storage::Storage;

/// Reads the WAL of a generation, which must begin at cut `cut`, and hands every complete commit
/// to `apply`, in order. The answer is the sequence of the last one, or the cut if there is none.
///
/// `known` tells whether a collection exists.
///
/// # Errors
/// `Corrupt` as described for this module; the medium's errors.
pub(crate) fn scan(
    storage: &dyn Storage,
    generation: u32,
    cut: u64,
    known: &dyn Fn(CollectionId) -> bool,
    apply: &mut dyn FnMut(u64, Vec<Write>),
) -> Result<u64> {
    let name = names::wal(generation);
    let file = match storage.open(&name) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::corrupt(name, 0_u64, "MANIFEST names this WAL: it is missing"));
        }
        opened => opened.at("open WAL", &name)?,
    };
    let window = Window::new(&*file).at("read length of WAL", &name)?;
    let mut scanner = Scanner { name, generation, window, known, at: 0, last: cut, synced_to: cut };
    scanner.first_record(cut)?;
    let mut end = scanner.at;
    while let Some(writes) = scanner.transaction()? {
        end = scanner.at;
        apply(scanner.last, writes);
    }
    scanner.reject_records_after(end)?;
    Ok(scanner.last)
}

struct Scanner<'a> {
    name: String,
    generation: u32,
    window: Window<'a>,
    known: &'a dyn Fn(CollectionId) -> bool,
    /// Position of the next record.
    at: u64,
    /// Last complete commit.
    last: u64,
    /// Largest `synced_to` so far.
    synced_to: u64,
}

/// An owned [`Body`], as far as a WAL of this engine may hold it.
enum Step {
    Begin(u64),
    Write(u64, Write),
    Commit(u64, u64),
}

impl Scanner<'_> {
    fn first_record(&mut self, cut: u64) -> Result<()> {
        let bytes = self.record_at(0)?.unwrap_or_default();
        let Some(record) = self.decoded(0, &bytes)? else {
            return Err(self.corrupt(0, "the first record is damaged"));
        };
        let synced_to = record.stamp.map_or(0, |stamp| stamp.synced_to);
        let Body::Checkpoint { cut: found, reserved: Some(reserved) } = record.body else {
            return Err(self.corrupt(0, "the first record is not a checkpoint"));
        };
        if found != cut {
            let what = format!("begins at cut {found} where sequence {cut} was reached");
            return Err(self.corrupt(0, what));
        }
        if synced_to != cut {
            let what = format!("claims that commit {synced_to} was synced, at cut {cut}");
            return Err(self.corrupt(0, what));
        }
        let file_len = self.window.len();
        if file_len < reserved {
            let what = format!("the file has {file_len} bytes of {reserved} reserved");
            return Err(self.corrupt(file_len, what));
        }
        self.at = bytes.len() as u64;
        Ok(())
    }

    /// The next complete transaction; `None` at a break. Leaves `at` after its COMMIT.
    fn transaction(&mut self) -> Result<Option<Vec<Write>>> {
        // No commit can follow the last sequence there is.
        let Some(sequence) = self.last.checked_add(1) else { return Ok(None) };
        let mut writes: Vec<Write> = Vec::new();
        let mut begun = false;
        loop {
            let start = self.at;
            let Some(step) = self.step()? else { return Ok(None) };
            match step {
                Step::Begin(txid) if !begun && txid == sequence => begun = true,
                Step::Write(txid, write) if begun && txid == sequence => {
                    if writes.last().is_some_and(|(last, _)| *last >= write.0) {
                        return Err(self.corrupt(start, "writes out of (collection, entity) order"));
                    }
                    if !(self.known)(write.0.collection) {
                        let what = format!("no collection {} in MANIFEST", write.0.collection);
                        return Err(self.corrupt(start, what));
                    }
                    writes.push(write);
                }
                Step::Commit(txid, found)
                    if !writes.is_empty() && txid == sequence && found == sequence =>
                {
                    self.last = sequence;
                    return Ok(Some(writes));
                }
                _ => {
                    let what = format!("valid record out of place while reading commit {sequence}");
                    return Err(self.corrupt(start, what));
                }
            }
        }
    }

    /// Reads the record at `at` and moves behind it; `None` at a break.
    fn step(&mut self) -> Result<Option<Step>> {
        let start = self.at;
        let Some(bytes) = self.record_at(start)? else { return Ok(None) };
        let Some(record) = self.decoded(start, &bytes)? else { return Ok(None) };
        let synced_to = record.stamp.map_or(0, |stamp| stamp.synced_to);
        let step = match record.body {
            Body::Begin { txid } => Some(Step::Begin(txid)),
            Body::Put { txid, collection, entity, before: None, after } => {
                let content = bytes.slice_ref(after);
                Some(Step::Write(txid, (Key { collection, entity }, Some(content))))
            }
            Body::Delete { txid, collection, entity, before: None } => {
                Some(Step::Write(txid, (Key { collection, entity }, None)))
            }
            Body::Commit { txid, sequence } => Some(Step::Commit(txid, sequence)),
            _ => None,
        };
        if step.is_none() {
            return Err(self.corrupt(start, "a record of a kind this engine never writes there"));
        }
        if synced_to < self.synced_to || synced_to > self.last {
            let what = format!("claims that commit {synced_to} was synced, after {}", self.last);
            return Err(self.corrupt(start, what));
        }
        self.synced_to = synced_to;
        self.at += bytes.len() as u64;
        Ok(step)
    }

    /// The bytes of the record that begins at `offset`, as its header tells their length.
    fn record_at(&mut self, offset: u64) -> Result<Option<Bytes>> {
        let header = self.window.get(offset, HEADER_LEN).at("read WAL", &self.name)?;
        match header.and_then(|header| record_len(&header).ok()) {
            Some(len) => self.window.get(offset, len).at("read WAL", &self.name),
            None => Ok(None),
        }
    }

    /// The valid record of this generation that these bytes at `offset` are.
    ///
    /// # Errors
    /// `Corrupt` if its type is unknown: MANIFEST says that no newer version wrote here.
    fn decoded<'b>(&self, offset: u64, bytes: &'b [u8]) -> Result<Option<Record<'b>>> {
        let ours = |stamp: Stamp| stamp.generation == self.generation && stamp.offset == offset;
        match decode(bytes) {
            Ok((record, _)) if record.stamp.is_some_and(ours) => Ok(Some(record)),
            Err(NoRecord::Unknown { kind, stamp }) if ours(stamp) => {
                let what =
                    format!("a valid record of type {kind}, which this version does not know");
                Err(Error::corrupt(&self.name, offset, what))
            }
            Ok(_) | Err(NoRecord::Short | NoRecord::Invalid | NoRecord::Unknown { .. }) => Ok(None),
        }
    }

    /// The one rule that tells corruption from a torn tail.
    fn reject_records_after(&mut self, end: u64) -> Result<()> {
        let break_at = self.at;
        let mut from = break_at + 1;
        loop {
            let chunk = self.window.chunk(from).at("read WAL", &self.name)?;
            if chunk.len() < HEADER_LEN + STAMP_LEN {
                return Ok(());
            }
            // The last bytes of a chunk are looked at again in the next one.
            let next = from + (chunk.len() - (MAGIC.len() - 1)) as u64;
            let found: Vec<u64> =
                memmem::find_iter(&chunk, &MAGIC).map(|at| from + at as u64).collect();
            for offset in found {
                if self.proves_loss(offset)? {
                    let what = format!(
                        "no valid record here, but one at {offset} was written after it was \
                         synced; the last whole commit, {}, ends at {end}",
                        self.last
                    );
                    return Err(self.corrupt(break_at, what));
                }
            }
            from = next;
        }
    }

    fn proves_loss(&mut self, offset: u64) -> Result<bool> {
        // The stamp is compared before the CRC is computed: payloads may hold many "EWAL".
        let head = self.window.get(offset, HEADER_LEN + STAMP_LEN).at("read WAL", &self.name)?;
        let Some(head) = head else { return Ok(false) };
        let mut fields = crate::format::Fields::new(&head[HEADER_LEN..]);
        let claims = fields.u32() == Some(self.generation)
            && fields.u64() == Some(offset)
            && fields.u64().is_some_and(|synced_to| synced_to > self.last);
        if !claims {
            return Ok(false);
        }
        let bytes = self.record_at(offset)?.unwrap_or_default();
        Ok(self.decoded(offset, &bytes)?.is_some())
    }

    fn corrupt(&self, offset: u64, what: impl Into<String>) -> Error {
        Error::corrupt(&self.name, offset, what)
    }
}

#[cfg(test)]
mod tests;
