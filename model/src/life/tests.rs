use super::{COLLECTION, IDS, Recovered, life_two};
use crate::accept::{ViolationKind, Window};
use crate::history::History;
use crate::op::{Collection, Op};
use crate::oracle::{Oracle, OraclePlace, OracleSubject};
use crate::plan::Settings;
use crate::state::State;
use crate::subject::{Capabilities, Store, Subject};

fn settings() -> Settings {
    Settings { wal_reserve: 0, max_segment: 0, entropy: Vec::new(), max_payload: 5200 }
}

/// Applies the operations and answers the oracle's events, commits and state.
fn live(shown: &State, capabilities: Capabilities, life: u8) -> (u64, u64, State) {
    let mut oracle = Oracle::from_state(&settings(), capabilities, shown.clone(), 0);
    for op in life_two(shown, capabilities, life) {
        let outcome = oracle.step(&op);
        assert!(!matches!(outcome, crate::Outcome::Failed(_)), "{op}: {outcome}");
    }
    (oracle.events(), oracle.sequence(), oracle.state().clone())
}

#[test]
fn it_makes_two_commits_whatever_the_store_and_its_abilities() {
    let simple = Capabilities { transactions: false, ..Capabilities::ALL };
    let mut existing = State::default();
    existing.create(Collection(3));
    for capabilities in [Capabilities::ALL, simple] {
        let (events, commits, state) = live(&existing, capabilities, 2);
        assert_eq!((events, commits), (2, 2));
        assert!(state.get(Collection(3), IDS[0]).is_some());
        let (events, commits, state) = live(&State::default(), capabilities, 2);
        assert_eq!((events, commits), (3, 2));
        assert!(state.get(COLLECTION, IDS[0]).is_some());
    }
}

#[test]
fn every_life_writes_contents_of_its_own() {
    let [second, third] = [2, 3].map(|life| live(&State::default(), Capabilities::ALL, life).2);
    assert_ne!(second.get(COLLECTION, IDS[0]), third.get(COLLECTION, IDS[0]));
    assert_ne!(second.get(COLLECTION, IDS[1]), third.get(COLLECTION, IDS[1]));
}

/// A store whose collection was filled and emptied again: the same state after one event with
/// sequence 0 and after three with sequence 2.
fn ambiguous() -> (History, State) {
    let mut empty = State::default();
    empty.create(COLLECTION);
    let mut filled = empty.clone();
    filled.put(COLLECTION, IDS[0], vec![1].into());
    let mut history = History::default();
    history.push(empty.clone(), 0);
    history.push(filled, 1);
    history.push(empty.clone(), 2);
    (history, empty)
}

/// An open store in the empty state after `sequence` commits.
fn store_at(sequence: usize) -> Box<dyn Store> {
    let subject = OracleSubject::new(Capabilities::ALL);
    let store = subject.open(&OraclePlace::default(), &settings()).unwrap();
    let put = Op::Put {
        collection: COLLECTION,
        id: IDS[0],
        payload: crate::Payload::Entity { tag: 1, size: 0 },
    };
    let delete = Op::Delete { collection: COLLECTION, id: IDS[0] };
    let mut ops = vec![Op::CreateCollection { collection: COLLECTION }];
    ops.extend([put, delete].into_iter().cycle().take(sequence));
    for op in ops {
        store.client().apply(&op);
    }
    store
}

fn recovered(window: Window) -> Recovered {
    let (history, shown) = ambiguous();
    Recovered::accept(&history, window, &shown, &settings(), Capabilities::ALL).unwrap()
}

#[test]
fn a_state_that_recurs_goes_on_with_the_sequence_of_any_of_its_times() {
    let ops = life_two(&ambiguous().1, Capabilities::ALL, 2);
    for sequence in [0, 2] {
        let recovered = recovered(Window { acknowledged: 1, issued: 3 });
        assert_eq!(recovered.events, 1);
        let run = recovered.live_on(store_at(sequence).client().as_mut(), &ops, &mut ()).unwrap();
        assert_eq!(run.oracle.sequence(), sequence as u64 + 2);
        assert_eq!(run.history.sequence(0), Some(sequence as u64));
        assert_eq!(run.history.events(), 2);
    }
}

#[test]
fn a_sequence_of_none_of_its_times_diverges() {
    let ops = life_two(&ambiguous().1, Capabilities::ALL, 2);
    let late = Window { acknowledged: 2, issued: 3 };
    for (sequence, window) in [(4, Window { acknowledged: 1, issued: 3 }), (0, late)] {
        let divergence = recovered(window)
            .live_on(store_at(sequence).client().as_mut(), &ops, &mut ())
            .unwrap_err();
        assert_eq!(divergence.op, Op::Commit);
    }
}

#[test]
fn what_breaks_the_rule_is_not_lived_with() {
    let (history, shown) = ambiguous();
    let window = Window { acknowledged: 2, issued: 2 };
    let violation =
        Recovered::accept(&history, window, &shown, &settings(), Capabilities::ALL).unwrap_err();
    assert_eq!(violation.kind(), ViolationKind::Lost);
}
