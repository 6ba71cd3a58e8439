//! Running a plan in a subject, with the oracle beside it.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::history::History;
use crate::op::Op;
use crate::oracle::Oracle;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::subject::{Client, Refusal, Subject};

/// Is told how far a run has come. All methods do nothing unless defined.
pub trait Marks {
    /// The operation with this index, counted from 0, comes next; after the last one, the final
    /// close.
    fn step(&mut self, _index: usize) {}

    /// The operation that will be event `event`, counted from 1, is about to be asked.
    fn issue(&mut self, _event: u64) {}

    /// Event `event` was acknowledged.
    fn ack(&mut self, _event: u64) {}
}

/// For those who need not know.
impl Marks for () {}

/// What to do beside running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// Keep the state after every event.
    pub history: bool,
    /// Close cleanly at the end; otherwise the store is only dropped.
    pub close: bool,
}

/// A run without divergence.
#[derive(Debug, Clone)]
pub struct Run {
    /// The oracle as it stands after the last operation.
    pub oracle: Oracle,
    /// The state at the start and after every event; only the start if no history was asked for.
    pub history: History,
}

/// Where a subject's answer was not the one due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operation {index}, {op}: due: {due}; got: {got}")]
pub struct Divergence {
    /// The operation's index, counted from 0. The first open is told as a reopen at 0, the final
    /// close as a reopen after the last operation.
    pub index: usize,
    /// The operation.
    pub op: Op,
    /// What the oracle answered.
    pub due: Outcome,
    /// What the subject answered.
    pub got: Got,
}

/// What came instead of the outcome that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// Another outcome.
    Outcome(Outcome),
    /// The store did not open or close.
    Refused(Refusal),
    /// The engine panicked.
    Panicked(String),
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome(outcome) => outcome.fmt(f),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

/// Runs a plan with one client and compares every outcome with the oracle's.
///
/// A plan's operations must be those that the subject offers ([`Plan::for_capabilities`]).
///
/// # Errors
/// The first [`Divergence`]; a panic in the subject is one.
pub fn run<P: ?Sized>(
    subject: &dyn Subject<P>,
    place: &P,
    plan: &Plan,
    options: RunOptions,
    marks: &mut dyn Marks,
) -> Result<Run, Box<Divergence>> {
    let oracle = Oracle::new(&plan.settings, subject.about().capabilities);
    let mut lockstep = Lockstep::new(oracle, Vec::new(), options.history);
    let mut lives = plan.ops.split(|op| *op == Op::Reopen).enumerate().peekable();
    while let Some((number, life)) = lives.next() {
        let settings = plan.settings.after_draws(lockstep.first.run.oracle.draws());
        let store = lockstep.turn(|| subject.open(place, &settings))?;
        lockstep.index += usize::from(number > 0);
        lockstep.apply(store.client().as_mut(), life, marks)?;
        let reopens = lives.peek().is_some();
        if reopens || options.close {
            marks.step(lockstep.index);
            lockstep.turn(|| store.close())?;
        }
        if reopens {
            lockstep.first.step(&Op::Reopen);
        }
    }
    Ok(lockstep.into_run())
}

/// One or more oracles beside a subject: those that disagree with it drop out, one must remain.
pub(crate) struct Lockstep {
    first: Candidate,
    others: Vec<Candidate>,
    index: usize,
}

struct Candidate {
    run: Run,
    history: bool,
    due: Outcome,
}

impl Candidate {
    fn new(oracle: Oracle, history: bool) -> Self {
        let start = History::from_state(oracle.state().clone(), oracle.sequence());
        Self { run: Run { oracle, history: start }, history, due: Outcome::Done }
    }

    /// Steps, remembers what is due, and answers the event's number if the operation is one.
    fn step(&mut self, op: &Op) -> Option<u64> {
        let Run { oracle, history } = &mut self.run;
        let before = oracle.events();
        self.due = oracle.step(op);
        let event = Some(oracle.events()).filter(|event| *event > before);
        if event.is_some() && self.history {
            history.push(oracle.state().clone(), oracle.sequence());
        }
        if *op == Op::Checkpoint && self.due == Outcome::Done {
            history.sync();
        }
        event
    }
}

impl Lockstep {
    pub(crate) fn new(oracle: Oracle, others: Vec<Oracle>, history: bool) -> Self {
        let others = others.into_iter().map(|other| Candidate::new(other, history)).collect();
        Self { first: Candidate::new(oracle, history), others, index: 0 }
    }

    pub(crate) fn into_run(self) -> Run {
        self.first.run
    }

    /// Asks each operation and compares the outcome with the one due.
    pub(crate) fn apply(
        &mut self,
        client: &mut dyn Client,
        ops: &[Op],
        marks: &mut dyn Marks,
    ) -> Result<(), Box<Divergence>> {
        for op in ops {
            marks.step(self.index);
            let event = self.first.step(op);
            if let Some(event) = event {
                marks.issue(event);
            }
            let got = catch(|| client.apply(op)).map_err(|got| self.diverged(op, got))?;
            self.others.retain_mut(|other| {
                other.step(op);
                other.due == got
            });
            if got != self.first.due {
                if self.others.is_empty() {
                    return Err(self.diverged(op, Got::Outcome(got)));
                }
                self.first = self.others.swap_remove(0);
            }
            if let Some(event) = event {
                marks.ack(event);
            }
            self.index += 1;
        }
        Ok(())
    }

    /// Opens or closes, which is due to succeed.
    fn turn<T>(&self, turn: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Box<Divergence>> {
        let answer = catch(turn).and_then(|answer| answer.map_err(Got::Refused));
        answer.map_err(|got| {
            let due = Outcome::Done;
            Box::new(Divergence { index: self.index, op: Op::Reopen, due, got })
        })
    }

    fn diverged(&self, op: &Op, got: Got) -> Box<Divergence> {
        let due = self.first.due.clone();
        Box::new(Divergence { index: self.index, op: op.clone(), due, got })
    }
}

/// A panic in the subject is its answer, not the end of the harness. The subject is not used
/// again after one, so what the panic left half done cannot be seen.
fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Got> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|payload| Got::Panicked(panic_message(payload.as_ref())))
}

/// The words of a panic, as far as it has any.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "(without words)".to_owned())
}

#[cfg(test)]
mod tests;
