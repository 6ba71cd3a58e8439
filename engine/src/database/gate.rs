//! One writer at a time.

use crate::error::{Error, Result};
use crate::sync::thread::{self, ThreadId};
use crate::sync::{Condvar, Mutex};

/// Admits one writer; others wait. It is not a mutex guard, because a write transaction owns its
/// admission for as long as the caller keeps it, and because a thread that waited for itself
/// would wait for ever: that is an error instead.
#[derive(Default)]
pub(super) struct Gate {
    writer: Mutex<Option<ThreadId>>,
    left: Condvar,
}

impl Gate {
    /// Waits until there is no writer, then is the writer.
    ///
    /// # Errors
    /// `NestedTransaction` if this thread is the writer.
    pub(super) fn enter(&self) -> Result<()> {
        let this = thread::current().id();
        let mut writer = self.writer.lock();
        while let Some(other) = *writer {
            if other == this {
                return Err(Error::NestedTransaction);
            }
            self.left.wait(&mut writer);
        }
        *writer = Some(this);
        Ok(())
    }

    /// # Errors
    /// `NestedTransaction` if this thread is the writer.
    pub(super) fn refuse_nested(&self) -> Result<()> {
        if *self.writer.lock() == Some(thread::current().id()) {
            return Err(Error::NestedTransaction);
        }
        Ok(())
    }

    pub(super) fn leave(&self) {
        *self.writer.lock() = None;
        self.left.notify_one();
    }
}
