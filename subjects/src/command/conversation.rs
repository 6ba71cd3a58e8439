//! Requests and answers over a pair of pipes: numbers, order, time.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use proofhouse_model::Outcome;
use proofhouse_model::protocol::{Answer, Ask, Hello, Reply, Request, VERSION};

use super::error::{Due, Fault, excerpt};
use super::transport::{NoLine, Pipes, Transport};

/// Is told of each request before it is sent and of each answer after it arrived: there a trace
/// is marked with what was issued and what was acknowledged.
pub trait Hook: Send {
    /// The request is about to be sent.
    fn sending(&mut self, _request: &Request) {}

    /// The answer has arrived, and is the one due.
    fn received(&mut self, _answer: &Answer) {}
}

/// For those who need not know.
impl Hook for () {}

/// The harness's side of the protocol, whoever started the driver.
///
/// The first fault ends it: every later request has the same fault.
pub struct Conversation {
    transport: Transport,
    hook: Box<dyn Hook>,
    watchdog: Duration,
    next: u64,
    fault: Option<Fault>,
}

impl Conversation {
    /// A conversation that waits for each answer no longer than the watchdog allows.
    ///
    /// # Errors
    /// Whatever the system says of the pipes.
    pub fn new(pipes: Pipes, watchdog: Duration, hook: Box<dyn Hook>) -> io::Result<Self> {
        Ok(Self { transport: Transport::new(pipes)?, hook, watchdog, next: 0, fault: None })
    }

    /// Asks who the driver is.
    ///
    /// # Errors
    /// A [`Fault`]; a version newer than [`VERSION`] is one.
    pub fn hello(&mut self) -> Result<Hello, Fault> {
        let due = self.send(Ask::Hello { protocol: VERSION })?;
        match self.receive(due)?.reply {
            Reply::Hello(hello) if hello.protocol > VERSION => {
                Err(self.latch(Fault::NewerVersion(hello.protocol)))
            }
            Reply::Hello(hello) => Ok(hello),
            reply @ Reply::Outcome(_) => {
                Err(self.latch(Fault::WrongKind { due, got: reply.name() }))
            }
        }
    }

    /// Asks anything but hello and waits for the outcome and the message beside it.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn outcome(&mut self, ask: Ask) -> Result<(Outcome, Option<String>), Fault> {
        let due = self.send(ask)?;
        self.receive_outcome(due)
    }

    /// Asks all of these with up to `window` of them unanswered at a time, and waits for all
    /// outcomes.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn outcomes(
        &mut self,
        asks: impl IntoIterator<Item = Ask>,
        window: NonZeroUsize,
    ) -> Result<Vec<Outcome>, Fault> {
        let mut asks = asks.into_iter();
        let mut outstanding = VecDeque::new();
        let mut outcomes = Vec::new();
        loop {
            let room = window.get() - outstanding.len();
            for ask in asks.by_ref().take(room) {
                outstanding.push_back(self.send(ask)?);
            }
            let Some(due) = outstanding.pop_front() else { return Ok(outcomes) };
            outcomes.push(self.receive_outcome(due)?.0);
        }
    }

    /// Closes the driver's input and waits for the end of its output.
    ///
    /// # Errors
    /// [`Fault::Unasked`] if there is still something to read, [`Fault::Hung`] if it does not end.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.transport.close_requests();
        let due = self.next_due("end of input");
        match self.transport.line(self.watchdog) {
            Ok(line) => Err(Fault::Unasked { line: excerpt(line) }),
            Err(NoLine::Closed) => Ok(()),
            Err(none) => Err(fault_of(none, due, self.watchdog)),
        }
    }

    /// The request that asks this, if it is the next one.
    pub(super) fn next_due(&self, ask: &'static str) -> Due {
        Due { n: self.next, ask }
    }

    /// Whether some process can still write answers.
    pub(super) fn is_held_open(&self) -> bool {
        self.transport.is_held_open()
    }

    /// The last lines of the driver's standard error.
    pub fn stderr_lines(&mut self) -> Vec<String> {
        self.transport.stderr_lines()
    }

    fn send(&mut self, ask: Ask) -> Result<Due, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let due = self.next_due(ask.name());
        let request = Request { n: self.next, ask };
        self.next += 1;
        self.hook.sending(&request);
        request.encode(self.transport.queue());
        Ok(due)
    }

    fn receive(&mut self, due: Due) -> Result<Answer, Fault> {
        let answer = match self.transport.line(self.watchdog) {
            Ok(line) => Answer::parse(line).map_err(|error| {
                let line = excerpt(line);
                Fault::Garbage { due, error, line }
            }),
            Err(none) => Err(fault_of(none, due, self.watchdog)),
        };
        match answer {
            Ok(answer) if answer.n == due.n => {
                self.hook.received(&answer);
                Ok(answer)
            }
            Ok(answer) => Err(self.latch(Fault::WrongNumber { due, got: answer.n })),
            Err(fault) => Err(self.latch(fault)),
        }
    }

    fn receive_outcome(&mut self, due: Due) -> Result<(Outcome, Option<String>), Fault> {
        let Answer { reply, message, .. } = self.receive(due)?;
        match reply {
            Reply::Outcome(outcome) => Ok((outcome, message)),
            Reply::Hello(_) => Err(self.latch(Fault::WrongKind { due, got: reply.name() })),
        }
    }

    fn latch(&mut self, fault: Fault) -> Fault {
        self.fault = Some(fault.clone());
        fault
    }
}

fn fault_of(none: NoLine, due: Due, watchdog: Duration) -> Fault {
    match none {
        NoLine::Timeout => Fault::Hung { due, watchdog },
        NoLine::Closed => Fault::Closed { due },
        NoLine::TooLong => Fault::TooLong { due },
        NoLine::Io(error) => Fault::Io(error.to_string()),
    }
}
