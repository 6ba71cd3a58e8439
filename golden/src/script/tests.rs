use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::embedded;

fn entry(value: Json, given: Json) -> Entry {
    Entry {
        id: "rule/x".to_owned(),
        rule: "rule".to_owned(),
        meaning: String::new(),
        source: String::new(),
        value: Some(value),
        diagnostic: None,
        given: Some(given),
        bytes: None,
        files: None,
        expect: BTreeMap::from([(SETTING.to_owned(), Expect::Accept)]),
    }
}

#[track_caller]
fn check(step: &Json, due: &str) {
    let told = script(entry(json!({ "steps": [step] }), json!({ "needs": [] }))).unwrap_err();
    assert!(told.contains(due), "{told}");
}

#[test]
fn what_is_no_step_is_refused() {
    let done = json!({ "outcome": "done" });
    check(&json!({ "kill": false }), "a kill that is none");
    check(&json!({ "ask": 1, "due": done }), "a step asks an object");
    check(&json!({ "ask": { "op": "dance" }, "due": done }), "unknown variant `dance`");
    check(&json!({ "ask": { "op": "get" }, "due": done }), "needs a field \"collection\"");
    check(&json!({ "ask": { "op": "bye" }, "due": done }), "hello and bye are the runner's");
    check(&json!({ "ask": { "op": "commit" }, "due": { "outcome": "value" } }), "\"value\"");
}

#[test]
fn what_a_script_needs_is_known() {
    let steps = json!({ "steps": [{ "kill": true }] });
    let told = script(entry(steps, json!({ "needs": ["luck"] }))).unwrap_err();
    assert_eq!(told, "unknown need \"luck\"");
    let told = script(entry(json!({ "steps": [] }), json!({ "needs": [] }))).unwrap_err();
    assert_eq!(told, "no steps");
}

/// Every request, every outcome, and every class of refusal that a sound store can be brought to.
#[test]
fn scripts_ask_everything_and_are_due_every_outcome() {
    let (mut asked, mut outcomes, mut classes) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for script in embedded().unwrap().scripts {
        for step in &script.steps {
            let Step::Ask { ask, due } = step else { continue };
            asked.insert(ask.name());
            outcomes.insert(Reply::Outcome(due.clone()).name());
            if let Outcome::Failed(class) = due {
                classes.insert(format!("{class:?}"));
            }
        }
    }
    assert_eq!(asked.len(), 22, "{asked:?}");
    let due = ["committed", "done", "entities", "existed", "failed", "inserted", "value", "values"];
    assert_eq!(Vec::from_iter(outcomes), due);
    assert_eq!(Vec::from_iter(classes), ["Conflict", "Invalid", "Misuse", "NotFound"]);
}
