//! Targets, dictionaries and corpora are in order.

use std::fs;

use proofhouse_fuzz_bodies::{TARGETS, seeds};

use crate::{checked_in, files, fuzz};

/// Bytes of all corpora together.
const CORPUS_MAX: usize = 1 << 20;

/// Lines of a target.
const LINES_MAX: usize = 40;

#[test]
fn each_target_opens_with_its_invariants_and_calls_its_body() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in &TARGETS {
        let name = target.name;
        let text = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.starts_with(&format!("//! `{name}`")), "{name}");
        let first = text.lines().take(2).collect::<String>();
        assert!(first.contains("Invariants:"), "{name} opens with {first}");
        assert!(text.lines().count() <= LINES_MAX, "{name} is long");
        assert!(text.contains("proofhouse_fuzz_bodies::"), "{name} calls no body");
        let glances = text.contains(", Some(");
        assert_eq!(glances, target.glance.is_some(), "{name} glances otherwise");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
    }
    assert_eq!(files(&fuzz().join("fuzz_targets")).len(), TARGETS.len());
}

#[test]
fn dictionaries_are_those_that_the_vectors_make() {
    let found = files(&fuzz().join("dictionaries"));
    let mut due = 0;
    for (name, beginning) in seeds::all().unwrap() {
        if beginning.words.is_empty() {
            continue;
        }
        due += 1;
        let text = found.get(&format!("{name}.dict")).map(|text| String::from_utf8_lossy(text));
        let made = seeds::dictionary(&beginning.words);
        let how = "make them anew: cargo run -p proofhouse-fuzz-bodies -- dictionaries";
        assert_eq!(text.as_deref(), Some(&*made), "{name}: {how} fuzz/dictionaries");
    }
    assert_eq!(found.len(), due, "a dictionary that nothing makes");
}

#[test]
fn corpora_are_small() {
    let sizes = TARGETS.iter().map(|target| {
        let inputs = checked_in(target);
        assert!(inputs.values().all(|input| input.len() <= target.len_max), "{}", target.name);
        inputs.values().map(Vec::len).sum::<usize>()
    });
    let all: usize = sizes.sum();
    assert!(all <= CORPUS_MAX, "{all} bytes");
}
