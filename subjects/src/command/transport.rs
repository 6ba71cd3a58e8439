//! Lines through a pair of pipes, with a deadline, by one thread.
//!
//! Requests are queued and written when an answer is waited for, as much as the pipe takes, while
//! answers and standard error are read: neither side can block the other by a full pipe.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use proofhouse_model::protocol::MAX_LINE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

/// The harness's ends of a driver's pipes.
#[derive(Debug)]
pub struct Pipes {
    requests: OwnedFd,
    answers: OwnedFd,
    stderr: Option<OwnedFd>,
}

impl Pipes {
    /// The ends at which requests are written and answers are read.
    pub fn new(requests: impl Into<OwnedFd>, answers: impl Into<OwnedFd>) -> Self {
        Self { requests: requests.into(), answers: answers.into(), stderr: None }
    }

    /// With the end at which the driver's standard error is read.
    #[must_use]
    pub fn with_stderr(self, stderr: impl Into<OwnedFd>) -> Self {
        Self { stderr: Some(stderr.into()), ..self }
    }
}

/// Why there is no line.
#[derive(Debug)]
pub(super) enum NoLine {
    /// Not within the time.
    Timeout,
    /// The other end of the answers is closed.
    Closed,
    /// A line does not end.
    TooLong,
    /// The system failed a call.
    Io(io::Error),
}

pub(super) struct Transport {
    /// `None` once either side has closed it.
    requests: Option<File>,
    answers: File,
    stderr: Option<File>,
    /// Bytes to be written, of which the first `written` are.
    out: Vec<u8>,
    written: usize,
    /// Bytes that were read: the first `taken` are handed out, the first `searched` hold no
    /// further line feed.
    input: Vec<u8>,
    taken: usize,
    searched: usize,
    /// The end of what was read from standard error.
    tail: Vec<u8>,
}

/// What can be read, perhaps beside answers.
#[derive(PartialEq)]
enum Readable {
    Stderr,
    Answers,
}

/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// How much of standard error is kept.
const TAIL: usize = 4 << 10;

impl Transport {
    pub(super) fn new(pipes: Pipes) -> io::Result<Self> {
        let Pipes { requests, answers, stderr } = pipes;
        for fd in [Some(&requests), Some(&answers), stderr.as_ref()].into_iter().flatten() {
            fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            requests: Some(requests.into()),
            answers: answers.into(),
            stderr: stderr.map(Into::into),
            out: Vec::new(),
            written: 0,
            input: Vec::new(),
            taken: 0,
            searched: 0,
            tail: Vec::new(),
        })
    }

    /// Where requests are appended.
    pub(super) const fn queue(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The end of input for the driver. What is queued is no longer sent.
    pub(super) fn close_requests(&mut self) {
        self.requests = None;
    }

    /// The next line, with its line feed.
    pub(super) fn line(&mut self, patience: Duration) -> Result<&[u8], NoLine> {
        let mut deadline = None;
        loop {
            if let Some(end) = self.find_line() {
                let start = std::mem::replace(&mut self.taken, end);
                return Ok(&self.input[start..end]);
            }
            if self.input.len() - self.taken >= MAX_LINE {
                return Err(NoLine::TooLong);
            }
            self.write()?;
            // The clock is read only when there is something to wait for.
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
            if self.wait(deadline)? == Readable::Stderr {
                self.read_stderr();
            }
            self.read_answers()?;
        }
    }

    /// Whether some process can still write answers. What was written before stays to be read.
    pub(super) fn is_held_open(&self) -> bool {
        let mut fds = [PollFd::new(&self.answers, PollFlags::IN)];
        let polled = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        polled.is_ok() && !fds[0].revents().contains(PollFlags::HUP)
    }

    /// The last lines of standard error, as far as they were written by now.
    pub(super) fn stderr_lines(&mut self) -> Vec<String> {
        self.read_stderr();
        let text = String::from_utf8_lossy(&self.tail);
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    }

    /// Where the next line ends, if it was read whole.
    fn find_line(&mut self) -> Option<usize> {
        let from = self.searched;
        let found = self.input[from..].iter().position(|byte| *byte == b'\n');
        self.searched = found.map_or(self.input.len(), |at| from + at + 1);
        found.map(|at| from + at + 1)
    }

    /// Writes what the pipe takes now.
    fn write(&mut self) -> Result<(), NoLine> {
        while let Some(requests) = self.requests.as_mut().filter(|_| self.written < self.out.len())
        {
            match requests.write(&self.out[self.written..]) {
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whoever does not read any more may have answered before: that is told first.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.requests = None,
                Err(error) => return Err(NoLine::Io(error)),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    /// Waits until something can be read, or written if something is to be.
    fn wait(&self, deadline: Instant) -> Result<Readable, NoLine> {
        let mut fds = Vec::with_capacity(3);
        fds.push(PollFd::new(&self.answers, PollFlags::IN));
        fds.extend(self.stderr.iter().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        if let Some(requests) = self.requests.as_ref().filter(|_| !self.out.is_empty()) {
            fds.push(PollFd::new(requests, PollFlags::OUT));
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(|_| NoLine::Timeout)?;
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Err(NoLine::Timeout),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(NoLine::Io(error.into())),
            }
        }
        let stderr = fds.get(1).filter(|_| self.stderr.is_some());
        let readable = stderr.is_some_and(|stderr| !stderr.revents().is_empty());
        Ok(if readable { Readable::Stderr } else { Readable::Answers })
    }

    fn read_answers(&mut self) -> Result<(), NoLine> {
        if self.taken == self.input.len() {
            self.input.clear();
        } else {
            self.input.drain(..self.taken);
        }
        self.searched -= self.taken;
        self.taken = 0;
        match read_some(&mut self.answers, &mut self.input) {
            Ok(0) => Err(NoLine::Closed),
            Ok(_) => Ok(()),
            Err(error) if is_transient(&error) => Ok(()),
            Err(error) => Err(NoLine::Io(error)),
        }
    }

    fn read_stderr(&mut self) {
        while let Some(stderr) = &mut self.stderr {
            match read_some(stderr, &mut self.tail) {
                // Standard error only helps to explain: losing it is no failure of its own.
                Ok(0) => self.stderr = None,
                Ok(_) => drop(self.tail.drain(..self.tail.len().saturating_sub(TAIL))),
                Err(error) if is_transient(&error) => return,
                Err(_) => self.stderr = None,
            }
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Appends what one read gives.
fn read_some(file: &mut File, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let before = bytes.len();
    bytes.resize(before + CHUNK, 0);
    let read = file.read(&mut bytes[before..]);
    bytes.truncate(before + *read.as_ref().unwrap_or(&0));
    read
}
