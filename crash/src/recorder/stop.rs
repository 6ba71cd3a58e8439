//! Stops of tracees: what they are, what the registers say there, and how to go on.

use std::io;
use std::sync::Arc;

use nix::libc::{self, c_int, c_long};
use nix::sys::ptrace;
use nix::sys::signal::{SIGKILL, kill};
use nix::unistd::Pid;
use rustix::process::WaitOptions;

use super::control::Control;

/// Where the user area keeps a call's result: register `rax`, as a word.
const RESULT: ptrace::AddressType =
    std::ptr::without_provenance_mut(size_of::<libc::c_long>() * libc::RAX as usize);

/// The same for its number, as it was asked for: register `orig_rax`.
const NUMBER: ptrace::AddressType =
    std::ptr::without_provenance_mut(size_of::<libc::c_long>() * libc::ORIG_RAX as usize);

/// How a thread or process ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ended {
    Code(c_int),
    Signal(c_int),
}

/// A stop or an end, taken apart (ptrace(2), "Stopped states").
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Ended(Ended),
    /// At the entry of a call the filter chose.
    Entry,
    Exit,
    /// A process or thread was made; it stops by itself.
    Made,
    Exec,
    /// Stopped as a whole by a signal: stays so until it is continued.
    Group,
    /// A new thread, or the end of a group stop.
    Settled,
    /// About to get a signal.
    Signal(c_int),
}

impl Event {
    fn of(status: c_int) -> Self {
        if libc::WIFEXITED(status) {
            return Self::Ended(Ended::Code(libc::WEXITSTATUS(status)));
        }
        if libc::WIFSIGNALED(status) {
            return Self::Ended(Ended::Signal(libc::WTERMSIG(status)));
        }
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            0 if signal == libc::SIGTRAP | 0x80 => Self::Exit,
            0 => Self::Signal(signal),
            libc::PTRACE_EVENT_SECCOMP => Self::Entry,
            libc::PTRACE_EVENT_EXEC => Self::Exec,
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Self::Group,
            libc::PTRACE_EVENT_STOP => Self::Settled,
            _ => Self::Made,
        }
    }
}

/// The next stop or end of any of our tracees; `None` when there is none left.
pub(super) fn wait() -> io::Result<Option<(i32, Event)>> {
    // Of this thread only: other threads have children of their own. Of any process group: programs
    // make some.
    let ours = WaitOptions::from_bits_retain((libc::__WALL | libc::__WNOTHREAD).unsigned_abs());
    loop {
        match rustix::process::wait(ours) {
            Ok(Some((pid, status))) => {
                return Ok(Some((pid.as_raw_nonzero().get(), Event::of(status.as_raw()))));
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CHILD) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Kills and reaps all tracees of this thread that are left when it goes out of scope: none after
/// a recording that ended well.
#[derive(Debug)]
pub(super) struct LastOnes(pub(super) Arc<Control>);

impl Drop for LastOnes {
    fn drop(&mut self) {
        self.0.kill_processes();
        while let Ok(Some((tid, event))) = wait() {
            if !matches!(event, Event::Ended(_)) {
                // Born meanwhile, and stopped since. Fails if it is dead.
                let _ = kill(Pid::from_raw(tid), SIGKILL);
            }
        }
    }
}

/// What a request says of a tracee; `None` if it was killed meanwhile: its end will be reported.
fn alive<T>(answer: nix::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(nix::errno::Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Lets a stopped thread go on, with a signal or with none (0).
pub(super) fn restart(request: libc::c_uint, tid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: these requests take numbers, not pointers. Not through `nix`, whose signals leave
    // out the real-time ones that threads libraries use.
    let answer = unsafe { libc::ptrace(request, tid, 0, libc::c_long::from(signal)) };
    alive(nix::errno::Errno::result(answer)).map(|_| ())
}

/// Whom a thread has just made; nobody if the maker was killed.
pub(super) fn made(tid: i32) -> io::Result<Option<i32>> {
    let made = alive(ptrace::getevent(Pid::from_raw(tid)))?;
    Ok(made.and_then(|made| i32::try_from(made).ok()))
}

/// Lets the call that a thread is about to enter fail with `ENOSYS`: without a number there is none,
/// and that error is in the result's place until a call puts its own there (seccomp(2),
/// `SECCOMP_RET_TRACE`).
pub(super) fn deny(tid: i32) -> io::Result<()> {
    alive(ptrace::write_user(Pid::from_raw(tid), NUMBER, -1)).map(|_| ())
}

/// A call at its entry: its number and its arguments. `None` if it was killed.
pub(super) fn called(tid: i32) -> io::Result<Option<(c_long, [u64; 6])>> {
    // SAFETY: it is plain integers, for which zero is a value.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let (request, size) = (libc::PTRACE_GET_SYSCALL_INFO, size_of_val(&info));
    // Asked for all registers, the kernel takes twice as long. Not through `nix`, which gives no
    // size, so that nothing is filled.
    // SAFETY: the request fills no more than the size it is given, which is that of `info`.
    let answer = unsafe { libc::ptrace(request, tid, size, &raw mut info) };
    if alive(nix::errno::Errno::result(answer))?.is_none() {
        return Ok(None);
    }
    if info.op != libc::PTRACE_SYSCALL_INFO_SECCOMP {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not at the entry of a call"));
    }
    // SAFETY: this is the member that is filled at a stop of that kind (ptrace(2)).
    let entry = unsafe { info.u.seccomp };
    Ok(Some((c_long::from_ne_bytes(entry.nr.to_ne_bytes()), entry.args)))
}

/// What a call returned, at its exit. `None` if it was killed.
pub(super) fn result(tid: i32) -> io::Result<Option<i64>> {
    alive(ptrace::read_user(Pid::from_raw(tid), RESULT))
}
