//! Whether the handle can still be used.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::sync::{AtomicBool, Mutex, Ordering};

/// Open, latched by a failure, or closed.
#[derive(Default)]
pub(super) struct Health {
    state: Mutex<State>,
    /// Set once the state is `Closed`: reads ask nothing else, and need no lock for it.
    is_closed: AtomicBool,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    Poisoned(Arc<Error>),
    Closed,
}

impl Health {
    pub(super) fn require_open(&self) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) { Err(Error::Closed) } else { Ok(()) }
    }

    pub(super) fn require_writable(&self) -> Result<()> {
        match &*self.state.lock() {
            State::Open => Ok(()),
            State::Poisoned(cause) => Err(Error::Poisoned { cause: Arc::clone(cause) }),
            State::Closed => Err(Error::Closed),
        }
    }

    /// Latches the handle after a failure that leaves the medium unknown.
    pub(super) fn poison(&self, cause: &Arc<Error>) {
        let mut state = self.state.lock();
        if matches!(*state, State::Open) {
            *state = State::Poisoned(Arc::clone(cause));
        }
    }

    pub(super) fn close(&self) {
        *self.state.lock() = State::Closed;
        self.is_closed.store(true, Ordering::Release);
    }
}
