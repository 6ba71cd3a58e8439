use proofhouse_crash::{Choice, Fate, Profile, Rest, Tree};
use proofhouse_model::{Collection, Id};

use super::*;

const C: Collection = Collection(0);

/// The state after `events` events: an entity for each.
fn state(events: u8) -> State {
    let mut state = State::default();
    state.create(C);
    for n in 0..events {
        state.put(C, Id::nth(n), vec![n].into());
    }
    state
}

/// `first` to `last`, with a sync before the last event.
fn history(first: u8, last: u8) -> History {
    let mut history = History::from_state(state(first), first.into());
    for n in first + 1..=last {
        if n == last {
            history.sync();
        }
        history.push(state(n), n.into());
    }
    history
}

fn crash(kind: CrashKind, acked: u64, issued: u64, shown: Option<u64>) -> CrashState {
    let fate = match kind {
        CrashKind::ProcessKill => Fate::Kill { cut: None },
        CrashKind::PowerLoss => {
            Fate::PowerLoss { profile: Profile::Posix, rest: Rest::Lost, except: Vec::new() }
        }
    };
    let (base, choice) = (Tree::new(), Choice { at: 0, fate });
    CrashState { at: 0, kind, base, pending: Vec::new(), acked, issued, shown, choice }
}

fn promises(after_power_loss: Kept, shown: bool) -> Promises {
    Promises {
        after_kill: Kept::AllAcknowledged,
        after_power_loss,
        atomic: true,
        shown_after_kill: true,
        shown_after_power_loss: shown,
    }
}

/// Which of the states after 0 to 9 events may be shown.
fn accepted(due: &Due, crash: &CrashState) -> Vec<u8> {
    let settings = Settings { wal_reserve: 0, max_segment: 0, entropy: vec![], max_payload: 0 };
    let accept = |n: &u8| due.accept(crash, &state(*n), &settings, Capabilities::ALL).is_ok();
    (0..10).filter(accept).collect()
}

const POWER: CrashKind = CrashKind::PowerLoss;
const KILL: CrashKind = CrashKind::ProcessKill;

#[test]
fn the_window_begins_where_the_promise_does() {
    for (kept, due) in [
        (Kept::Prefix, vec![0, 1, 2, 3, 4, 5]),
        (Kept::UpToSync, vec![4, 5]),
        (Kept::AllAcknowledged, vec![5]),
    ] {
        let life = Due::of_plan(promises(kept, true), history(0, 5));
        assert_eq!(accepted(&life, &crash(POWER, 5, 5, None)), due, "{kept:?}");
        assert_eq!(accepted(&life, &crash(KILL, 5, 5, None)), [5], "{kept:?}");
    }
    assert!(!Due::of_plan(promises(Kept::Nothing, true), history(0, 5)).judges(POWER));
    assert!(Due::of_plan(promises(Kept::Nothing, true), history(0, 5)).judges(KILL));
}

#[test]
fn a_loss_beyond_the_promise_says_what_was_promised() {
    let life = Due::of_plan(promises(Kept::UpToSync, true), history(0, 5));
    let settings = Settings { wal_reserve: 0, max_segment: 0, entropy: vec![], max_payload: 0 };
    let wrong = life.accept(&crash(POWER, 5, 5, None), &state(3), &settings, Capabilities::ALL);
    let told = "lost: shows the state after 3 events, but 4 were acknowledged and promised \
                (5 were acknowledged)";
    assert_eq!(wrong.unwrap_err(), (Kind::Lost, told.to_owned()));
}

#[test]
fn what_an_open_has_shown_is_due_if_it_was_promised() {
    // Five were acknowledged, a kill left them; two more follow in the next life.
    for (shown, due) in [(true, vec![5, 6]), (false, vec![4, 5, 6])] {
        let first = Due::of_plan(promises(Kept::UpToSync, shown), history(0, 5));
        let next = first.after(&crash(KILL, 5, 5, None), history(5, 7));
        assert_eq!(accepted(&next, &crash(POWER, 0, 1, Some(0))), due, "{shown}");
        assert_eq!(accepted(&next, &crash(KILL, 1, 1, Some(0))), [6]);
    }
}

#[test]
fn before_an_open_has_shown_anything_the_weakest_promise_so_far_counts() {
    let first = Due::of_plan(promises(Kept::UpToSync, true), history(0, 5));
    let next = first.after(&crash(POWER, 5, 5, None), history(4, 6));
    assert_eq!(accepted(&next, &crash(KILL, 5, 5, None)), [4, 5]);
    let next = first.after(&crash(KILL, 5, 5, None), history(5, 7));
    assert_eq!(accepted(&next, &crash(KILL, 5, 5, None)), [5]);
}

#[test]
fn a_state_of_an_earlier_life_is_a_loss() {
    let first = Due::of_plan(promises(Kept::AllAcknowledged, true), history(0, 5));
    let next = first.after(&crash(KILL, 5, 5, None), history(5, 7));
    let wrong = next.closed(&state(3)).unwrap_err();
    assert_eq!(wrong.1, "lost: shows the state after 3 events of an earlier life");
    assert_eq!(next.closed(&state(7)), Ok(()));
}
