//! Plans put to a driver with several requests unanswered at a time: what crash modes must not do,
//! and what shows a driver that mixes up its answers.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::Path;

use parking_lot::Mutex;
use proofhouse_model::{
    About, Client, ErrorClass, Op, Oracle, Outcome, Plan, Refusal, RunOptions, Settings, Store,
    Subject, run,
};
use proofhouse_subjects::{CommandSubject, DriverError};

use crate::subject::{Broken, Diverged};

/// How many requests may be unanswered.
const WINDOW: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

/// The first divergence of a plan whose operations are sent ahead of their answers, life by life.
pub fn diverges(subject: &CommandSubject, place: &Path, plan: &Plan) -> Option<Diverged> {
    let about: &About = Subject::<Path>::about(subject);
    let (lives, fault) = lives(subject, about, place, plan);
    let recital = Recital { about, lives: Mutex::new(lives) };
    let options = RunOptions { history: false, close: true };
    let at = run(&recital, &(), plan, options, &mut ()).err()?;
    Some(Diverged { at, fault: fault.as_ref().map(Broken::off) })
}

/// What a driver answered in one life.
struct Life {
    opened: Result<(), Refusal>,
    outcomes: VecDeque<Outcome>,
    closed: Result<(), Refusal>,
}

/// The answers of all lives; they end with the first that could not be opened or was broken off,
/// and with what broke it off.
fn lives(
    subject: &CommandSubject,
    about: &About,
    place: &Path,
    plan: &Plan,
) -> (VecDeque<Life>, Option<DriverError>) {
    let mut oracle = Oracle::new(&plan.settings, about.capabilities);
    let mut lives = VecDeque::new();
    for ops in plan.ops.split(|op| *op == Op::Reopen) {
        let settings = plan.settings.after_draws(oracle.draws());
        let (life, fault) = live(subject, place, &settings, ops);
        let over = life.opened.is_err() || life.closed.is_err();
        lives.push_back(life);
        if over {
            return (lives, fault);
        }
        for op in ops.iter().chain([&Op::Reopen]) {
            oracle.step(op);
        }
    }
    (lives, None)
}

fn live(
    subject: &CommandSubject,
    place: &Path,
    settings: &Settings,
    ops: &[Op],
) -> (Life, Option<DriverError>) {
    let mut life = Life { opened: Ok(()), outcomes: VecDeque::new(), closed: Ok(()) };
    let store = match subject.try_open(place, settings) {
        Ok(Ok(store)) => store,
        Ok(Err(refusal)) => return (Life { opened: Err(refusal), ..life }, None),
        Err(error) => return (Life { opened: Err(Refusal::from(&error)), ..life }, Some(error)),
    };
    let closed = store.apply_window(ops, WINDOW).and_then(|outcomes| {
        life.outcomes = outcomes.into();
        store.try_close()
    });
    match closed {
        Ok(closed) => (Life { closed, ..life }, None),
        // Whoever breaks off leaves the rest in doubt.
        Err(error) => (Life { closed: Err(Refusal::from(&error)), ..life }, Some(error)),
    }
}

/// Recites answers that were given before, to be compared with the oracle's.
struct Recital<'a> {
    about: &'a About,
    lives: Mutex<VecDeque<Life>>,
}

impl Subject<()> for Recital<'_> {
    fn about(&self) -> &About {
        self.about
    }

    fn open(&self, (): &(), _settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let Some(life) = self.lives.lock().pop_front() else {
            let message = "the driver was gone by then".to_owned();
            return Err(Refusal { class: ErrorClass::InDoubt, message });
        };
        life.opened?;
        let outcomes = Mutex::new(life.outcomes);
        Ok(Box::new(Recited { outcomes, closed: life.closed }))
    }
}

struct Recited {
    outcomes: Mutex<VecDeque<Outcome>>,
    closed: Result<(), Refusal>,
}

impl Store for Recited {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(Reciting(&self.outcomes))
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        self.closed
    }
}

struct Reciting<'a>(&'a Mutex<VecDeque<Outcome>>);

impl Client for Reciting<'_> {
    fn apply(&mut self, _op: &Op) -> Outcome {
        self.0.lock().pop_front().unwrap_or(Outcome::Failed(ErrorClass::InDoubt))
    }
}
