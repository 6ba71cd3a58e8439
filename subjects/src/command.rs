//! Any engine in any language: a command that speaks the line protocol (`docs/protocol.md`).
//!
//! [`CommandSubject`] starts the command when a store is opened and none of its processes is
//! free; one process opens many directories, one after the other. How a process is started is a
//! [`Launch`]: a plain [`CommandLine`], or whatever hands over the ends of its pipes. What a
//! driver does wrong is a [`DriverError`]; [`check_subject`] finds it with a script.

mod check;
mod conversation;
mod driver;
mod error;
mod process;
mod store;
mod transport;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use proofhouse_model::protocol::{Ask, Hello};
use proofhouse_model::{About, ErrorClass, Refusal, Settings, Store, Subject};

use driver::Driver;

pub use check::{Complaint, check_command, check_subject};
pub use conversation::{Conversation, Hook};
pub use error::{DriverError, Due, Fault};
pub use process::{CommandLine, Launch, Launched, Process, ProcessEnd};
pub use store::CommandStore;
pub use transport::Pipes;

/// How long a driver may take for an answer, if nobody says otherwise.
pub const WATCHDOG: Duration = Duration::from_secs(10);

/// An engine behind the line protocol, on directories.
///
/// Through [`Client::apply`](proofhouse_model::Client::apply) a driver's fault reads as
/// `Failed(InDoubt)` and after that as `Failed(Poisoned)`; [`CommandSubject::take_failure`] tells
/// it in full. The next open starts a new process.
pub struct CommandSubject {
    shared: Arc<Shared>,
    hello: Hello,
    about: About,
}

/// What the subject and its open stores share.
struct Shared {
    launch: Box<dyn Launch>,
    watchdog: Duration,
    /// Drivers without an open store.
    idle: Mutex<Vec<Driver>>,
    failure: Mutex<Option<DriverError>>,
}

impl CommandSubject {
    /// Starts the first process, to ask who it is.
    ///
    /// # Errors
    /// [`DriverError`] if it does not start or does not say hello.
    pub fn new(launch: impl Launch + 'static, watchdog: Duration) -> Result<Self, DriverError> {
        let (driver, hello) = Driver::start(&launch, watchdog)?;
        let idle = Mutex::new(vec![driver]);
        let failure = Mutex::default();
        let shared = Shared { launch: Box::new(launch), watchdog, idle, failure };
        Ok(Self { shared: Arc::new(shared), about: hello.about(), hello })
    }

    /// All that the driver said of its engine; [`Subject::about`] is what judging needs of it.
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Opens a store. As [`Subject::open`], with the store's own type.
    ///
    /// # Errors
    /// A [`Refusal`], also for a fault of the driver.
    pub fn open_store(&self, dir: &Path, settings: &Settings) -> Result<CommandStore, Refusal> {
        self.try_open(dir, settings).unwrap_or_else(|error| Err(Refusal::from(&error)))
    }

    /// Opens a store; what the driver does wrong is told apart from what it refuses.
    ///
    /// # Errors
    /// [`DriverError`].
    pub fn try_open(
        &self,
        dir: &Path,
        settings: &Settings,
    ) -> Result<Result<CommandStore, Refusal>, DriverError> {
        let Some(dir) = dir.to_str() else {
            let message = format!("a directory's name must be UTF-8: {}", dir.display());
            return Ok(Err(Refusal { class: ErrorClass::Unsupported, message }));
        };
        let fault = |error: DriverError| {
            self.shared.report(error.clone());
            error
        };
        let mut driver = self.shared.driver().map_err(fault)?;
        let ask = Ask::Open { dir: dir.to_owned(), settings: settings.clone() };
        Ok(match driver.turn(ask).map_err(fault)? {
            Ok(()) => Ok(CommandStore::new(Arc::clone(&self.shared), driver)),
            Err(refusal) => {
                self.shared.give_back(driver);
                Err(refusal)
            }
        })
    }

    /// Ends the processes that have no open store: the next open is in a new one.
    pub fn retire(&self) {
        self.shared.idle.lock().clear();
    }

    /// The first fault since this was last asked.
    pub fn take_failure(&self) -> Option<DriverError> {
        self.shared.failure.lock().take()
    }
}

impl Subject<Path> for CommandSubject {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, dir: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        Ok(Box::new(self.open_store(dir, settings)?))
    }
}

impl Shared {
    /// A driver without an open store.
    fn driver(&self) -> Result<Driver, DriverError> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(driver) => Ok(driver),
            None => Driver::start(self.launch.as_ref(), self.watchdog).map(|(driver, _)| driver),
        }
    }

    fn give_back(&self, driver: Driver) {
        self.idle.lock().push(driver);
    }

    fn report(&self, error: DriverError) {
        self.failure.lock().get_or_insert(error);
    }

    /// For who asks after a fault that was told already.
    fn gone(&self) -> DriverError {
        let told = self.failure.lock().clone();
        let fault = Fault::Io("an earlier fault ended it".to_owned());
        told.unwrap_or(DriverError { fault, stderr: Vec::new() })
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;
