//! A driver that is recorded while it is talked to.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use proofhouse_crash::{
    KillAt, Killer, Mark, Marker, RecordCommand, RecordOptions, Recorded, Session, record,
};
use proofhouse_model::Marks;
use proofhouse_model::protocol::{Answer, Request};
use proofhouse_subjects::command::{Fault, Hook, Launch, Launched, Pipes, Process, ProcessEnd};
use proofhouse_subjects::{CommandLine, CommandSubject, DriverError};

use crate::driving::Driving;

/// The longest that a whole recording may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long a driver may take to end at the end of its input.
const LEAVING: Duration = Duration::from_secs(2);

/// How often to look whether a process has ended.
const POLL: Duration = Duration::from_micros(500);

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The driver.
    pub line: CommandLine,
    /// How to get along with it.
    pub driving: Driving,
}

/// When to kill the recorded process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// Not at all.
    Never,
    /// At a recorded call.
    At(KillAt),
    /// A while after so many answers.
    After {
        /// How many answers to wait for, hello included.
        answers: u64,
        /// How long to wait then.
        delay: Duration,
    },
}

impl Recipe {
    /// Lets `act` talk to a recorded process that is the only one to change `watched`. What was
    /// recorded, and what `act` came to, unless the process never said hello.
    ///
    /// # Errors
    /// The program could not be started, traced or watched.
    pub fn drive<T>(
        &self,
        watched: &Path,
        kill: Kill,
        act: impl FnOnce(&CommandSubject, &mut Ledger) -> T,
    ) -> io::Result<(Recorded, Result<T, DriverError>)> {
        let ledger = Arc::new(Mutex::new(Table::default()));
        let session = self.start(watched, kill, &ledger)?;
        let mut marks =
            Ledger { marker: session.marker(), table: Arc::clone(&ledger), settle: true };
        let session = Arc::new(Mutex::new(Some(session)));
        let launch = Recording { session: Arc::clone(&session), table: ledger, kill };
        let subject = CommandSubject::new(launch, self.driving.watchdog);
        let came_to = subject.map(|subject| act(&subject, &mut marks));
        // The driver's input is closed with its subject: it should end by itself.
        let mut process = Traced(Arc::clone(&session));
        let ended = process.ended_within(LEAVING);
        let session = lock(&session).take().ok_or(io::ErrorKind::NotFound)?;
        if ended.is_none() {
            session.kill();
        }
        Ok((session.finish()?, came_to))
    }

    fn start(&self, watched: &Path, kill: Kill, table: &Arc<Mutex<Table>>) -> io::Result<Session> {
        let mut command = RecordCommand::new(self.line.argv(), watched)?;
        let additions = self.line.additions();
        command.env.extend(additions.map(|(name, value)| (name.clone(), value.clone())));
        command.stderr = Some(std::fs::File::options().write(true).open("/dev/null")?.into());
        let table = Arc::clone(table);
        record(
            command,
            RecordOptions {
                kill: match kill {
                    Kill::At(at) => Some(at),
                    Kill::Never | Kill::After { .. } => None,
                },
                watchdog: PATIENCE,
                mapped: self.driving.mapped.clone(),
                on_stdout: Box::new(move |piece| lock(&table).answered(piece)),
            },
        )
    }
}

/// Which request each event is, and how many were answered.
#[derive(Debug, Default)]
struct Table {
    /// The event that the next request to be sent is.
    next: Option<u64>,
    /// The events that unanswered requests are, in the order of the requests.
    unanswered: VecDeque<Option<u64>>,
}

impl Table {
    /// What a piece of the driver's output acknowledges: each line is the answer to the oldest
    /// request that has none.
    fn answered(&mut self, piece: &[u8]) -> Vec<Mark> {
        let lines = piece.split(|byte| *byte == b'\n').count() - 1;
        let answered = lines.min(self.unanswered.len());
        self.unanswered.drain(..answered).flatten().map(Mark::Ack).collect()
    }
}

/// Marks what a run issues; what is acknowledged is seen by the recorder, where the answer is
/// written: an engine that answers too early cannot hide behind the time an answer travels.
#[derive(Debug)]
pub struct Ledger {
    marker: Marker,
    table: Arc<Mutex<Table>>,
    settle: bool,
}

impl Ledger {
    /// Lets the store's creation crash, too: it is not settled before the first operation.
    pub fn leave_unsettled(&mut self) {
        self.settle = false;
    }

    /// Notes that an open has shown the state after so many events.
    pub fn shown(&mut self, events: u64) {
        self.settle = false;
        self.marker.mark(Mark::Shown(events));
    }
}

impl Marks for Ledger {
    /// What is there when the first operation comes is what the store's creation left.
    fn step(&mut self, index: usize) {
        if index == 0 && self.settle {
            self.shown(0);
        }
    }

    fn issue(&mut self, event: u64) {
        lock(&self.table).next = Some(event);
        self.marker.mark(Mark::Issue(event));
    }
}

/// Hands out the one recorded process.
struct Recording {
    session: Arc<Mutex<Option<Session>>>,
    table: Arc<Mutex<Table>>,
    kill: Kill,
}

impl Launch for Recording {
    fn launch(&self) -> Result<Launched, DriverError> {
        let mut session = lock(&self.session);
        let pipes = session.as_mut().and_then(|session| {
            Some((session.take_stdin()?, session.take_stdout()?, session.killer()))
        });
        let Some((stdin, stdout, killer)) = pipes else {
            let why = "the recorded process has ended".to_owned();
            let fault = Fault::NotStarted { command: "driver".to_owned(), why };
            return Err(DriverError { fault, stderr: Vec::new() });
        };
        let timer = match self.kill {
            Kill::After { answers, delay } => Some(Timer { answers, delay, killer }),
            Kill::Never | Kill::At(_) => None,
        };
        let hook = Box::new(Numbers { table: Arc::clone(&self.table), timer });
        let process = Box::new(Traced(Arc::clone(&self.session)));
        Ok(Launched { pipes: Pipes::new(stdin, stdout), process, hook })
    }
}

/// Tells the table which request is which event.
struct Numbers {
    table: Arc<Mutex<Table>>,
    timer: Option<Timer>,
}

/// A kill to come.
struct Timer {
    /// Answers that are still to come first.
    answers: u64,
    delay: Duration,
    killer: Killer,
}

impl Hook for Numbers {
    fn sending(&mut self, _request: &Request) {
        let mut table = lock(&self.table);
        let event = table.next.take();
        table.unanswered.push_back(event);
    }

    fn received(&mut self, _answer: &Answer) {
        let Some(timer) = &mut self.timer else { return };
        timer.answers = timer.answers.saturating_sub(1);
        if timer.answers == 0
            && let Some(Timer { delay, killer, .. }) = self.timer.take()
        {
            thread::spawn(move || {
                thread::sleep(delay);
                killer.kill();
            });
        }
    }
}

/// The recorded process, as its driver sees it.
struct Traced(Arc<Mutex<Option<Session>>>);

impl Process for Traced {
    /// It ends with all that it started: the recorder lets nobody outlive it.
    fn has_ended(&mut self) -> bool {
        lock(&self.0).as_ref().is_none_or(Session::has_ended)
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ProcessEnd> {
        let deadline = Instant::now() + patience;
        loop {
            if self.has_ended() {
                // How it ended is told by the recording.
                return Some(ProcessEnd::Exited(0));
            }
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(POLL);
        }
    }
}

/// What these locks guard has no invariant that a panic could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
