use super::*;

#[test]
fn a_sync_counts_once_the_next_event_is_issued() {
    let mut history = History::default();
    let event = |history: &mut History| history.push(State::default(), 0);
    history.sync();
    event(&mut history);
    event(&mut history);
    history.sync();
    assert_eq!([0, 1, 2].map(|issued| history.synced(issued)), [0, 0, 0]);
    event(&mut history);
    event(&mut history);
    assert_eq!([2, 3, 4].map(|issued| history.synced(issued)), [0, 2, 2]);
}
