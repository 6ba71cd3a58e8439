//! The oracle as a subject: the harness must agree with it about everything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Oracle;
use crate::op::Op;
use crate::outcome::{ErrorClass, Outcome};
use crate::plan::Settings;
use crate::subject::{About, Capabilities, Client, Kept, Promises, Refusal, Store, Subject};

/// The oracle behind the [`Subject`] trait. All clients of its store are the same one client.
#[derive(Debug)]
pub struct OracleSubject {
    about: About,
}

/// Where an [`OracleSubject`] keeps its store between lives.
#[derive(Debug, Default)]
pub struct OraclePlace(Arc<Mutex<Option<Oracle>>>);

impl OracleSubject {
    /// A subject with these capabilities, though never with several clients.
    pub fn new(capabilities: Capabilities) -> Self {
        Self {
            about: About {
                name: "oracle".to_owned(),
                capabilities: Capabilities { clients: false, ..capabilities },
                promises: Promises {
                    after_kill: Kept::Nothing,
                    after_power_loss: Kept::Nothing,
                    atomic: true,
                    shown_after_kill: false,
                    shown_after_power_loss: false,
                },
                is_entidb: false,
            },
        }
    }
}

impl Subject<OraclePlace> for OracleSubject {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, place: &OraclePlace, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let fresh = || Oracle::new(settings, self.about.capabilities);
        lock(&place.0).get_or_insert_with(fresh).step(&Op::Reopen);
        Ok(Box::new(OracleStore(Arc::clone(&place.0))))
    }
}

/// What the place holds, while it is open.
struct OracleStore(Arc<Mutex<Option<Oracle>>>);

impl Store for OracleStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(OracleClient(&self.0))
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        Ok(())
    }
}

struct OracleClient<'a>(&'a Mutex<Option<Oracle>>);

impl Client for OracleClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        match lock(self.0).as_mut() {
            Some(oracle) if *op != Op::Reopen => oracle.step(op),
            _ => Outcome::Failed(ErrorClass::Unsupported),
        }
    }
}

/// The oracle has no invariant that a panic between two of its steps could break.
fn lock(oracle: &Mutex<Option<Oracle>>) -> MutexGuard<'_, Option<Oracle>> {
    oracle.lock().unwrap_or_else(PoisonError::into_inner)
}
