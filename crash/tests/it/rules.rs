//! `docs/media.md` and the litmus tests speak of the same rules.

use std::collections::BTreeSet;

const RULES: &str = include_str!("../../../docs/media.md");

const LITMUS: [&str; 2] = [include_str!("litmus.rs"), include_str!("litmus_ext4.rs")];

/// The tests each rule names, all together.
fn named() -> BTreeSet<&'static str> {
    let lists = RULES.split("*Litmus*: ").skip(1);
    let lists = lists.map(|rest| rest.split_once(".\n").map_or(rest, |(list, _)| list));
    lists.flat_map(|list| list.split('`').skip(1).step_by(2)).collect()
}

/// The names of the tests in a source file.
fn tests(source: &'static str) -> BTreeSet<&'static str> {
    let after = source.split("#[test]\n").skip(1);
    after.filter_map(|rest| rest.trim_start().strip_prefix("fn ")?.split('(').next()).collect()
}

#[test]
fn every_rule_names_its_litmus_tests() {
    let rules = RULES.split("\n### ").skip(1);
    let silent: Vec<&str> = rules
        .filter(|rule| !rule.contains("*Litmus*: ") || !rule.contains("*Source*: "))
        .filter_map(|rule| rule.lines().next())
        .collect();
    assert_eq!(silent, [""; 0], "rules without a litmus test or a source");
    let [posix, ext4] = LITMUS;
    let sources = [posix, ext4, include_str!("nested.rs"), include_str!("laws.rs")];
    let known: BTreeSet<&str> = sources.into_iter().flat_map(tests).collect();
    let missing: Vec<&str> = named().difference(&known).copied().collect();
    assert_eq!(missing, [""; 0], "named by a rule, but no test");
}

#[test]
fn every_litmus_test_belongs_to_a_rule() {
    let named = named();
    let litmus: BTreeSet<&str> = LITMUS.into_iter().flat_map(tests).collect();
    assert!(litmus.len() > 40);
    let stray: Vec<&str> = litmus.difference(&named).copied().collect();
    assert_eq!(stray, [""; 0], "litmus tests that no rule names");
}
