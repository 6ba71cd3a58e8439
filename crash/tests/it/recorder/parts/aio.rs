//! Linux AIO, by its system calls.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::thread;

use nix::libc;

use super::create;

/// Operations of `struct iocb` (`linux/aio_abi.h`).
const PREAD: u64 = 0;
const PWRITE: u64 = 1;
const FSYNC: u64 = 2;
const FDSYNC: u64 = 3;
const PWRITEV: u64 = 8;

/// `RWF_DSYNC`.
const DSYNC: u64 = 2;

/// A control block.
type Block = [u64; 8];

/// A context of Linux AIO.
struct Context(u64);

impl Context {
    fn new() -> Self {
        let mut context = 0;
        // SAFETY: the context is where the kernel puts its address.
        assert_eq!(unsafe { libc::syscall(libc::SYS_io_setup, 8, &raw mut context) }, 0);
        Self(context)
    }

    /// Submits blocks together; nothing waits for them.
    fn submit<const N: usize>(&self, blocks: &[Block; N]) {
        let pointers = blocks.each_ref().map(|block| block.as_ptr());
        // SAFETY: blocks and what they point to outlive the calls that wait for their completion.
        let accepted = unsafe { libc::syscall(libc::SYS_io_submit, self.0, N, pointers.as_ptr()) };
        assert_eq!(usize::try_from(accepted).unwrap(), N);
    }

    /// Waits for completions; returns their results in any order.
    fn complete<const N: usize>(&self) -> [u64; N] {
        let mut events = [[0u64; 4]; N];
        // SAFETY: there is room for so many events.
        let got =
            unsafe { libc::syscall(libc::SYS_io_getevents, self.0, N, N, events.as_mut_ptr(), 0) };
        assert_eq!(usize::try_from(got).unwrap(), N);
        events.map(|event| event[2])
    }
}

fn block(operation: u64, file: &File, data: &[u8], offset: u64) -> Block {
    let mut block = sync(operation, file);
    block[3..6].copy_from_slice(&[data.as_ptr() as u64, data.len() as u64, offset]);
    block
}

/// A block without data: a sync with any is refused.
fn sync(operation: u64, file: &File) -> Block {
    let fd = u64::try_from(file.as_raw_fd()).unwrap();
    [0, 0, operation | fd << 32, 0, 0, 0, 0, 0]
}

pub(super) fn asynchronous() {
    let (file, other) = (create("f"), create("g"));
    let context = Context::new();
    context.submit(&[block(PWRITE, &file, b"asynchronous", 10), sync(FSYNC, &file)]);
    context.complete::<2>();
    let parts = [libc::iovec { iov_base: b"in parts".as_ptr().cast_mut().cast(), iov_len: 8 }; 2];
    let mut vector = block(PWRITEV, &other, &[], 0);
    vector[3] = parts.as_ptr() as u64;
    vector[4] = 2;
    let mut buffer = [0u8; 4];
    let mut read = block(PREAD, &file, &buffer, 10);
    read[3] = buffer.as_mut_ptr() as u64;
    let mut durable = block(PWRITE, &file, b"durable", 0);
    durable[1] = DSYNC << 32;
    context.submit(&[vector, read, durable]);
    // Another thread's call is not between the submission and its completion.
    thread::scope(|scope| {
        scope.spawn(|| other.set_len(5).unwrap());
    });
    assert_eq!(context.complete::<3>().iter().sum::<u64>(), 16 + 4 + 7);
    assert_eq!(&buffer, b"asyn");
    // Nothing of a submission that is refused as a whole happens.
    let never = block(PWRITE, &file, b"never", 0);
    let pointers = [never.as_ptr()];
    // SAFETY: a context that does not exist is refused.
    let refused = unsafe { libc::syscall(libc::SYS_io_submit, 0, 1, pointers.as_ptr()) };
    assert_eq!(refused, -1);
}

/// More completions than a ring has room for: it begins anew.
pub(super) fn many() {
    let file = create("f");
    let context = Context::new();
    for round in 0..1000 {
        context.submit(&[block(PWRITE, &file, b"one", round), sync(FDSYNC, &file)]);
        context.complete::<2>();
    }
}

pub(super) fn appended() {
    let log = OpenOptions::new().append(true).create(true).open("log").unwrap();
    let context = Context::new();
    context.submit(&[block(PWRITE, &log, b"appended", 0)]);
    context.complete::<1>();
}

pub(super) fn overlapping() {
    let file = create("f");
    let context = Context::new();
    context.submit(&[block(PWRITE, &file, b"one", 0), block(PWRITE, &file, b"two", 2)]);
    context.complete::<2>();
}

/// With a write to a watched file, and without one.
pub(super) fn elsewhere() {
    let file = create("f");
    let other = OpenOptions::new().write(true).open("../old").unwrap();
    let context = Context::new();
    context.submit(&[block(PWRITE, &file, b"ours", 0), block(PWRITE, &other, b"other", 0)]);
    context.complete::<2>();
    context.submit(&[block(PWRITE, &other, b"again", 0)]);
    context.complete::<1>();
}
