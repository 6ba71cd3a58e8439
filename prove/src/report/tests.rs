use serde_json::Value;

use super::*;
use crate::proof::tests::{lost, lost_with_power, sample};

fn report(proof: &Proof) -> Value {
    let cases = vec![Some(PathBuf::from("case.json")); proof.findings.len()];
    serde_json::from_str(&Report::of(proof, false, &cases).to_json().unwrap()).unwrap()
}

fn schema() -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

#[test]
fn reports_are_valid_by_their_schema() {
    for findings in [vec![], vec![lost()], vec![lost_with_power()]] {
        let report = report(&sample(findings));
        let errors: Vec<_> = schema().iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let sound = report(&sample(vec![]));
    for (pointer, wrong) in [
        ("/criteria/0/verdict", Value::from("GREEN")),
        ("/criteria/0/id", Value::from("AC-20")),
        ("/criteria/9/reason", Value::from("tired")),
        ("/criteria", Value::Array(Vec::new())),
        ("/exit", Value::from(2)),
        ("/version", Value::from(2)),
    ] {
        let mut report = sound.clone();
        *report.pointer_mut(pointer).unwrap() = wrong;
        assert!(!schema().is_valid(&report), "{pointer}");
    }
}

#[test]
fn a_failed_criterion_carries_the_line_that_replays_it() {
    let report = report(&sample(vec![lost()]));
    let criterion = &report["criteria"][1];
    assert_eq!(criterion["verdict"], "FAIL");
    assert_eq!(criterion["findings"][0]["replay"], "proofhouse replay case.json");
    assert_eq!(report["exit"], 11);
}

#[test]
fn what_ext4_shows_fails_both_claims_for_its_causes() {
    let report = report(&sample(vec![lost_with_power()]));
    let durability = &report["criteria"][3];
    let failed = |claim: &&Value| claim["verdict"] == "FAIL";
    let claims = durability["claims"].as_array().unwrap().iter().filter(failed);
    assert!(claims.map(|claim| &claim["id"]).eq(["AC-04.power-loss", "AC-04.ext4"]));
    let finding = &durability["findings"][0];
    assert_eq!(finding["medium"], "ext4");
    assert_eq!(finding["causes"][0]["states"], 6);
    assert_eq!(finding["causes"][0]["missing"], "content_before_ack");
    assert_eq!(report["bad_media"]["violations"]["partial"], 10);
}

#[test]
fn what_does_not_repeat_stands_apart() {
    let mut later = sample(vec![]);
    later.took *= 2;
    for result in &mut later.criteria {
        for claim in &mut result.claims {
            if let Some(evidence) = &mut claim.evidence {
                evidence.took *= 2;
                evidence.observed.clear();
            }
        }
    }
    let [mut first, mut second] = [report(&sample(vec![])), report(&later)];
    assert_ne!(first, second);
    for report in [&mut first, &mut second] {
        report.as_object_mut().unwrap().remove("observed");
    }
    assert_eq!(first, second);
}
