//! Real kills of a driver's process, at the entry and the exit of its calls and at random moments.

use std::io;
use std::path::Path;

use proofhouse_crash::{Choice, Fate, KillAt, Profile as Media, RecordEnd, Recorded, Tree, When};
use proofhouse_model::{Plan, RunOptions, Window, run};

use super::drive::{Kill, Recipe};
use super::judge::{Dues, Judge, Wrong};
use crate::case::{CrashedLife, Scene};
use crate::finding::Kind;
use crate::scratch::Scratch;

/// What a kill came to.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is counted by itself")]
pub struct Killed {
    /// Whether the process died by it: a moment may come after its end.
    pub hit: bool,
    /// Whether its calls up to there were those of the undisturbed run.
    pub as_recorded: bool,
    /// Whether the store's creation was over.
    pub created: bool,
    /// Whether what it left was compared with what was recorded: of a call that a process died in
    /// nobody can say how far it got.
    pub compared: bool,
    /// What is wrong with what it left, as a process that saw no other state shows it; and how to
    /// leave the same again.
    pub wrong: Option<(Wrong, Scene)>,
    /// What was wrong, if such a process did not show it again.
    pub unconfirmed: Option<Wrong>,
}

/// The kills at the entry and the exit of each of so many calls.
pub fn at_calls(calls: usize) -> impl Iterator<Item = Kill> {
    let sides = |call| [When::Entry, When::Exit].map(|when| Kill::At(KillAt { call, when }));
    (0..calls as u64).flat_map(sides)
}

/// What is known of the undisturbed run of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Undisturbed<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was recorded of it.
    pub recorded: &'a Recorded,
    /// What is due of its crashes.
    pub dues: &'a Dues,
}

/// Carries out a plan in a process that is killed, on real files below `dir`; compares what is
/// left with what was recorded, byte for byte; recovers it, and judges.
///
/// # Errors
/// Whatever the system says of processes and files.
pub fn kill(
    recipe: &Recipe,
    judge: &Judge,
    undisturbed: Undisturbed,
    dir: &Path,
    kill: Kill,
) -> io::Result<Killed> {
    let place = Scratch::below(dir)?;
    let options = RunOptions { history: false, close: true };
    let (recorded, _) = recipe.drive(place.path(), kill, |subject, ledger| {
        // That it breaks off is what it is for.
        let _ = run(subject, place.path(), undisturbed.plan, options, ledger);
    })?;
    let end = Choice { at: recorded.trace.ops.len(), fate: Fate::Kill { cut: None } };
    let crash = recorded.trace.state(&end).map_err(io::Error::other)?;
    let left = Tree::read_from(place.path())?;
    let compared = recorded.not_measured.is_empty() && recorded.interrupted().is_none();
    let differences = if compared { recorded.compare(place.path())? } else { Vec::new() };
    let (mut wrong, mut unconfirmed) = (None, None);
    if let Some(first) = differences.first() {
        let words = format!("a killed process left other files than were recorded: {first}");
        wrong = Some(Wrong { kind: Kind::HarnessBroken, words, promised: true });
    } else if let Err(seen) = judge.judge_dir(place.path(), undisturbed.dues, &crash) {
        let again = judge.judge_afresh(&left, undisturbed.dues, &crash).err();
        wrong = again.filter(|again| (again.kind, again.promised) == (seen.kind, seen.promised));
        unconfirmed = wrong.is_none().then_some(seen);
    }
    let window = Window { acknowledged: crash.acked, issued: crash.issued };
    // Files that are as the recording has them are made again from it, which tells how they came.
    let scene = || {
        if compared && differences.is_empty() {
            let lives = vec![CrashedLife::new(&recorded.trace, end)];
            Scene::Recorded { media: Media::Posix, lives, before: None }
        } else {
            Scene::Killed { window, image: Box::new(left) }
        }
    };
    Ok(Killed {
        hit: recorded.end == RecordEnd::Killed,
        as_recorded: undisturbed.recorded.trace.ops.starts_with(&recorded.trace.ops),
        created: crash.shown.is_some(),
        compared,
        wrong: wrong.map(|wrong| (wrong, scene())),
        unconfirmed,
    })
}
