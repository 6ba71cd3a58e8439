//! What is due of a store after a crash: by the subject's own promise, life after life.
//!
//! Of simulated disks and recorded programs alike: nothing here knows where a state came from.

#[cfg(test)]
mod tests;

use proofhouse_crash::{CrashKind, CrashState};
use proofhouse_model::{
    Capabilities, History, Kept, Promises, Recovered, Settings, State, Violation, Window, accept,
};

use crate::finding::Kind;

/// What is wrong with a store, in kind and words.
pub type Wrong = (Kind, String);

/// What is due of whatever a crash of one life leaves.
#[derive(Debug, Clone)]
pub struct Due {
    promises: Promises,
    /// What counts until this life's open has shown something.
    before: Before,
    /// What counts once it has; in the first life the same as before.
    own: History,
}

/// What was due when a life began.
#[derive(Debug, Clone)]
struct Before {
    history: History,
    /// The events of the lives before, by the last crash; nothing in the first life.
    window: Window,
    /// The least that is promised after any of the crashes before.
    promised: Kept,
}

/// A history, and which of its states may be shown.
struct Candidate<'a> {
    history: &'a History,
    window: Window,
}

impl Due {
    /// Of the life that carries out a plan: `history` is what the plan commits.
    pub fn of_plan(promises: Promises, history: History) -> Self {
        let window = Window { acknowledged: 0, issued: 0 };
        let before = Before { history: history.clone(), window, promised: Kept::AllAcknowledged };
        Self { promises, before, own: history }
    }

    /// Of the life after a crash of this one: `own` begins with the state that its open showed.
    pub fn after(&self, crash: &CrashState, own: History) -> Self {
        let history = if crash.shown.is_some() { &self.own } else { &self.before.history };
        let before = Before {
            history: history.clone(),
            window: window(crash),
            promised: self.before.promised.min(self.promise(crash.kind)),
        };
        Self { promises: self.promises, before, own }
    }

    /// Whether what is shown after a clean close of this life is all of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn closed(&self, shown: &State) -> Result<(), Wrong> {
        let events = self.own.events();
        let all = Window { acknowledged: events, issued: events };
        match accept(&self.own, all, shown) {
            Ok(_) => Ok(()),
            Err(violation) => Err(self.tell(&violation, shown)),
        }
    }

    /// Whether anything is promised after this kind of crash; else no state can be wrong.
    pub fn judges(&self, crash: CrashKind) -> bool {
        self.before.promised.min(self.promise(crash)) != Kept::Nothing
    }

    /// Whether a state shown is due.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn accept(
        &self,
        crash: &CrashState,
        shown: &State,
        settings: &Settings,
        capabilities: Capabilities,
    ) -> Result<Recovered, Wrong> {
        let accept = |one: &Candidate<'_>| {
            Recovered::accept(one.history, one.window, shown, settings, capabilities)
        };
        let (likeliest, other) = self.candidates(crash);
        accept(&likeliest)
            .or_else(|violation| other.and_then(|other| accept(&other).ok()).ok_or(violation))
            .map_err(|violation| match violation {
                Violation::Lost { .. } if likeliest.window.acknowledged < crash.acked => {
                    let all = crash.acked;
                    let words = format!("{violation} and promised ({all} were acknowledged)");
                    (Kind::Lost, words)
                }
                violation => self.tell(&violation, shown),
            })
    }

    /// What is due after a crash, in words.
    pub fn words(&self, crash: &CrashState) -> String {
        let (likeliest, other) = self.candidates(crash);
        let Window { acknowledged: least, issued: most } = likeliest.window;
        let events = match (most - least, most) {
            (0, 1) => "1 event".to_owned(),
            (0, _) => format!("{most} events"),
            _ => format!("{least} to {most} events"),
        };
        let life = if crash.shown.is_some() { " on top of what the open showed" } else { "" };
        let or = if other.is_some() { ", or what was due before that" } else { "" };
        format!("the state after {events}{life}{or} ({})", window(crash))
    }

    /// In which states a store may be after a crash. If this life's open has shown something that
    /// need not be kept, and nothing of this life is due, what was due before it may show again.
    fn candidates(&self, crash: &CrashState) -> (Candidate<'_>, Option<Candidate<'_>>) {
        let promise = self.promise(crash.kind);
        let before = |window| Candidate {
            history: &self.before.history,
            window: promised(&self.before.history, window, self.before.promised.min(promise)),
        };
        if crash.shown.is_none() {
            return (before(window(crash)), None);
        }
        let own = promised(&self.own, window(crash), promise);
        let forgotten = own.acknowledged == 0 && !self.keeps_shown(crash.kind);
        let other = forgotten.then(|| before(self.before.window));
        (Candidate { history: &self.own, window: own }, other)
    }

    /// A state of an earlier life is no part of a state: what came since is lost.
    fn tell(&self, violation: &Violation, shown: &State) -> Wrong {
        let partial = matches!(violation, Violation::Partial { .. });
        let mut earlier = self.before.history.states();
        if partial && let Some((events, _)) = earlier.find(|(_, state)| *state == shown) {
            let words = format!("lost: shows the state after {events} events of an earlier life");
            return (Kind::Lost, words);
        }
        (violation.kind().into(), violation.to_string())
    }

    fn promise(&self, crash: CrashKind) -> Kept {
        match crash {
            CrashKind::ProcessKill => self.promises.after_kill,
            CrashKind::PowerLoss => self.promises.after_power_loss,
        }
    }

    fn keeps_shown(&self, crash: CrashKind) -> bool {
        match crash {
            CrashKind::ProcessKill => self.promises.shown_after_kill,
            CrashKind::PowerLoss => self.promises.shown_after_power_loss,
        }
    }
}

fn window(crash: &CrashState) -> Window {
    Window { acknowledged: crash.acked, issued: crash.issued }
}

/// The window that a promise leaves; where nothing is promised, none of the events is due.
fn promised(history: &History, window: Window, kept: Kept) -> Window {
    let synced = history.synced(window.issued);
    window.promised(kept, synced).unwrap_or(Window { acknowledged: 0, ..window })
}
