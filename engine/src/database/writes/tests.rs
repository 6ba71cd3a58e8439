use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ids::{CollectionId, EntityId};

fn key(number: u8) -> Key {
    Key { collection: CollectionId::new(1), entity: EntityId::new([number; 16]) }
}

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Option<u8>),
    Remove(u8),
}

/// Steps over few keys; half of the cases in ascending order, as far as their first removal.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..24_u8, any::<Option<u8>>()).prop_map(|(key, content)| Step::Set(key, content)),
        1 => (0..24_u8).prop_map(Step::Remove),
    ];
    (vec(step, 0..40), any::<bool>()).prop_map(|(mut steps, ascending)| {
        if ascending {
            steps.sort_by_key(|step| match step {
                Step::Set(key, _) => *key,
                Step::Remove(key) => 100 + key,
            });
        }
        steps
    })
}

fn content(byte: Option<u8>) -> Option<Bytes> {
    byte.map(|byte| Bytes::from(vec![byte]))
}

proptest! {
    #[test]
    fn they_are_the_last_write_of_every_key(steps in steps(), ends in (0..24_u8, 0..24_u8)) {
        let (mut writes, mut model) = (Writes::default(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Set(number, byte) => {
                    writes.set(key(number), content(byte));
                    model.insert(key(number), content(byte));
                }
                Step::Remove(number) => {
                    writes.remove(&key(number));
                    model.remove(&key(number));
                }
            }
        }
        for number in 0..24 {
            prop_assert_eq!(writes.get(&key(number)), model.get(&key(number)));
        }
        let (low, high) = (ends.0.min(ends.1), ends.0.max(ends.1));
        for range in [
            (Bound::Included(key(low)), Bound::Included(key(high))),
            (Bound::Excluded(key(low)), Bound::Unbounded),
            (Bound::Unbounded, Bound::Excluded(key(high))),
        ] {
            prop_assert!(writes.range(range).eq(model.range(range)));
        }
        prop_assert!(writes.into_ascending().into_iter().eq(model));
    }
}

#[test]
fn ascending_writes_are_only_appended() {
    let mut writes = Writes::default();
    for number in 0..24 {
        writes.set(key(number), content(Some(number)));
    }
    assert_eq!((writes.run.len(), writes.tree.len()), (24, 0));
}
