use super::*;

#[test]
fn a_promise_says_how_many_acknowledged_events_are_due() {
    for (promise, due) in [
        (Kept::Nothing, None),
        (Kept::Prefix, Some(0)),
        (Kept::UpToSync, Some(3)),
        (Kept::AllAcknowledged, Some(5)),
    ] {
        assert_eq!(promise.floor(5, 3), due, "{promise:?}");
    }
    assert_eq!(Kept::UpToSync.floor(2, 3), Some(2));
}

#[test]
fn more_is_promised_by_later_kinds() {
    use Kept::{AllAcknowledged, Nothing, Prefix, UpToSync};
    assert!([Nothing, Prefix, UpToSync, AllAcknowledged].is_sorted());
}
