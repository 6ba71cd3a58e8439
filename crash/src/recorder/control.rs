//! Ends a traced program from any thread.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;

use parking_lot::Mutex;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Why a program was killed by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It was asked for.
    Wanted,
    /// It ran for too long.
    Hung,
}

/// The processes of a traced program, and whether they are to end.
///
/// Processes are held by descriptor: a number could be somebody else's by the time of the kill.
#[derive(Debug, Default)]
pub(super) struct Control(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    processes: BTreeMap<i32, OwnedFd>,
    cause: Option<Cause>,
    ended: bool,
}

impl Control {
    /// Kills every process there is and, through [`Control::cause`], every one that is about to
    /// be; the first cause stands. Nothing happens once the program ended.
    pub(super) fn kill(&self, cause: Cause) {
        let mut state = self.0.lock();
        if state.ended {
            return;
        }
        state.cause.get_or_insert(cause);
        state.kill_processes();
    }

    /// Kills every process there is, whatever becomes of the recording.
    pub(super) fn kill_processes(&self) {
        self.0.lock().kill_processes();
    }

    /// Why the program is to end, if it is.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.0.lock().cause
    }

    /// Notes a process that was just born.
    pub(super) fn add(&self, pid: i32) -> io::Result<()> {
        let handle = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        let handle = pidfd_open(handle, PidfdFlags::empty())?;
        self.0.lock().processes.insert(pid, handle);
        Ok(())
    }

    /// Forgets a process that was reaped.
    pub(super) fn remove(&self, pid: i32) {
        self.0.lock().processes.remove(&pid);
    }

    /// The program's first process ended by itself: later kills change nothing.
    pub(super) fn end(&self) {
        self.0.lock().ended = true;
    }
}

impl State {
    fn kill_processes(&self) {
        for process in self.processes.values() {
            // Fails only for one that is dead and not reaped yet.
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }
}
