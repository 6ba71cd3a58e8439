use std::collections::BTreeSet;

use super::all;

#[test]
fn every_flaw_has_a_name_of_its_own_and_fails_something() {
    let flawed = all();
    let names: BTreeSet<_> = flawed.iter().map(|flawed| flawed.name).collect();
    assert_eq!(names.len(), flawed.len());
    for flawed in &flawed {
        assert!(!flawed.fails.is_empty(), "{} fails nothing", flawed.name);
        assert!(flawed.fails.is_sorted(), "{}: {:?}", flawed.name, flawed.fails);
        assert_eq!(flawed.subject.about().name, format!("flawed:{}", flawed.name));
    }
}

#[test]
fn every_criterion_that_the_tiny_store_can_fail_is_failed() {
    let failed: BTreeSet<_> = all().iter().flat_map(|flawed| flawed.fails).copied().collect();
    let due = ["AC-01", "AC-02", "AC-03", "AC-04", "AC-06", "AC-07", "AC-08", "AC-09"];
    assert_eq!(failed, BTreeSet::from(due));
}
