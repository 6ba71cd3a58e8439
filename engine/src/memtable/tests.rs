use std::collections::BTreeSet;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use std::ops::Bound;

use super::*;
use crate::ids::{CollectionId, EntityId};

fn key(number: u8) -> Key {
    Key { collection: CollectionId::new(1), entity: EntityId::new([number; 16]) }
}

fn content(number: u8) -> Bytes {
    Bytes::from(vec![number])
}

/// One thing that happens to a memtable and its readers.
#[derive(Debug, Clone)]
enum Step {
    Commit(BTreeMap<u8, Option<u8>>),
    Snapshot,
    /// Releases one of the live snapshots, if there is any.
    Release(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let writes = btree_map(0..6_u8, any::<Option<u8>>(), 1..4);
    let step = prop_oneof![
        4 => writes.prop_map(Step::Commit),
        2 => Just(Step::Snapshot),
        1 => any::<prop::sample::Index>().prop_map(Step::Release),
    ];
    vec(step, 0..60)
}

/// Every version there ever was: nothing is pruned.
#[derive(Default)]
struct Naive(BTreeMap<Key, Vec<(u64, Option<Bytes>)>>);

impl Naive {
    fn at(&self, key: &Key, sequence: u64) -> Option<(u64, Option<Bytes>)> {
        self.0.get(key)?.iter().rev().find(|version| version.0 <= sequence).cloned()
    }
}

fn shown(version: Option<Version>) -> Option<(u64, Option<Bytes>)> {
    version.map(|version| (version.sequence, version.content))
}

fn held(memtable: &Memtable, key: &Key) -> BTreeSet<u64> {
    let entries = memtable.entries.read();
    let versions = entries.older.get(key).into_iter().flatten().chain(entries.newest.get(key));
    versions.map(|version| version.sequence).collect()
}

fn check_same(memtable: &Memtable, naive: &Naive, sequence: u64) {
    for number in 0..6 {
        assert_eq!(shown(memtable.get(&key(number), sequence)), naive.at(&key(number), sequence));
    }
    let everything = (Bound::Unbounded, Bound::Unbounded);
    let all = memtable.range(everything, sequence, Direction::Up, usize::MAX);
    let mut down = memtable.range(everything, sequence, Direction::Down, usize::MAX);
    down.reverse();
    assert_eq!(down.len(), all.len());
    assert!(down.iter().zip(&all).all(|(down, up)| down.0 == up.0));
    let expected = naive.0.keys().filter(|key| naive.at(key, sequence).is_some());
    assert!(all.iter().map(|(key, _)| key).eq(expected));
    let some = (Bound::Excluded(key(1)), Bound::Included(key(4)));
    let two = memtable.range(some, sequence, Direction::Up, 2);
    let keys: Vec<Key> = all.iter().map(|(key, _)| *key).collect();
    let within = keys.iter().filter(|at| (key(2)..=key(4)).contains(at)).take(2);
    assert!(two.iter().map(|(key, _)| key).eq(within));
}

proptest! {
    #[test]
    fn live_readers_find_their_versions_and_only_those_are_kept(steps in steps()) {
        let memtable = Memtable::default();
        let mut naive = Naive::default();
        let mut live: Vec<u64> = Vec::new();
        let mut last = 0;
        for step in steps {
            match step {
                Step::Commit(writes) => {
                    last += 1;
                    let writes: Vec<(Key, Option<Bytes>)> =
                        writes.into_iter().map(|(at, to)| (key(at), to.map(content))).collect();
                    for (key, to) in &writes {
                        naive.0.entry(*key).or_default().push((last, to.clone()));
                    }
                    let snapshots: Vec<u64> = live.iter().copied().collect::<BTreeSet<_>>()
                        .into_iter().collect();
                    memtable.apply(last, writes.clone(), &snapshots);
                    for (key, _) in &writes {
                        let needed: BTreeSet<u64> = snapshots.iter().chain([&last])
                            .filter_map(|sequence| naive.at(key, *sequence))
                            .map(|version| version.0)
                            .collect();
                        prop_assert_eq!(held(&memtable, key), needed);
                    }
                }
                Step::Snapshot => live.push(last),
                Step::Release(at) if !live.is_empty() => {
                    let gone = live.remove(at.index(live.len()));
                    if !live.contains(&gone) {
                        let others: BTreeSet<u64> = live.iter().copied().collect();
                        release(&memtable, gone, &others.into_iter().collect::<Vec<_>>());
                        for number in 0..6 {
                            let key = key(number);
                            let needed: BTreeSet<u64> = live.iter().chain([&last])
                                .filter_map(|sequence| naive.at(&key, *sequence))
                                .map(|version| version.0)
                                .collect();
                            prop_assert_eq!(held(&memtable, &key), needed, "and only those");
                        }
                    }
                }
                Step::Release(_) => {}
            }
            check_same(&memtable, &naive, last);
            for sequence in &live {
                check_same(&memtable, &naive, *sequence);
            }
        }
    }
}

/// Releases all, in the smallest pieces that there are.
fn release(memtable: &Memtable, gone: u64, live: &[u64]) {
    let mut from = Some(gone);
    while let Some(sequence) = from {
        from = memtable.release(sequence, live, 1);
    }
}

#[test]
fn a_release_ends_after_the_commit_that_uses_up_its_budget() {
    let memtable = Memtable::default();
    for sequence in 1..=5 {
        memtable.apply(sequence, [(key(1), None), (key(2), None)], &[1, 2, 3, 4]);
    }
    assert_eq!(memtable.release(1, &[], 1), Some(2));
    assert_eq!(memtable.release(2, &[], 3), Some(4));
    assert_eq!(memtable.release(4, &[], 3), Some(5));
    assert_eq!(memtable.release(5, &[], 3), None);
    assert_eq!(held(&memtable, &key(2)), BTreeSet::from([5]));
}

#[test]
fn a_key_returns_to_one_version_once_its_readers_are_gone() {
    let memtable = Memtable::default();
    let mut readers = Vec::new();
    for sequence in 1..=100 {
        memtable.apply(sequence, [(key(1), Some(content(1)))], &readers);
        readers.push(sequence);
    }
    assert_eq!(held(&memtable, &key(1)).len(), 100);
    // In any order: every third from the front, then the rest from the back.
    let (first, rest): (Vec<u64>, Vec<u64>) = readers.iter().partition(|reader| *reader % 3 == 0);
    for gone in first.into_iter().chain(rest.into_iter().rev()) {
        readers.retain(|reader| *reader != gone);
        release(&memtable, gone, &readers);
        let needed: BTreeSet<u64> = readers.iter().copied().chain([100]).collect();
        assert_eq!(held(&memtable, &key(1)), needed);
    }
    assert!(memtable.entries.read().replaced_at.is_empty(), "nothing is left of them");
    memtable.apply(101, [(key(1), None)], &[]);
    assert_eq!(held(&memtable, &key(1)), BTreeSet::from([101]));
}

#[test]
fn before_its_first_version_a_key_is_unknown_not_deleted() {
    let memtable = Memtable::default();
    memtable.apply(5, [(key(1), None)], &[]);
    assert_eq!(shown(memtable.get(&key(1), 4)), None);
    assert_eq!(shown(memtable.get(&key(1), 5)), Some((5, None)));
}
