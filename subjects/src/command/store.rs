//! A store that is open in a driver.

use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::Mutex;
use proofhouse_model::protocol::Ask;
use proofhouse_model::{Client, ErrorClass, Op, Outcome, Refusal, Store};

use super::Shared;
use super::driver::Driver;
use super::error::DriverError;

/// An open store; the driver has no other meanwhile.
///
/// A store that is dropped without being closed takes its driver's process with it: what an
/// engine does to close must not happen behind the back of who asked for none.
pub struct CommandStore {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

struct State {
    /// `None` after a fault.
    driver: Option<Driver>,
    /// The clients that there were; the last one is the one there is.
    clients: u64,
}

impl CommandStore {
    pub(super) fn new(shared: Arc<Shared>, driver: Driver) -> Self {
        Self { shared, state: Mutex::new(State { driver: Some(driver), clients: 0 }) }
    }

    /// Carries out operations for the present client with up to `window` of them unanswered.
    ///
    /// # Errors
    /// [`DriverError`]: the driver is gone, and which of the operations were carried out is not
    /// known.
    pub fn apply_window(
        &self,
        ops: &[Op],
        window: NonZeroUsize,
    ) -> Result<Vec<Outcome>, DriverError> {
        let mut state = self.state.lock();
        let Some(driver) = &mut state.driver else { return Err(self.shared.gone()) };
        driver.ask_all(ops, window).map_err(|error| self.lose(&mut state, error))
    }

    /// Closes the store; what the driver does wrong is told apart from what it refuses.
    ///
    /// # Errors
    /// [`DriverError`].
    pub fn try_close(self) -> Result<Result<(), Refusal>, DriverError> {
        let Some(mut driver) = self.state.lock().driver.take() else {
            return Err(self.shared.gone());
        };
        let closed = driver.turn(Ask::Close).inspect_err(|error| {
            self.shared.report(error.clone());
        })?;
        self.shared.give_back(driver);
        Ok(closed)
    }

    /// One client; version 0 of the protocol has one at a time, the last that asked to be.
    fn next_client(&self) -> u64 {
        let mut state = self.state.lock();
        state.clients += 1;
        // The first one comes with the open.
        if state.clients > 1 {
            self.ask(&mut state, Ask::Client);
        }
        state.clients
    }

    fn ask(&self, state: &mut State, ask: Ask) -> Outcome {
        let Some(driver) = &mut state.driver else { return Outcome::Failed(ErrorClass::Poisoned) };
        match driver.ask(ask) {
            Ok((outcome, _)) => outcome,
            Err(error) => {
                self.lose(state, error);
                Outcome::Failed(ErrorClass::InDoubt)
            }
        }
    }

    /// Ends the driver after a fault, which is kept for the subject's owner.
    fn lose(&self, state: &mut State, error: DriverError) -> DriverError {
        state.driver = None;
        self.shared.report(error.clone());
        error
    }
}

impl Store for CommandStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(CommandClient { store: self, number: self.next_client() })
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        self.try_close().unwrap_or_else(|error| Err(Refusal::from(&error)))
    }
}

struct CommandClient<'a> {
    store: &'a CommandStore,
    number: u64,
}

impl Client for CommandClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        let mut state = self.store.state.lock();
        if state.clients != self.number || *op == Op::Reopen {
            return Outcome::Failed(ErrorClass::Unsupported);
        }
        self.store.ask(&mut state, Ask::Op(op.clone()))
    }
}
