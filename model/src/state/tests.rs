use super::{Change, Difference, State};
use crate::op::{Collection, Id};

const C: Collection = Collection(0);
const D: Collection = Collection(1);

fn state(entities: &[(Collection, u8, &'static [u8])]) -> State {
    let mut state = State::default();
    for (collection, id, content) in entities {
        state.put(*collection, Id::nth(*id), (*content).into());
    }
    state
}

#[test]
fn differences_name_everything_that_differs_and_nothing_else() {
    let due = state(&[(C, 1, b"same"), (C, 2, b"old"), (C, 3, b"gone")]);
    let mut shown = state(&[(C, 1, b"same"), (C, 2, b"new"), (C, 4, b"extra")]);
    shown.create(D);
    let difference =
        |collection, id: Option<u8>, change| Difference { collection, id: id.map(Id::nth), change };
    assert_eq!(
        due.differences(&shown),
        [
            // In the order of identities as bytes: `Id::nth(4)` sorts before `Id::nth(1)`.
            difference(C, Some(4), Change::Extra),
            difference(C, Some(2), Change::Changed),
            difference(C, Some(3), Change::Missing),
            difference(D, None, Change::Extra),
        ]
    );
    assert_eq!(due.differences(&due), []);
}

#[test]
fn clones_do_not_see_each_others_writes() {
    let before = state(&[(C, 1, b"a"), (D, 1, b"a")]);
    let mut after = before.clone();
    after.put(C, Id::nth(1), b"b".as_slice().into());
    assert!(after.delete(D, Id::nth(1)));
    assert!(!after.delete(D, Id::nth(1)));
    assert_eq!(before, state(&[(C, 1, b"a"), (D, 1, b"a")]));
    assert_eq!((before.len(), after.len()), (2, 1));
    assert!(after.has(D), "an emptied collection still exists");
}

#[test]
fn json_keeps_empty_collections_and_refuses_what_is_not_hex() {
    let mut state = state(&[(C, 4, &[0xa0])]);
    state.create(D);
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(text, r#"{"c0":{"00000000000000000000000000000001":"a0"},"c1":{}}"#);
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    let errors = [
        r#"{"c0":{"00000000000000000000000000000001":"zz"}}"#,
        r#"{"c0":{"01":"a0"}}"#,
        r#"{"c00":{}}"#,
        r#"{"c256":{}}"#,
    ];
    for text in errors {
        assert!(serde_json::from_str::<State>(text).is_err(), "{text}");
    }
}
