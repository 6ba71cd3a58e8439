use super::{Violation, ViolationKind, Window, accept, matching};
use crate::history::History;
use crate::op::{Collection, Id};
use crate::state::{Change, State};
use crate::subject::Kept;

const C: Collection = Collection(0);

/// A state with these identities, each with its own content.
fn state(ids: &[u8]) -> State {
    let mut state = State::default();
    state.create(C);
    for id in ids {
        state.put(C, Id::nth(*id), vec![*id].into());
    }
    state
}

/// Created; then 1, 2 and 3 put, 3 deleted, 4 put.
fn history() -> History {
    let mut history = History::default();
    let states: [&[u8]; 6] = [&[], &[1], &[1, 2], &[1, 2, 3], &[1, 2], &[1, 2, 4]];
    for (state, sequence) in states.map(state).into_iter().zip(0..) {
        history.push(state, sequence);
    }
    history
}

fn check(acknowledged: u64, issued: u64, shown: &State) -> Result<u64, Violation> {
    accept(&history(), Window { acknowledged, issued }, shown)
}

#[test]
fn any_state_in_the_window_is_accepted() {
    assert_eq!(check(0, 0, &State::default()), Ok(0));
    assert_eq!(check(1, 3, &state(&[])), Ok(1));
    assert_eq!(check(1, 3, &state(&[1])), Ok(2));
    assert_eq!(check(1, 3, &state(&[1, 2])), Ok(3));
    assert_eq!(check(6, 6, &state(&[1, 2, 4])), Ok(6));
}

#[test]
fn a_state_that_recurs_matches_each_of_its_times_in_the_window() {
    let (history, shown) = (history(), state(&[1, 2]));
    let times = |acknowledged, issued| {
        matching(&history, Window { acknowledged, issued }, &shown).collect::<Vec<_>>()
    };
    assert_eq!(times(2, 6), [3, 5]);
    assert_eq!(times(4, 6), [5]);
    assert_eq!(check(2, 6, &shown), Ok(3));
}

#[test]
fn an_acknowledged_event_that_is_gone_is_lost() {
    let violation = check(4, 5, &state(&[1])).unwrap_err();
    assert_eq!(violation, Violation::Lost { matches: 2, acknowledged: 4 });
    assert_eq!(violation.kind(), ViolationKind::Lost);
    let nothing = check(1, 1, &State::default()).unwrap_err();
    assert_eq!(nothing, Violation::Lost { matches: 0, acknowledged: 1 });
}

#[test]
fn the_loss_told_is_the_smallest_that_explains_the_state() {
    let violation = check(6, 6, &state(&[1, 2])).unwrap_err();
    assert_eq!(violation, Violation::Lost { matches: 5, acknowledged: 6 });
}

#[test]
fn an_event_that_was_never_issued_must_not_show() {
    let violation = check(1, 2, &state(&[1, 2, 3])).unwrap_err();
    assert_eq!(violation, Violation::Ahead { matches: 4, issued: 2 });
}

#[test]
fn a_state_that_never_was_is_told_by_the_nearest_one() {
    let violation = check(2, 4, &state(&[2, 3])).unwrap_err();
    let Violation::Partial { nearest: 4, differences } = &violation else {
        panic!("{violation:?}");
    };
    assert_eq!(differences.len(), 1);
    assert_eq!((differences[0].id, differences[0].change), (Some(Id::nth(1)), Change::Missing));
    let told = "partial: shows a state that never was; the nearest legal one, after 4 events, \
         differs: c0/01000000000000000000000000000000 is missing";
    assert_eq!(violation.to_string(), told);
}

#[test]
fn long_lists_of_differences_are_cut() {
    let violation = check(1, 1, &state(&[5, 6, 7, 8, 9, 10])).unwrap_err();
    let told = "partial: shows a state that never was; the nearest legal one, after 1 events, \
         differs: c0/00000000000000000000000000000002 should not be there, \
         c0/01000000000000000000000000000001 should not be there, \
         c0/01000000000000000000000000000002 should not be there, \
         c0/02000000000000000000000000000001 should not be there and 2 more";
    assert_eq!(violation.to_string(), told);
}

#[test]
fn violations_are_written_with_their_kind() {
    let violation = Violation::Lost { matches: 1, acknowledged: 2 };
    let text = serde_json::to_string(&violation).unwrap();
    assert_eq!(text, r#"{"kind":"lost","matches":1,"acknowledged":2}"#);
    assert_eq!(serde_json::from_str::<Violation>(&text).unwrap(), violation);
    assert_eq!(serde_json::to_string(&violation.kind()).unwrap(), r#""lost""#);
}

#[test]
fn what_no_promise_covers_may_be_gone() {
    let window = Window { acknowledged: 4, issued: 5 };
    let shown = state(&[1]);
    let promised = |kept| window.promised(kept, 2).map(|window| accept(&history(), window, &shown));
    assert_eq!(promised(Kept::Nothing), None);
    assert_eq!(promised(Kept::Prefix), Some(Ok(2)));
    assert_eq!(promised(Kept::UpToSync), Some(Ok(2)));
    assert!(matches!(promised(Kept::AllAcknowledged), Some(Err(Violation::Lost { .. }))));
    let shown = state(&[]);
    let lost = window.promised(Kept::UpToSync, 2).map(|window| accept(&history(), window, &shown));
    assert_eq!(lost, Some(Err(Violation::Lost { matches: 1, acknowledged: 2 })));
}
