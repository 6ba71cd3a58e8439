//! Records what an unmodified program does to a directory.
//!
//! The program runs under `ptrace(2)`; a seccomp filter stops it at the calls that matter and
//! nowhere else. Neither privileges nor the program's help are needed, and only processes that are
//! started here are touched. Linux on x86-64 only.
//!
//! Each call is recorded when it returns, with its real result and data, as [`MicroOp`]s of a
//! [`Trace`]. While one thread is inside a recorded call, recorded calls of other
//! threads wait: there is one order, and a sync covers exactly what returned before it was
//! entered. Files are told apart by device and inode, so that renames, several names, duplicated
//! and passed descriptors do not confuse them. `docs/trace.md` lists what each call becomes.
//!
//! What cannot be recorded is said, never guessed: [`Recorded::not_measured`].
//!
//! [`MicroOp`]: crate::MicroOp

mod aio;
mod call;
mod control;
mod core;
mod descriptors;
mod enter;
mod filter;
mod leave;
mod log;
mod report;
mod slab;
mod spawn;
mod stop;
mod tracee;
mod tracer;
mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use report::{CallInfo, Difference, NotMeasured, RecordEnd, Recorded, Why};

use crate::trace::{Mark, Trace};
use control::{Cause, Control};
use log::Log;
use spawn::Streams;
use tracee::FileId;
use tracer::Tracer;
use world::World;

/// A program to record.
#[derive(Debug)]
pub struct RecordCommand {
    /// The program and its arguments. A program without `/` is looked up in `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// The whole environment of the program.
    pub env: BTreeMap<OsString, OsString>,
    /// The directory it starts in.
    pub cwd: PathBuf,
    /// The directory whose changes are recorded; it must exist. What is in it at the start counts
    /// as durable.
    pub watched: PathBuf,
    /// What becomes its standard error; `None`: ours.
    pub stderr: Option<OwnedFd>,
}

impl RecordCommand {
    /// A program with the environment and the working directory of this process.
    ///
    /// # Errors
    /// What the system says of the working directory.
    pub fn new<A: Into<OsString>>(
        argv: impl IntoIterator<Item = A>,
        watched: impl Into<PathBuf>,
    ) -> io::Result<Self> {
        Ok(Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: std::env::vars_os().collect(),
            cwd: std::env::current_dir()?,
            watched: watched.into(),
            stderr: None,
        })
    }
}

/// On which side of a call a kill falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before it: the call has no effect.
    Entry,
    /// After it: the program does not see it return.
    Exit,
}

/// A kill at a recorded call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KillAt {
    /// Which call: an index into [`Recorded::calls`], from 0.
    pub call: u64,
    /// Before or after it.
    pub when: When,
}

/// Says which marks a piece of standard output stands for, in the order of its bytes. It is
/// called with every piece the program wrote, in order, when the write has returned.
pub type OnStdout = Box<dyn FnMut(&[u8]) -> Vec<Mark> + Send>;

/// How to record.
pub struct RecordOptions {
    /// Kills the program, all its processes, at a call.
    pub kill: Option<KillAt>,
    /// Ends a program that has not ended by itself for so long.
    pub watchdog: Duration,
    /// Ends of names of files that may be mapped writable although that hides what is stored
    /// there, because nothing depends on it after a crash (`-shm` of `SQLite`'s WAL mode).
    pub mapped: Vec<String>,
    /// Finds acknowledgements in what the program writes.
    pub on_stdout: OnStdout,
}

impl Default for RecordOptions {
    /// No kill, a minute, no mappings, no marks.
    fn default() -> Self {
        Self {
            kill: None,
            watchdog: Duration::from_mins(1),
            mapped: Vec::new(),
            on_stdout: Box::new(|_| Vec::new()),
        }
    }
}

impl fmt::Debug for RecordOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordOptions")
            .field("kill", &self.kill)
            .field("watchdog", &self.watchdog)
            .field("mapped", &self.mapped)
            .finish_non_exhaustive()
    }
}

/// A program that is being recorded. Dropping it kills the program.
#[derive(Debug)]
pub struct Session {
    stdin: Option<PipeWriter>,
    stdout: Option<PipeReader>,
    log: Arc<Log>,
    control: Arc<Control>,
    tracer: Option<JoinHandle<io::Result<Recorded>>>,
    /// Closed when the session ends: then the watchdog ends too.
    _watchdog: Sender<()>,
}

/// Sets marks in a recording from any thread.
#[derive(Debug, Clone)]
pub struct Marker(Arc<Log>);

impl Marker {
    /// Notes a moment, after all calls that have returned. An [`Mark::Issue`] belongs before its
    /// request is sent.
    pub fn mark(&self, mark: Mark) {
        self.0.mark(mark);
    }
}

/// Ends a recorded program from any thread.
#[derive(Debug, Clone)]
pub struct Killer(Arc<Control>);

impl Killer {
    /// Kills all processes of the program, wherever they are. Returns at once.
    pub fn kill(&self) {
        self.0.kill(Cause::Wanted);
    }
}

/// Starts a program and records it; returns as soon as it runs.
///
/// # Errors
/// [`io::ErrorKind::NotFound`], [`io::ErrorKind::PermissionDenied`] and others if it cannot be
/// started or traced; [`io::ErrorKind::Unsupported`] without a `/proc` that shows this process;
/// [`io::ErrorKind::InvalidData`] if the watched directory holds anything but
/// directories and files of one name each; whatever the system says of files and processes.
pub fn record(command: RecordCommand, options: RecordOptions) -> io::Result<Session> {
    check_proc()?;
    let world = World::read(&command.watched)?;
    let (stdin_reader, stdin) = io::pipe()?;
    let (stdout, stdout_writer) = io::pipe()?;
    let reply = pipe_id(&stdout)?;
    let (watchdog, ended) = mpsc::channel::<()>();
    let timeout = options.watchdog;
    let tracer = Tracer::new(world, reply, options);
    let (log, control) = (Arc::clone(&tracer.log), Arc::clone(&tracer.control));
    let streams = Streams { stdin: stdin_reader, stdout: stdout_writer, stderr: None };
    let (started, start) = mpsc::channel();
    let handle = thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || trace(tracer, command, streams, &started))?;
    if start.recv().is_err() {
        // The thread ended before the program ran: it says why.
        let ended = join(handle);
        return Err(ended.err().unwrap_or_else(|| io::ErrorKind::Other.into()));
    }
    let hung = Arc::clone(&control);
    let session = Session {
        stdin: Some(stdin),
        stdout: Some(stdout),
        log,
        control,
        tracer: Some(handle),
        _watchdog: watchdog,
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        if ended.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
            hung.kill(Cause::Hung);
        }
    })?;
    Ok(session)
}

/// The tracer's thread, from fork to report.
fn trace(
    mut tracer: Tracer,
    mut command: RecordCommand,
    mut streams: Streams,
    started: &Sender<()>,
) -> io::Result<Recorded> {
    streams.stderr = command.stderr.take();
    let root = spawn::spawn(&command, &streams)?;
    drop(streams);
    let base = tracer.world.tree().clone();
    let ended = tracer.run(root, || {
        // Nobody listens if the session was dropped already; it kills the program.
        let _ = started.send(());
    })?;
    let end = ended.map_err(|code| {
        spawn::exec_error(command.argv.first().map_or("".as_ref(), OsString::as_os_str), code)
    })?;
    let ops = tracer.log.take();
    let trace = Trace { base, carried: Vec::new(), ops, acked_before: 0, issued_before: 0 };
    Ok(Recorded {
        trace,
        calls: tracer.seen.calls,
        end,
        not_measured: tracer.seen.not_measured.into_iter().collect(),
        changes_outside: tracer.seen.changes_outside,
        left_behind: tracer.seen.left_behind,
        output: Vec::new(),
        mapped: tracer.mapped,
    })
}

impl Session {
    /// Where the program reads; closed by [`Session::finish`] unless it was taken.
    pub fn take_stdin(&mut self) -> Option<PipeWriter> {
        self.stdin.take()
    }

    /// What the program writes; collected by [`Session::finish`] unless it was taken.
    pub fn take_stdout(&mut self) -> Option<PipeReader> {
        self.stdout.take()
    }

    /// Notes a moment; see [`Marker::mark`].
    pub fn mark(&self, mark: Mark) {
        self.log.mark(mark);
    }

    /// A handle for noting moments from other threads.
    pub fn marker(&self) -> Marker {
        Marker(Arc::clone(&self.log))
    }

    /// Kills all processes of the program, wherever they are. Returns at once;
    /// [`Session::finish`] waits for their end.
    pub fn kill(&self) {
        self.control.kill(Cause::Wanted);
    }

    /// A handle for killing the program from other threads.
    pub fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.control))
    }

    /// Whether the program has ended, however.
    pub fn has_ended(&self) -> bool {
        self.tracer.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the program and all its processes have ended. Processes that outlive the first
    /// one are killed.
    ///
    /// # Errors
    /// Whatever the system says of tracing; the program is gone then too.
    pub fn finish(mut self) -> io::Result<Recorded> {
        drop(self.stdin.take());
        let mut output = Vec::new();
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_end(&mut output)?;
        }
        let tracer = self.tracer.take().ok_or(io::ErrorKind::Other)?;
        let mut recorded = Recorded { output, ..join(tracer)? };
        // Marks can come after the program's end, too.
        recorded.trace.ops.extend(self.log.take());
        Ok(recorded)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.control.kill(Cause::Wanted);
        if let Some(tracer) = self.tracer.take() {
            // Nobody is left to tell.
            let _ = join(tracer);
        }
    }
}

fn join(tracer: JoinHandle<io::Result<Recorded>>) -> io::Result<Recorded> {
    tracer.join().unwrap_or_else(|_| Err(io::Error::other("the recorder's thread panicked")))
}

/// Whether `/proc` is that of our processes: all that is looked up is looked up there.
fn check_proc() -> io::Result<()> {
    let own = std::process::id().to_string();
    if std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == own.as_str()) {
        return Ok(());
    }
    let what = "/proc is not mounted, or is that of other processes";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

/// The identity of a pipe: both its ends have it, wherever they are passed.
fn pipe_id(pipe: &PipeReader) -> io::Result<FileId> {
    let stat = rustix::fs::fstat(pipe)?;
    Ok(FileId { dev: stat.st_dev, ino: stat.st_ino })
}
