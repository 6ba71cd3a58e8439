//! Crashes of recorded lives, played again from what a case file holds.

use proofhouse_crash::{
    BadChoice, Choice, CrashKind, CrashState, Fate, Profile as Media, TraceFileError, Tree,
};
use proofhouse_model::{
    About, Divergence, History, OraclePlace, OracleSubject, Plan, RunOptions, Window, run,
};
use proofhouse_subjects::DriverError;

use super::judge::{Dues, Judge, Wrong};
use crate::case::CrashedLife;
use crate::profile::Promise;

/// Why crashes cannot be played again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A case without a crash.
    #[error("the case holds no crash")]
    Empty,
    /// The plan is not one that the oracle can carry out.
    #[error("the plan: {0}")]
    Plan(#[from] Box<Divergence>),
    /// A trace that cannot be read.
    #[error("the case's trace: {0}")]
    Trace(#[from] TraceFileError),
    /// A crash that is none of its trace.
    #[error("the case's crash: {0}")]
    Choice(#[from] BadChoice),
    /// The engine's process.
    #[error("{0}")]
    Driver(#[from] DriverError),
    /// Files for the engine.
    #[error("a directory for the store: {0}")]
    Place(#[from] std::io::Error),
}

/// Makes the last crash's state again and judges it, in a process that has seen no other.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(
    judge: &Judge,
    about: &About,
    lives: &[CrashedLife],
    media: Media,
    promise: Promise,
) -> Result<Option<Wrong>, ReplayError> {
    let (last, before) = lives.split_last().ok_or(ReplayError::Empty)?;
    let history = history(judge.plan(), about)?;
    let mut dues = Dues::of_plan(about.promises, &history, promise);
    for life in before {
        let crash = life.trace()?.state_under(&life.choice, media)?;
        let place = judge.place(&crash.visible())?;
        let own = judge.second_life(&judge.start()?, place.path(), &dues.own, &crash, None);
        match own {
            Ok(own) => dues = dues.after(&crash, &own),
            Err((kind, words)) => return Ok(Some(Wrong { kind, words, promised: true })),
        }
    }
    let crash = last.trace()?.state_under(&last.choice, media)?;
    Ok(judge.judge_afresh(&crash.visible(), &dues, &crash).err())
}

/// Judges the files that a real kill left, in a process that has seen no others.
///
/// # Errors
/// [`ReplayError`].
pub fn killed(
    judge: &Judge,
    about: &About,
    window: Window,
    image: &Tree,
    promise: Promise,
) -> Result<Option<Wrong>, ReplayError> {
    let dues = Dues::of_plan(about.promises, &history(judge.plan(), about)?, promise);
    let crash = CrashState {
        at: 0,
        kind: CrashKind::ProcessKill,
        base: image.clone(),
        pending: Vec::new(),
        acked: window.acknowledged,
        issued: window.issued,
        shown: None,
        choice: Choice { at: 0, fate: Fate::Kill { cut: None } },
    };
    Ok(judge.judge_afresh(image, &dues, &crash).err())
}

/// The states that a plan goes through, by the oracle alone.
///
/// # Errors
/// The oracle disagrees with itself: the plan asks for what the engine does not offer.
pub fn history(plan: &Plan, about: &About) -> Result<History, Box<Divergence>> {
    let oracle = OracleSubject::new(about.capabilities);
    let options = RunOptions { history: true, close: false };
    Ok(run(&oracle, &OraclePlace::default(), plan, options, &mut ())?.history)
}
