//! A gate before the syncs of a WAL: who commits waits there until the test has seen enough.

use std::io;
use std::sync::{Arc, Condvar, Mutex};

use super::faulty::Faulty;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Closed,
    /// Open, but the sync fails.
    Broken,
}

/// A gate for the syncs of commits. Clones are the same gate.
#[derive(Clone)]
pub(crate) struct Gate {
    shared: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    way: Way,
    waiting: usize,
}

impl Gate {
    /// A closed gate before every later commit on this medium.
    pub(crate) fn before_commits(medium: &Faulty) -> Self {
        let state = State { way: Way::Closed, waiting: 0 };
        let gate = Self { shared: Arc::new((Mutex::new(state), Condvar::new())) };
        let before = gate.clone();
        medium.set_hook(Some(Arc::new(move |verb, file| {
            if verb == "sync_data" && file.starts_with("wal-") { before.pass() } else { Ok(()) }
        })));
        gate
    }

    fn pass(&self) -> io::Result<()> {
        let (state, changed) = &*self.shared;
        let mut state = state.lock().unwrap();
        state.waiting += 1;
        changed.notify_all();
        let state = changed.wait_while(state, |state| state.way == Way::Closed);
        let mut state = state.unwrap();
        state.waiting -= 1;
        match state.way {
            Way::Broken => Err(io::Error::other("the gate is broken")),
            Way::Open | Way::Closed => Ok(()),
        }
    }

    /// Returns once somebody waits before the gate.
    pub(crate) fn await_arrival(&self) {
        let (state, changed) = &*self.shared;
        let state = state.lock().unwrap();
        drop(changed.wait_while(state, |state| state.waiting == 0).unwrap());
    }

    pub(crate) fn open(&self) {
        self.set(Way::Open);
    }

    /// Lets everyone through, and fails their syncs.
    pub(crate) fn tear_down(&self) {
        self.set(Way::Broken);
    }

    fn set(&self, way: Way) {
        let (state, changed) = &*self.shared;
        state.lock().unwrap().way = way;
        changed.notify_all();
    }
}
