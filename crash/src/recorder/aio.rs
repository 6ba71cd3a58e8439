//! Linux AIO (`io_submit(2)`), taken as if it were synchronous.
//!
//! What a call submits may complete later, beside other calls. So the submitting thread is held at
//! the exit of `io_submit` until all that it submitted for watched files is complete, and recorded
//! calls of other threads wait as they do for any other. Completions are read where the kernel puts
//! them: in the ring that it maps into the program's memory, whose address is the context
//! (`fs/aio.c`, `struct aio_ring`). The program finds them there, or by `io_getevents`, later.

use std::io;
use std::thread;
use std::time::Duration;

use super::call::Source;
use super::descriptors::Descriptor;
use super::tracee::Tracee;
use crate::tree::Ino;

/// The most control blocks of one `io_submit` we look at.
const BLOCKS_MAX: u64 = 65_536;

/// Numbers of 64 bits in `struct iocb` (`linux/aio_abi.h`).
const BLOCK_NUMBERS: usize = 8;

/// `AIO_RING_MAGIC`: the fifth of the numbers of 32 bits in the ring's head, after `id`, `nr`,
/// `head` and `tail`.
const RING_MAGIC: u64 = 0xa10a_10a1;

/// Numbers of 64 bits in the ring's head, and in each event behind it.
const RING_NUMBERS: usize = 4;

/// How long to leave the kernel alone between two looks at a ring.
const PAUSE: Duration = Duration::from_micros(20);

/// What a control block asks for; reads and polls are no concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `IOCB_CMD_PWRITE` or `PWRITEV`.
    Write { source: Source, offset: u64, flags: u64 },
    /// `IOCB_CMD_FSYNC`, or `FDSYNC`.
    Sync { data_only: bool },
}

/// A control block, as far as it may concern us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Where the tracee keeps it: what its completion is known by.
    addr: u64,
    pub(super) fd: i32,
    pub(super) operation: Operation,
}

/// A block for a watched file, and the description it goes through.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) block: Block,
    /// Where it stands among all that the call submits.
    pub(super) index: u64,
    pub(super) ino: Ino,
    pub(super) descriptor: Descriptor,
}

/// What a call submits for watched files.
#[derive(Debug)]
pub(super) struct Submission {
    /// In the order of the call; at least one.
    pub(super) asked: Vec<Asked>,
    ring: Ring,
    /// Where the ring stood before.
    tail: u64,
}

impl Submission {
    /// What is about to be submitted to a context.
    ///
    /// # Errors
    /// Whatever reading the tracee's memory says; [`io::ErrorKind::InvalidData`] if there is no
    /// ring.
    pub(super) fn new(tracee: Tracee, context: u64, asked: Vec<Asked>) -> io::Result<Self> {
        let (ring, tail) = Ring::read(tracee, context)?;
        Ok(Self { asked, ring, tail })
    }

    /// Waits until what was accepted, the first `accepted` blocks of the call, is complete; returns
    /// each with its result, a count or a negated error.
    ///
    /// # Errors
    /// Whatever reading the tracee's memory says: that it was killed meanwhile.
    pub(super) fn results(&self, tracee: Tracee, accepted: u64) -> io::Result<Vec<(&Asked, i64)>> {
        let asked = || self.asked.iter().take_while(|asked| asked.index < accepted);
        loop {
            let events = self.ring.events_since(tracee, self.tail)?;
            let result = |asked: &'_ Asked| {
                let event = events.iter().find(|event| event.block == asked.block.addr);
                event.map(|event| event.result)
            };
            let results = asked().map(|asked| Some((asked, result(asked)?)));
            if let Some(results) = results.collect() {
                return Ok(results);
            }
            thread::sleep(PAUSE);
        }
    }
}

/// The blocks of a call that write or sync, and where each stands in it.
///
/// # Errors
/// Whatever reading the tracee's memory says.
pub(super) fn blocks(tracee: Tracee, count: u64, addr: u64) -> io::Result<Vec<(u64, Block)>> {
    let count = usize::try_from(count.min(BLOCKS_MAX)).unwrap_or_default();
    let mut blocks = Vec::new();
    for (index, addr) in (0..).zip(tracee.read_numbers(addr, count)?) {
        let fields = tracee.read_numbers(addr, BLOCK_NUMBERS)?;
        if let Some(block) = Block::parse(addr, &fields) {
            blocks.push((index, block));
        }
    }
    Ok(blocks)
}

impl Block {
    /// `struct iocb`: data, key and flags of the write, operation with priority and descriptor,
    /// buffer, its length, offset; the rest does not matter.
    fn parse(addr: u64, fields: &[u64]) -> Option<Self> {
        let &[_, flags, operation, buffer, len, offset, ..] = fields else { return None };
        let write = |source| Operation::Write { source, offset, flags: flags >> 32 };
        let parts = usize::try_from(len).unwrap_or(usize::MAX);
        let fd = i32::try_from(operation >> 32).unwrap_or(-1);
        let operation = match operation & 0xffff {
            1 => write(Source::Buffer(buffer)),
            2 => Operation::Sync { data_only: false },
            3 => Operation::Sync { data_only: true },
            8 => write(Source::Vector(buffer, parts)),
            _ => return None,
        };
        Some(Self { addr, fd, operation })
    }
}

/// A ring of completions in a tracee's memory.
#[derive(Debug)]
struct Ring {
    addr: u64,
    /// How many events it holds before it begins anew.
    capacity: u64,
}

#[derive(Debug)]
struct Completed {
    block: u64,
    result: i64,
}

impl Ring {
    /// A ring and its tail: where the next event will go.
    fn read(tracee: Tracee, addr: u64) -> io::Result<(Self, u64)> {
        let head = tracee.read_numbers(addr, RING_NUMBERS)?;
        let (capacity, tail) = (head[0] >> 32, head[1] >> 32);
        // The program can write there, too: a tail outside would never be reached.
        if head[2] & 0xffff_ffff != RING_MAGIC || tail >= capacity {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no ring of completions"));
        }
        Ok((Self { addr, capacity }, tail))
    }

    /// The events that were added since the tail stood there: fewer than there is room for, as the
    /// kernel accepts no more than the ring can hold.
    fn events_since(&self, tracee: Tracee, tail: u64) -> io::Result<Vec<Completed>> {
        let (_, now) = Self::read(tracee, self.addr)?;
        let mut events = Vec::new();
        let mut at = tail;
        while at != now {
            // struct io_event: the block's data, the block, the result, another.
            let addr = self.addr + (RING_NUMBERS as u64 + at * 4) * 8;
            let event = tracee.read_numbers(addr, 4)?;
            events.push(Completed { block: event[1], result: event[2].cast_signed() });
            at = (at + 1) % self.capacity;
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests;
