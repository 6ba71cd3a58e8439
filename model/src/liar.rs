//! A subject for tests: the oracle, but for the lies it is told to tell.

use crate::op::Op;
use crate::oracle::{OraclePlace, OracleSubject};
use crate::outcome::Outcome;
use crate::plan::Settings;
use crate::subject::{About, Capabilities, Client, Refusal, Store, Subject};

/// Turns the due outcome of an operation into the one given; may panic.
pub(crate) type Lie = fn(&Op, Outcome) -> Outcome;

pub(crate) struct Liar {
    pub(crate) oracle: OracleSubject,
    pub(crate) lie: Lie,
    /// How closing ends.
    pub(crate) close: fn() -> Result<(), Refusal>,
}

impl Liar {
    pub(crate) fn new(lie: Lie) -> Self {
        Self { oracle: OracleSubject::new(Capabilities::ALL), lie, close: || Ok(()) }
    }
}

impl Subject<OraclePlace> for Liar {
    fn about(&self) -> &About {
        self.oracle.about()
    }

    fn open(&self, place: &OraclePlace, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let store = self.oracle.open(place, settings)?;
        Ok(Box::new(LiarStore { store, lie: self.lie, close: self.close }))
    }
}

struct LiarStore {
    store: Box<dyn Store>,
    lie: Lie,
    close: fn() -> Result<(), Refusal>,
}

impl Store for LiarStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(LiarClient { client: self.store.client(), lie: self.lie })
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        (self.close)()
    }
}

struct LiarClient<'a> {
    client: Box<dyn Client + 'a>,
    lie: Lie,
}

impl Client for LiarClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        (self.lie)(op, self.client.apply(op))
    }
}
