//! One state after a crash: opened, read, lived in, judged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use proofhouse_crash::{CrashKind, CrashState, Tree};
use proofhouse_model::{
    About, Got, History, Kept, Marks, Plan, Promises, Recovered, State, Store, Subject, Universe,
    Violation, life_two, observe,
};
use proofhouse_subjects::{CommandSubject, DriverError};

use crate::due::{self, Due};
use crate::finding::Kind;
use crate::profile::Promise;
use crate::scratch::Scratch;

use super::drive::{Ledger, Recipe};

/// Judges what crashes of one plan leave. Processes of the engine are kept and used again, one
/// for each thread that judges.
pub struct Judge<'a> {
    recipe: Recipe,
    plan: &'a Plan,
    universe: Universe,
    about: &'a About,
    scratch: PathBuf,
    idle: Mutex<Vec<CommandSubject>>,
}

/// What is wrong with a state.
#[derive(Debug, Clone)]
pub struct Wrong {
    /// In kind.
    pub kind: Kind,
    /// What was shown, and what was due.
    pub words: String,
    /// Whether the engine promised otherwise.
    pub promised: bool,
}

/// What is due of a life's crashes, by what the engine promises and by more than that.
#[derive(Debug, Clone)]
pub struct Dues {
    /// By its own promise.
    pub own: Due,
    /// As if it had promised to keep everything, if that is asked for.
    pub beyond: Option<Due>,
}

/// Everything that can be promised.
const ALL: Promises = Promises {
    after_kill: Kept::AllAcknowledged,
    after_power_loss: Kept::AllAcknowledged,
    atomic: true,
    shown_after_kill: true,
    shown_after_power_loss: true,
};

impl Dues {
    /// Of the life that carries out a plan.
    pub fn of_plan(promises: Promises, history: &History, promise: Promise) -> Self {
        Self {
            own: Due::of_plan(promises, history.clone()),
            beyond: (promise == Promise::All).then(|| Due::of_plan(ALL, history.clone())),
        }
    }

    /// Of the life after a crash of this one.
    pub fn after(&self, crash: &CrashState, own: &History) -> Self {
        Self {
            own: self.own.after(crash, own.clone()),
            beyond: self.beyond.as_ref().map(|due| due.after(crash, own.clone())),
        }
    }

    /// Whether any state can be wrong after this kind of crash.
    pub fn judges(&self, crash: CrashKind) -> bool {
        self.beyond.is_some() || self.own.judges(crash)
    }
}

impl<'a> Judge<'a> {
    /// A judge of crashes of `plan` in an engine; directories go below `scratch`.
    pub fn new(recipe: &Recipe, plan: &'a Plan, about: &'a About, scratch: &Path) -> Self {
        let (recipe, universe) = (recipe.clone(), Universe::of(plan));
        let (scratch, idle) = (scratch.to_path_buf(), Mutex::default());
        Self { recipe, plan, universe, about, scratch, idle }
    }

    /// What the engine was asked.
    pub fn plan(&self) -> &Plan {
        self.plan
    }

    /// Judges the state that is in `tree`, in whatever process is free.
    ///
    /// # Errors
    /// What is [`Wrong`] with it.
    pub fn judge(&self, tree: &Tree, dues: &Dues, crash: &CrashState) -> Result<(), Wrong> {
        let place = self.place(tree).map_err(|error| broken(&error))?;
        self.judge_dir(place.path(), dues, crash)
    }

    /// Judges the state in a process that has seen no other.
    ///
    /// # Errors
    /// What is [`Wrong`] with it.
    pub fn judge_afresh(&self, tree: &Tree, dues: &Dues, crash: &CrashState) -> Result<(), Wrong> {
        let subject = self.start().map_err(|error| broken(&error))?;
        let place = self.place(tree).map_err(|error| broken(&error))?;
        self.live(&subject, place.path(), dues, crash)
    }

    /// Judges what is in a directory, which changes by it, in whatever process is free.
    ///
    /// # Errors
    /// What is [`Wrong`] with it.
    pub fn judge_dir(&self, dir: &Path, dues: &Dues, crash: &CrashState) -> Result<(), Wrong> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let subject = idle.map_or_else(|| self.start(), Ok).map_err(|error| broken(&error))?;
        let judged = self.live(&subject, dir, dues, crash);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(subject);
        judged
    }

    /// Starts a process of the engine.
    ///
    /// # Errors
    /// [`DriverError`].
    pub fn start(&self) -> Result<CommandSubject, DriverError> {
        CommandSubject::new(self.recipe.line.clone(), self.recipe.driving.watchdog)
    }

    /// A directory that holds `tree`.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn place(&self, tree: &Tree) -> io::Result<Scratch> {
        let place = Scratch::below(&self.scratch)?;
        tree.write_to(place.path())?;
        Ok(place)
    }

    /// What is due of a recovery and of the life after it: it shows a state that the promise
    /// allows, a second open shows the same, two commits answer as the oracle, a clean close
    /// keeps all.
    fn live(
        &self,
        subject: &CommandSubject,
        dir: &Path,
        dues: &Dues,
        crash: &CrashState,
    ) -> Result<(), Wrong> {
        let promised = dues.own.judges(crash.kind);
        let due = match &dues.beyond {
            Some(beyond) if !promised => beyond,
            _ => &dues.own,
        };
        let lived = || {
            let (shown, accepted) = self.with_store(subject, dir, |store| {
                let shown = self.see(store)?;
                let accepted = self.accept(due, crash, &shown)?;
                Ok((shown, accepted))
            })?;
            self.live_on(subject, dir, &shown, accepted)?;
            Ok(shown)
        };
        let shown = lived().map_err(|wrong: Told| {
            let (kind, words) = wrong.explained(subject);
            // Where transactions need not be whole, neither need states be.
            let torn = kind == Kind::Partial && !self.about.promises.atomic;
            Wrong { kind, words, promised: promised && !torn }
        })?;
        let beyond = dues.beyond.as_ref().map(|due| self.accept(due, crash, &shown));
        match beyond {
            Some(Err((kind, words))) => Err(Wrong { kind, words, promised: false }),
            _ => Ok(()),
        }
    }

    fn live_on(
        &self,
        subject: &CommandSubject,
        dir: &Path,
        shown: &State,
        accepted: Recovered,
    ) -> Result<(), Told> {
        let left = self.with_store(subject, dir, |store| {
            let again = self.see(store)?;
            if again != *shown {
                return Err(Violation::Unstable { differences: shown.differences(&again) }.into());
            }
            self.two_commits(store, shown, accepted, &mut ())
        })?;
        self.with_store(subject, dir, |store| {
            let kept = self.see(store)?;
            match left.last().differences(&kept).first() {
                None => Ok(()),
                Some(first) => {
                    let words = format!("after a clean close of the next life, {first}");
                    Err(Told::Wrong((Kind::Lost, words)))
                }
            }
        })
    }

    /// Opens a store and closes it cleanly, also after something was wrong with it: a store that
    /// is dropped takes its process with it.
    fn with_store<T>(
        &self,
        subject: &CommandSubject,
        dir: &Path,
        act: impl FnOnce(&dyn Store) -> Result<T, Told>,
    ) -> Result<T, Told> {
        let store = self.open(subject, dir)?;
        let came_to = act(store.as_ref());
        let closed = store.close().map_err(Violation::Refused);
        let came_to = came_to?;
        closed?;
        Ok(came_to)
    }

    /// The life after a recovery, for the record: what it showed is marked, then two commits.
    /// Answers what is due of it.
    ///
    /// # Errors
    /// What goes wrong in it, in kind and words.
    pub fn second_life(
        &self,
        subject: &CommandSubject,
        dir: &Path,
        due: &Due,
        crash: &CrashState,
        ledger: Option<&mut Ledger>,
    ) -> Result<History, due::Wrong> {
        let lived = self.with_store(subject, dir, |store| {
            let shown = self.see(store)?;
            let accepted = self.accept(due, crash, &shown)?;
            match ledger {
                Some(ledger) => {
                    ledger.shown(0);
                    self.two_commits(store, &shown, accepted, ledger)
                }
                None => self.two_commits(store, &shown, accepted, &mut ()),
            }
        });
        lived.map_err(|told| told.explained(subject))
    }

    fn accept(
        &self,
        due: &Due,
        crash: &CrashState,
        shown: &State,
    ) -> Result<Recovered, due::Wrong> {
        due.accept(crash, shown, &self.plan.settings, self.about.capabilities)
    }

    fn two_commits(
        &self,
        store: &dyn Store,
        shown: &State,
        accepted: Recovered,
        marks: &mut dyn Marks,
    ) -> Result<History, Told> {
        let ops = life_two(shown, self.about.capabilities, 2);
        let run = accepted.live_on(store.client().as_mut(), &ops, marks);
        let run = run.map_err(|divergence| {
            let kind = match divergence.got {
                Got::Panicked(_) => Kind::Panic,
                Got::Outcome(_) | Got::Refused(_) => Kind::Divergence,
            };
            Told::Wrong((kind, format!("after the recovery, {divergence}")))
        })?;
        Ok(run.history)
    }

    fn open(&self, subject: &CommandSubject, dir: &Path) -> Result<Box<dyn Store>, Violation> {
        subject.open(dir, &self.plan.settings).map_err(Violation::Refused)
    }

    fn see(&self, store: &dyn Store) -> Result<State, Violation> {
        observe(store.client().as_mut(), &self.universe, self.about.capabilities)
    }
}

/// The harness could not judge.
fn broken(error: &dyn std::error::Error) -> Wrong {
    Wrong { kind: Kind::HarnessBroken, words: error.to_string(), promised: true }
}

/// What went wrong, as it was noticed.
enum Told {
    Violation(Violation),
    Wrong(due::Wrong),
}

impl From<due::Wrong> for Told {
    fn from(wrong: due::Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<Violation> for Told {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl Told {
    /// In kind and words; if the process itself went wrong, that is what there is to say.
    fn explained(self, subject: &CommandSubject) -> due::Wrong {
        let told = match self {
            Self::Violation(violation) => (violation.kind().into(), violation.to_string()),
            Self::Wrong(wrong) => wrong,
        };
        match subject.take_failure() {
            Some(error) => {
                let hung = matches!(error.fault, proofhouse_subjects::command::Fault::Hung { .. });
                (if hung { Kind::Hang } else { Kind::RecoveryFailed }, error.to_string())
            }
            None => told,
        }
    }
}
