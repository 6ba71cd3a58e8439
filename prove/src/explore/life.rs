//! The life after a crash: open, read everything, open again, commit twice, close, read again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proofhouse_crash::{CrashState, SimDisk};
use proofhouse_model::{Got, Recovered, State, Store, Violation, life_two, observe, panic_message};

use super::{DiskMarks, Explorer, Recorded};
use crate::due::Wrong;
use crate::finding::Kind;
use crate::story::{Act, Step};

/// A store that was recovered once, judged, and left without a close.
pub(super) struct Recovery {
    /// The disk as the recovery left it.
    pub(super) disk: SimDisk,
    /// What was shown.
    pub(super) shown: State,
    /// What is known of it.
    pub(super) accepted: Recovered,
}

impl Explorer<'_> {
    /// Opens, reads everything by every path, and drops the store as a kill would.
    pub(super) fn look(&self, disk: &SimDisk) -> Result<State, Wrong> {
        guard(|| self.see(self.open(disk)?.as_ref()))
    }

    /// What is due of the life after a recovery: a second open shows the same, two commits answer
    /// as the oracle, a clean close keeps all. Answers the life's record.
    pub(super) fn live_on(
        &self,
        recovery: Recovery,
        recorded: &Recorded,
        state: &CrashState,
    ) -> Result<Recorded, Wrong> {
        let Recovery { disk, shown, accepted } = recovery;
        let ops = life_two(&shown, self.subject.about().capabilities, 2);
        let mut marks = DiskMarks::new(&disk, &ops);
        marks.steps.push(Step { at: 0, act: Act::Open });
        marks.note(Act::OpenAgain);
        let store = guard(|| self.open(&disk))?;
        let again = guard(|| self.see(store.as_ref()))?;
        if again != shown {
            return Err(wrong(&Violation::Unstable { differences: shown.differences(&again) }));
        }
        let run =
            accepted.live_on(store.client().as_mut(), &ops, &mut marks).map_err(|divergence| {
                let kind = match divergence.got {
                    Got::Panicked(_) => Kind::Panic,
                    Got::Outcome(_) | Got::Refused(_) => Kind::Divergence,
                };
                (kind, format!("after the recovery, {divergence}"))
            })?;
        marks.note(Act::Close);
        let steps = marks.steps;
        guard(|| store.close().map_err(Violation::Refused))?;
        let trace = disk.trace();
        let kept = self.look(&disk)?;
        let due = recorded.due.after(state, run.history);
        due.closed(&kept).map_err(|(kind, words)| {
            (kind, format!("after a clean close of the next life, {words}"))
        })?;
        Ok(Recorded { trace, steps, due })
    }

    fn open(&self, disk: &SimDisk) -> Result<Box<dyn Store>, Violation> {
        self.subject.open(disk, &self.plan.settings).map_err(Violation::Refused)
    }

    fn see(&self, store: &dyn Store) -> Result<State, Violation> {
        let capabilities = self.subject.about().capabilities;
        observe(store.client().as_mut(), &self.universe, capabilities)
    }
}

fn wrong(violation: &Violation) -> Wrong {
    (violation.kind().into(), violation.to_string())
}

/// A panic in the subject is its answer, not the end of the harness. The subject is not used again
/// after one.
fn guard<T>(act: impl FnOnce() -> Result<T, Violation>) -> Result<T, Wrong> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|payload| Err(Violation::Panicked(panic_message(payload.as_ref()))))
        .map_err(|violation| wrong(&violation))
}
