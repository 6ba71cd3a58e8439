//! Writes trace files.

use std::io::{self, Write};

use super::{MAGIC, Tag, VERSION};
use crate::trace::{MicroOp, SyncKind, Trace};
use crate::tree::Ino;

/// Writes a trace. Equal traces become equal bytes.
///
/// # Errors
/// Whatever the writer says; [`io::ErrorKind::InvalidInput`] for a write of 4 GiB or more.
pub fn write_trace(trace: &Trace, to: impl Write) -> io::Result<()> {
    let mut records = Records { to, count: 0, payload: Vec::new() };
    records.to.write_all(&MAGIC)?;
    records.to.write_all(&VERSION.to_le_bytes())?;
    records.put(Tag::Head, &[trace.acked_before, trace.issued_before], &[])?;
    let base = &trace.base;
    for dir in base.all_dirs().filter(|dir| *dir != Ino::ROOT) {
        records.put(Tag::Dir, &[dir.0], &[])?;
    }
    for (ino, content) in base.all_files() {
        records.put(Tag::File, &[ino.0, content.len()], &[])?;
        for (offset, bytes) in content.extents() {
            records.put(Tag::Extent, &[offset], bytes)?;
        }
    }
    for (dir, name, ino) in base.all_entries() {
        records.put(Tag::Entry, &[dir.0, ino.0], name.as_bytes())?;
    }
    records.put(Tag::Carried, &[], &[])?;
    trace.carried.iter().try_for_each(|op| records.op(op))?;
    records.put(Tag::Ops, &[], &[])?;
    trace.ops.iter().try_for_each(|op| records.op(op))?;
    records.put(Tag::End, &[records.count], &[])?;
    records.to.flush()
}

struct Records<W> {
    to: W,
    /// Records written.
    count: u64,
    payload: Vec<u8>,
}

impl<W: Write> Records<W> {
    fn op(&mut self, op: &MicroOp) -> io::Result<()> {
        match op {
            MicroOp::Write { ino, offset, data } => self.put(Tag::Write, &[ino.0, *offset], data),
            MicroOp::SetLen { ino, len } => self.put(Tag::SetLen, &[ino.0, *len], &[]),
            MicroOp::Link { dir, name, ino } => {
                self.put(Tag::Link, &[dir.0, ino.0], name.as_bytes())
            }
            MicroOp::MakeDir { dir, name, ino } => {
                self.put(Tag::MakeDir, &[dir.0, ino.0], name.as_bytes())
            }
            MicroOp::Unlink { dir, name, ino } => {
                self.put(Tag::Unlink, &[dir.0, ino.0], name.as_bytes())
            }
            MicroOp::Rename { from_dir, from, to_dir, to, ino } => {
                let numbers = [from_dir.0, to_dir.0, ino.0, from.len() as u64];
                self.put(Tag::Rename, &numbers, &[from.as_bytes(), to.as_bytes()].concat())
            }
            MicroOp::Sync { ino, kind: SyncKind::Data } => self.put(Tag::SyncData, &[ino.0], &[]),
            MicroOp::Sync { ino, kind: SyncKind::Full } => self.put(Tag::SyncFull, &[ino.0], &[]),
            MicroOp::SyncDir { dir } => self.put(Tag::SyncDir, &[dir.0], &[]),
            MicroOp::Issue { event } => self.put(Tag::Issue, &[*event], &[]),
            MicroOp::Ack { event } => self.put(Tag::Ack, &[*event], &[]),
            MicroOp::Shown { event } => self.put(Tag::Shown, &[*event], &[]),
        }
    }

    /// One record: length, checksum, tag, numbers, bytes.
    fn put(&mut self, tag: Tag, numbers: &[u64], bytes: &[u8]) -> io::Result<()> {
        self.payload.clear();
        self.payload.push(tag as u8);
        for number in numbers {
            self.payload.extend(number.to_le_bytes());
        }
        self.payload.extend(bytes);
        let len = u32::try_from(self.payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let len = len.to_le_bytes();
        self.to.write_all(&len)?;
        self.to.write_all(&checksum(len, &self.payload).to_le_bytes())?;
        self.to.write_all(&self.payload)?;
        self.count += 1;
        Ok(())
    }
}

/// CRC-32 (IEEE) over length and payload.
pub(super) fn checksum(len: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len);
    hasher.update(payload);
    hasher.finalize()
}
