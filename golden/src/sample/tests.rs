use std::collections::BTreeSet;

use super::*;
use crate::Vectors;
use crate::file::INDEX;

fn sampled(seed: u64, count: usize) -> BTreeMap<String, Vec<u8>> {
    sample(seed, count).unwrap()
}

#[test]
fn a_seed_decides_the_whole_sample() {
    assert!(sampled(7, 20) == sampled(7, 20));
    assert!(sampled(7, 20) != sampled(8, 20));
}

#[test]
fn every_family_has_damage_that_is_refused_and_answers_of_known_classes() {
    let files = sampled(1, 150);
    for family in FAMILIES {
        let file: FamilyFile = serde_json::from_slice(&files[family.file]).unwrap();
        assert_eq!(file.vectors.len(), 150, "{}", family.name);
        let due: Vec<_> = file.vectors.iter().flat_map(|it| it.expect.values()).collect();
        assert!(due.contains(&&Expect::Accept), "{}", family.name);
        let classes = due.into_iter().filter_map(|due| match due {
            Expect::Reject(class) => Some(class.as_str()),
            Expect::Accept => None,
        });
        let refused: Vec<_> = classes.collect();
        assert_eq!(refused.is_empty(), family.classes.is_empty(), "{}", family.name);
        let unknown = refused.iter().find(|class| !family.classes.contains(class));
        assert_eq!(unknown, None, "{}", family.name);
    }
    assert!(files.contains_key(INDEX));
}

#[test]
fn a_sample_is_loaded_as_vectors_are() {
    let files = sampled(1, 5);
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let vectors = Vectors::load(dir.path()).unwrap();
    assert_eq!((vectors.cbor.len(), vectors.entidb.len(), vectors.scripts.len()), (5, 5, 5));
    assert!(vectors.families.values().all(|family| family.len() == 5));
}

/// The names of a family's vectors that are accepted, and of those that are not.
fn published(file: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let family: FamilyFile = parse(file, &embedded_file(file).unwrap()).unwrap();
    let (accepted, refused): (Vec<_>, Vec<_>) =
        family.vectors.into_iter().partition(|it| it.value.is_some());
    let ids = |vectors: Vec<Entry>| vectors.into_iter().map(|it| it.id).collect();
    (ids(accepted), ids(refused))
}

#[test]
fn damage_is_mostly_of_vectors_that_are_accepted_and_sometimes_of_others() {
    const COUNT: usize = 300;
    let files = sampled(3, COUNT);
    for file in FAMILIES.iter().map(|it| it.file).chain(["cbor.json"]) {
        let (accepted, refused) = published(file);
        let sample: FamilyFile = serde_json::from_slice(&files[file]).unwrap();
        let from = |it: &Entry| it.meaning.split_once(": ").unwrap().0.to_owned();
        let of =
            |ids: &BTreeSet<_>| sample.vectors.iter().filter(|it| ids.contains(&from(it))).count();
        assert_eq!(of(&accepted) + of(&refused), COUNT, "{file}");
        assert!(of(&accepted) >= COUNT * 2 / 3, "{file}: {} of {COUNT}", of(&accepted));
        assert_eq!(of(&refused) == 0, refused.is_empty(), "{file}");
    }
}
