//! What is being recorded: operations and marks in one order, filled from two threads.

use parking_lot::Mutex;
use std::ops::Range;

use crate::trace::{Mark, MicroOp};

/// Operations and marks in the order they happened.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    ops: Vec<MicroOp>,
    /// Replies that are being written: their bytes may be readable, their marks are not set yet.
    replies: usize,
    /// Marks made meanwhile.
    deferred: Vec<Mark>,
}

impl Log {
    /// Notes a moment of the one who talks to the program.
    ///
    /// Whoever reads a reply may be faster than we are at seeing its write return. So a mark made
    /// while a reply is being written waits for the reply's own marks, or for the next operation.
    pub(super) fn mark(&self, mark: Mark) {
        let mut entries = self.0.lock();
        if entries.replies > 0 {
            entries.deferred.push(mark);
        } else {
            entries.ops.push(mark.into());
        }
    }

    /// Notes what a call did; returns where it stands.
    pub(super) fn append(&self, ops: Vec<MicroOp>) -> Range<usize> {
        let mut entries = self.0.lock();
        if !ops.is_empty() {
            entries.flush();
        }
        let start = entries.ops.len();
        entries.ops.extend(ops);
        start..entries.ops.len()
    }

    /// A reply begins to be written.
    pub(super) fn reply_begins(&self) {
        self.0.lock().replies += 1;
    }

    /// A reply was written, or not; these are its marks.
    pub(super) fn reply_ends(&self, marks: Vec<Mark>) {
        let mut entries = self.0.lock();
        entries.ops.extend(marks.into_iter().map(MicroOp::from));
        entries.replies -= 1;
        entries.flush();
    }

    /// All of it, at the end.
    pub(super) fn take(&self) -> Vec<MicroOp> {
        let mut entries = self.0.lock();
        entries.flush();
        std::mem::take(&mut entries.ops)
    }
}

impl Entries {
    fn flush(&mut self) {
        let deferred = std::mem::take(&mut self.deferred);
        self.ops.extend(deferred.into_iter().map(MicroOp::from));
    }
}

#[cfg(test)]
mod tests;
