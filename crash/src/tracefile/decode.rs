//! Reads trace files, trusting nothing.

use std::io::{self, Read};

use bytes::Bytes;

use super::check::Checker;
use super::encode::checksum;
use super::{MAGIC, Tag, VERSION};
use crate::trace::{MicroOp, SyncKind, Trace};
use crate::tree::{Ino, Name, Tree};

/// Why a trace file was refused.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    /// It could not be read.
    #[error("the trace cannot be read")]
    Io(#[from] io::Error),
    /// It does not begin like one.
    #[error("byte 0: not a trace file")]
    Foreign,
    /// It has a version we do not know.
    #[error("byte 8: a trace of version {found}, newer than version {VERSION}")]
    Newer {
        /// Its version.
        found: u16,
    },
    /// It is cut short, damaged, or says what no trace says.
    #[error("byte {position}: {reason}")]
    Broken {
        /// Where the record in question begins, from the start of the file.
        position: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads a trace written by [`write_trace`](super::write_trace), and nothing after it.
///
/// # Errors
/// [`TraceFileError`]; the first thing that is wrong.
pub fn read_trace(from: impl Read) -> Result<Trace, TraceFileError> {
    let mut records = Records { from, position: 0, count: 0 };
    records.header()?;
    let mut reader = Reader {
        trace: Trace {
            base: Tree::new(),
            carried: Vec::new(),
            ops: Vec::new(),
            acked_before: 0,
            issued_before: 0,
        },
        checker: Checker::new(),
        part: Part::Head,
        file: None,
    };
    while reader.part != Part::Done {
        let position = records.position;
        let count = records.count;
        let payload = records.next()?;
        reader
            .record(&payload, count)
            .map_err(|reason| TraceFileError::Broken { position, reason })?;
    }
    records.nothing_more()?;
    Ok(reader.trace)
}

struct Records<R> {
    from: R,
    /// Where the next record begins.
    position: u64,
    /// Records read.
    count: u64,
}

impl<R: Read> Records<R> {
    fn header(&mut self) -> Result<(), TraceFileError> {
        let magic = self.bytes(MAGIC.len() as u64)?;
        if magic != MAGIC {
            return Err(TraceFileError::Foreign);
        }
        let version = self.bytes(2)?;
        let version = <[u8; 2]>::try_from(&version[..]).map_err(|_| self.broken(CUT_SHORT))?;
        match u16::from_le_bytes(version) {
            VERSION => {}
            0 => return Err(TraceFileError::Foreign),
            found => return Err(TraceFileError::Newer { found }),
        }
        self.position = MAGIC.len() as u64 + 2;
        Ok(())
    }

    /// The payload of the next record.
    fn next(&mut self) -> Result<Vec<u8>, TraceFileError> {
        let frame = self.bytes(8)?;
        let Some((len, [sum])) =
            frame.split_first_chunk::<4>().map(|(len, sum)| (len, sum.as_chunks().0))
        else {
            return Err(self.broken(CUT_SHORT));
        };
        let payload = self.bytes(u64::from(u32::from_le_bytes(*len)))?;
        if payload.len() as u64 != u64::from(u32::from_le_bytes(*len)) {
            return Err(self.broken(CUT_SHORT));
        }
        if checksum(*len, &payload) != u32::from_le_bytes(*sum) {
            return Err(self.broken("a checksum that does not match"));
        }
        self.position += 8 + payload.len() as u64;
        self.count += 1;
        Ok(payload)
    }

    fn nothing_more(&mut self) -> Result<(), TraceFileError> {
        if self.bytes(1)?.is_empty() { Ok(()) } else { Err(self.broken("bytes after the end")) }
    }

    /// At most so many bytes: fewer only at the end. Memory grows with what is there, not with
    /// what a damaged length says.
    fn bytes(&mut self, len: u64) -> Result<Vec<u8>, TraceFileError> {
        let mut bytes = Vec::new();
        (&mut self.from).take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn broken(&self, reason: &'static str) -> TraceFileError {
        TraceFileError::Broken { position: self.position, reason }
    }
}

const CUT_SHORT: &str = "cut short";

/// Which records may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Base,
    Carried,
    Ops,
    Done,
}

struct Reader {
    trace: Trace,
    checker: Checker,
    part: Part,
    /// The file whose extents may come: inode, length, and where the last extent ended.
    file: Option<(Ino, u64, u64)>,
}

type Fields<'a> = Result<(Vec<u64>, &'a [u8]), &'static str>;

/// Splits a payload after its numbers.
fn fields(payload: &[u8], count: usize) -> Fields<'_> {
    let (numbers, rest) = payload.split_at_checked(count * 8).ok_or("a record too short")?;
    let (numbers, _) = numbers.as_chunks();
    Ok((numbers.iter().map(|number| u64::from_le_bytes(*number)).collect(), rest))
}

fn name(bytes: &[u8]) -> Result<Name, &'static str> {
    std::str::from_utf8(bytes).map(Name::from).map_err(|_| "not a name")
}

/// Numbers alone.
fn numbers<const N: usize>(payload: &[u8]) -> Result<[u64; N], &'static str> {
    match fields(payload, N)? {
        (numbers, []) => numbers.try_into().map_err(|_| "a record too short"),
        _ => Err("a record too long"),
    }
}

impl Reader {
    fn record(&mut self, payload: &[u8], count: u64) -> Result<(), &'static str> {
        let (tag, rest) = payload.split_first().ok_or("a record without a tag")?;
        let tag = Tag::of(*tag).ok_or("a tag nobody knows")?;
        match (self.part, tag) {
            (Part::Head, Tag::Head) => {
                let [acked, issued] = numbers(rest)?;
                self.trace.acked_before = acked;
                self.trace.issued_before = issued;
                self.part = Part::Base;
                Ok(())
            }
            (Part::Base, Tag::Dir | Tag::File | Tag::Extent | Tag::Entry) => self.base(tag, rest),
            (Part::Base, Tag::Carried) => self.turn_to(Part::Carried, rest),
            (Part::Carried, Tag::Ops) => self.turn_to(Part::Ops, rest),
            (Part::Ops, Tag::End) => {
                let [records] = numbers(rest)?;
                self.part = Part::Done;
                if records == count { Ok(()) } else { Err("a count that does not match") }
            }
            (Part::Carried | Part::Ops, _) => {
                let op = op(tag, rest)?;
                self.checker.op(&op)?;
                if self.part == Part::Carried {
                    self.trace.carried.push(op);
                } else {
                    self.trace.ops.push(op);
                }
                Ok(())
            }
            _ => Err("a record in the wrong place"),
        }
    }

    fn turn_to(&mut self, part: Part, rest: &[u8]) -> Result<(), &'static str> {
        let [] = numbers(rest)?;
        self.part = part;
        Ok(())
    }

    fn base(&mut self, tag: Tag, rest: &[u8]) -> Result<(), &'static str> {
        let base = &mut self.trace.base;
        // Brings the inode into being; the name is not used.
        let unused = || Name::from("");
        match tag {
            Tag::Dir => {
                let [ino] = numbers(rest)?.map(Ino);
                self.checker.dir(ino)?;
                base.allocate(&MicroOp::MakeDir { dir: Ino::ROOT, name: unused(), ino });
            }
            Tag::File => {
                let [ino, len] = numbers(rest)?;
                self.checker.file(Ino(ino), len)?;
                base.content_mut(Ino(ino)).set_len(len);
                self.file = Some((Ino(ino), len, 0));
            }
            Tag::Extent => {
                let (offset, bytes) = fields(rest, 1)?;
                let (ino, len, last) = self.file.ok_or("an extent of no file")?;
                let end = offset[0].checked_add(bytes.len() as u64).filter(|end| *end <= len);
                let end = end.ok_or("an extent past the end of its file")?;
                if offset[0] < last {
                    return Err("an extent before the last one's end");
                }
                base.content_mut(ino).put(offset[0], bytes);
                self.file = Some((ino, len, end));
            }
            _ => {
                let (numbers, text) = fields(rest, 2)?;
                let (dir, ino, name) = (Ino(numbers[0]), Ino(numbers[1]), name(text)?);
                if base.entry(dir, &name).is_some() {
                    return Err("a name twice");
                }
                if self.checker.entry(dir, &name, ino)? {
                    base.apply(&MicroOp::MakeDir { dir, name, ino });
                } else {
                    base.apply(&MicroOp::Link { dir, name, ino });
                }
            }
        }
        Ok(())
    }
}

fn op(tag: Tag, rest: &[u8]) -> Result<MicroOp, &'static str> {
    Ok(match tag {
        Tag::Write => {
            let (numbers, data) = fields(rest, 2)?;
            MicroOp::Write {
                ino: Ino(numbers[0]),
                offset: numbers[1],
                data: Bytes::copy_from_slice(data),
            }
        }
        Tag::SetLen => {
            let [ino, len] = numbers(rest)?;
            MicroOp::SetLen { ino: Ino(ino), len }
        }
        Tag::Link | Tag::MakeDir | Tag::Unlink => {
            let (numbers, text) = fields(rest, 2)?;
            let (dir, ino, name) = (Ino(numbers[0]), Ino(numbers[1]), name(text)?);
            match tag {
                Tag::Link => MicroOp::Link { dir, name, ino },
                Tag::MakeDir => MicroOp::MakeDir { dir, name, ino },
                _ => MicroOp::Unlink { dir, name, ino },
            }
        }
        Tag::Rename => {
            let (numbers, text) = fields(rest, 4)?;
            let [from_dir, to_dir, ino] = [numbers[0], numbers[1], numbers[2]].map(Ino);
            let cut = usize::try_from(numbers[3]).ok();
            let (from, to) =
                cut.and_then(|cut| text.split_at_checked(cut)).ok_or("a name too short")?;
            MicroOp::Rename { from_dir, from: name(from)?, to_dir, to: name(to)?, ino }
        }
        Tag::SyncData | Tag::SyncFull => {
            let kind = if tag == Tag::SyncData { SyncKind::Data } else { SyncKind::Full };
            let [ino] = numbers(rest)?.map(Ino);
            MicroOp::Sync { ino, kind }
        }
        Tag::SyncDir => {
            let [dir] = numbers(rest)?.map(Ino);
            MicroOp::SyncDir { dir }
        }
        Tag::Issue => numbers(rest).map(|[event]| MicroOp::Issue { event })?,
        Tag::Ack => numbers(rest).map(|[event]| MicroOp::Ack { event })?,
        Tag::Shown => numbers(rest).map(|[event]| MicroOp::Shown { event })?,
        _ => return Err("a record in the wrong place"),
    })
}
