//! A conversation together with the process that it is held with.

use std::num::NonZeroUsize;
use std::time::Duration;

use proofhouse_model::protocol::{Ask, Hello};
use proofhouse_model::{ErrorClass, Op, Outcome, Refusal};

use super::conversation::Conversation;
use super::error::{DriverError, Fault};
use super::process::{Launch, Launched, Process, ProcessEnd};

/// A driver that has said hello.
pub(super) struct Driver {
    conversation: Conversation,
    process: Box<dyn Process>,
}

/// How long a process that closed its output may take to end.
const LEAVING: Duration = Duration::from_millis(500);

impl Driver {
    /// Starts a driver and asks who it is.
    pub(super) fn start(
        launch: &dyn Launch,
        watchdog: Duration,
    ) -> Result<(Self, Hello), DriverError> {
        let Launched { pipes, process, hook } = launch.launch()?;
        let conversation = Conversation::new(pipes, watchdog, hook).map_err(|error| {
            DriverError { fault: Fault::Io(error.to_string()), stderr: Vec::new() }
        })?;
        let mut driver = Self { conversation, process };
        let hello = driver.conversation.hello();
        let hello = hello.map_err(|fault| driver.explain(fault))?;
        Ok((driver, hello))
    }

    /// Asks one thing.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(Outcome, Option<String>), DriverError> {
        let outlived = self.outlived(&ask);
        let answer = self.conversation.outcome(ask);
        self.own(answer, outlived)
    }

    /// Asks operations with several of them unanswered.
    pub(super) fn ask_all(
        &mut self,
        ops: &[Op],
        window: NonZeroUsize,
    ) -> Result<Vec<Outcome>, DriverError> {
        let outlived = ops.first().and_then(|first| self.outlived(&Ask::Op(first.clone())));
        let asks = ops.iter().cloned().map(Ask::Op);
        let answers = self.conversation.outcomes(asks, window);
        self.own(answers, outlived)
    }

    /// What is wrong with any answer to what is about to be asked: whoever has ended by now does
    /// not give it, unless it was given before it was asked for, which others will tell.
    fn outlived(&mut self, ask: &Ask) -> Option<Fault> {
        let due = self.conversation.next_due(ask.name());
        let outlived = self.process.has_ended() && self.conversation.is_held_open();
        outlived.then_some(Fault::Outlived { due })
    }

    /// The answer, if it is the process's own.
    fn own<T>(
        &mut self,
        answer: Result<T, Fault>,
        outlived: Option<Fault>,
    ) -> Result<T, DriverError> {
        match (answer, outlived) {
            (Ok(answer), None) => Ok(answer),
            (Ok(_), Some(fault)) | (Err(fault), _) => Err(self.explain(fault)),
        }
    }

    /// Opens or closes, which either is done or fails.
    pub(super) fn turn(&mut self, ask: Ask) -> Result<Result<(), Refusal>, DriverError> {
        Ok(match self.ask(ask)? {
            (Outcome::Done, _) => Ok(()),
            (Outcome::Failed(class), message) => {
                Err(Refusal { class, message: message.unwrap_or_default() })
            }
            (other, _) => {
                let message = format!("answered \"{other}\" where \"done\" or a failure is due");
                Err(Refusal { class: ErrorClass::Unsupported, message })
            }
        })
    }

    /// Closes the driver's input and tells how its process ended, if it does within the
    /// watchdog's time.
    pub(super) fn end(&mut self, watchdog: Duration) -> Result<Option<ProcessEnd>, DriverError> {
        let ended = self.conversation.end().map_err(|fault| self.explain(fault));
        match ended {
            Ok(()) => Ok(self.process.ended_within(watchdog)),
            Err(DriverError { fault: Fault::Hung { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the process tells beyond what the pipes do.
    fn explain(&mut self, fault: Fault) -> DriverError {
        let fault = match fault {
            Fault::Closed { due } => match self.process.ended_within(LEAVING) {
                Some(ProcessEnd::Exited(code)) => Fault::Exited { code, due },
                Some(ProcessEnd::Killed(signal)) => Fault::Killed { signal, due },
                None => Fault::Closed { due },
            },
            Fault::Hung { due, .. } if self.process.ended_within(Duration::ZERO).is_some() => {
                Fault::ForkedAway { due }
            }
            fault => fault,
        };
        DriverError { fault, stderr: self.conversation.stderr_lines() }
    }
}
