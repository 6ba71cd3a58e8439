//! Runs a child process that acknowledges on its standard output, and kills it.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// When to end a child that does not end by itself.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Kills it on purpose.
    pub kill: Option<KillAfter>,
    /// Takes it for hung once it has run for this long.
    pub watchdog: Duration,
}

/// A moment seen from outside: some lines, then some time.
#[derive(Debug, Clone, Copy)]
pub struct KillAfter {
    /// Complete lines that were read.
    pub lines: usize,
    /// Time since then.
    pub delay: Duration,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildEnd {
    /// By a signal of this number: ours, its own, or the system's.
    Killed(i32),
    /// By itself, with this code.
    Exited(i32),
    /// Not before the watchdog ended it.
    Hung,
}

/// What is known of a child after its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildRun {
    /// The complete lines it wrote, without their ends. A line cut short is no acknowledgement.
    pub lines: Vec<String>,
    /// How it ended.
    pub end: ChildEnd,
}

/// Runs a command to its end, with an empty standard input.
///
/// The child leads a process group of its own. When this returns, with success or not, the child
/// is gone and whoever else was in the group has been killed.
///
/// # Errors
/// Whatever the system says of starting it, of reading from it, or of waiting for it.
pub fn run_child(mut command: Command, limits: Limits) -> io::Result<ChildRun> {
    let watchdog = Instant::now() + limits.watchdog;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn()?);
    let stdout = group.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let received = read_lines(stdout);
    let mut lines = Vec::new();
    let mut kill_at = kill_time(limits.kill, 0);
    let deadline = loop {
        let deadline = kill_at.map_or(watchdog, |at| at.min(watchdog));
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                lines.push(line?);
                kill_at = kill_at.or_else(|| kill_time(limits.kill, lines.len()));
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break deadline,
        }
    };
    let ended = group.ended_by(deadline)?;
    let status = group.reap()?;
    let drained = Instant::now() + DRAIN;
    while let Ok(line) = received.recv_timeout(drained.saturating_duration_since(Instant::now())) {
        lines.push(line?);
    }
    let hung = !ended && deadline == watchdog;
    Ok(ChildRun { lines, end: if hung { ChildEnd::Hung } else { end_of(status) } })
}

/// How long a process that left the group may keep the pipe open after the group's end.
const DRAIN: Duration = Duration::from_secs(1);

/// How often to look whether a child that closed its output has ended.
const POLL: Duration = Duration::from_micros(100);

fn kill_time(kill: Option<KillAfter>, lines: usize) -> Option<Instant> {
    kill.filter(|kill| lines >= kill.lines).map(|kill| Instant::now() + kill.delay)
}

fn end_of(status: ExitStatus) -> ChildEnd {
    match (status.signal(), status.code()) {
        (Some(signal), _) => ChildEnd::Killed(signal),
        (None, code) => ChildEnd::Exited(code.unwrap_or_default()),
    }
}

/// Reads complete lines on a thread of its own; the channel closes at the end of the stream.
fn read_lines(stdout: ChildStdout) -> Receiver<io::Result<String>> {
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            let read = stream.read_until(b'\n', &mut line);
            let message = match read {
                Ok(_) if line.pop_if(|last| *last == b'\n').is_some() => {
                    Ok(String::from_utf8_lossy(&line).into_owned())
                }
                Ok(_) => break,
                Err(error) => Err(error),
            };
            let failed = message.is_err();
            if sender.send(message).is_err() || failed {
                break;
            }
        }
    });
    received
}

/// A child and the process group it leads; both end when this is dropped.
struct Group(Child);

impl Group {
    /// Waits for the child's end until a deadline, without reaping it: as long as it is not
    /// reaped its group's number cannot be given to anyone else.
    fn ended_by(&self, deadline: Instant) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let pid = Pid::from_child(&self.0);
        loop {
            match waitid(WaitId::Pid(pid), options) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) if Instant::now() >= deadline => return Ok(false),
                Ok(None) => thread::sleep(POLL),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Kills what is left of the group and collects the child.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        // A failure means that nobody is left to kill; waiting tells the rest.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        self.0.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Reaped already unless an error cut the run short.
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.reap();
        }
    }
}

#[cfg(test)]
mod tests;
