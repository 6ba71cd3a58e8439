//! Starting a driver, and making sure that it ends.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::conversation::Hook;
use super::error::{DriverError, Fault};
use super::transport::Pipes;

/// Starts drivers: by a command line, or traced, or as a thread in a test.
pub trait Launch: Send + Sync {
    /// Starts one more driver.
    ///
    /// # Errors
    /// [`Fault::NotStarted`].
    fn launch(&self) -> Result<Launched, DriverError>;
}

/// A driver that was started.
pub struct Launched {
    /// How to talk to it.
    pub pipes: Pipes,
    /// Its process. When this is dropped, the process is gone, and all that it started.
    pub process: Box<dyn Process>,
    /// Is told of the conversation.
    pub hook: Box<dyn Hook>,
}

/// A driver's process.
pub trait Process: Send {
    /// Whether the process has ended. Whoever it started goes on as before.
    fn has_ended(&mut self) -> bool;

    /// How the process ended, if it does within this time.
    fn ended_within(&mut self, patience: Duration) -> Option<ProcessEnd>;
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal of this number.
    Killed(i32),
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "code {code}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A driver as a command with arguments and additions to the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl CommandLine {
    /// A program, looked for in `PATH`, and its arguments.
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { program: program.into(), args, env: Vec::new() }
    }

    /// A command as one types it: the shell splits it and is replaced by it.
    pub fn shell(command: &str) -> Self {
        Self::new("/bin/sh", ["-c".to_owned(), format!("exec {command}")])
    }

    /// The program and its arguments.
    pub fn argv(&self) -> impl Iterator<Item = &OsString> {
        std::iter::once(&self.program).chain(&self.args)
    }

    /// What it adds to the environment.
    pub fn additions(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.env.iter().map(|(name, value)| (name, value))
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    fn start(&self) -> io::Result<Launched> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().cloned()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group { child: command.spawn()?, end: None };
        let child = &mut group.child;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let pipes = Pipes::new(stdin, stdout).with_stderr(stderr);
        Ok(Launched { pipes, process: Box::new(group), hook: Box::new(()) })
    }
}

impl Launch for CommandLine {
    fn launch(&self) -> Result<Launched, DriverError> {
        self.start().map_err(|error| {
            let command = self.program.to_string_lossy().into_owned();
            let fault = Fault::NotStarted { command, why: error.to_string() };
            DriverError { fault, stderr: Vec::new() }
        })
    }
}

/// How often to look whether a process has ended.
const POLL: Duration = Duration::from_micros(200);

/// A child and the process group it leads; both end when this is dropped.
struct Group {
    child: Child,
    /// How the child ended, once it was reaped.
    end: Option<ProcessEnd>,
}

impl Process for Group {
    fn has_ended(&mut self) -> bool {
        self.end.is_some() || self.can_be_reaped()
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ProcessEnd> {
        let deadline = Instant::now() + patience;
        while self.end.is_none() {
            if self.can_be_reaped() {
                self.end_all();
            } else if Instant::now() >= deadline {
                return None;
            } else {
                thread::sleep(POLL);
            }
        }
        self.end
    }
}

impl Group {
    /// Whether the child has ended, without reaping it: as long as it is not reaped, its group's
    /// number cannot be given to anyone else.
    fn can_be_reaped(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {
            Ok(state) => state.is_some(),
            Err(error) => error != Errno::INTR,
        }
    }

    /// Kills what is left of the group, and reaps the child.
    fn end_all(&mut self) {
        // A failure means that nobody is left to kill; waiting tells the rest.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let status = self.child.wait().unwrap_or_default();
        self.end = Some(match status.signal() {
            Some(signal) => ProcessEnd::Killed(signal),
            None => ProcessEnd::Exited(status.code().unwrap_or_default()),
        });
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.end_all();
        }
    }
}
