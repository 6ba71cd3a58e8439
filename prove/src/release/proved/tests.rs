use serde_json::json;

use super::*;
use crate::criteria::ALL;

#[test]
fn every_criterion_that_is_measured_is_required() {
    let measured = ALL.iter().filter(|one| one.existing().next().is_some()).map(|one| one.id);
    assert_eq!(measured.collect::<Vec<_>>(), REQUIRED);
}

#[test]
fn what_is_not_pass_is_lacking() {
    let all = |verdict: &str| -> Json {
        let criteria = REQUIRED.map(|id| json!({ "id": id, "verdict": verdict }));
        json!({ "criteria": criteria, "states": { "T0": { "checked": 3 }, "T1": { "checked": 4 } } })
    };
    let required = REQUIRED.map(str::to_owned);
    let mut report = all("PASS");
    assert!(lacking(&report, &required).is_empty());
    assert_eq!(states(&report), 7);
    report["criteria"][3]["verdict"] = json!("NOT MEASURED");
    assert_eq!(lacking(&report, &required), ["AC-04 is required: NOT MEASURED"]);
    assert_eq!(lacking(&all("FAIL"), &required).len(), REQUIRED.len());
    assert_eq!(lacking(&json!({}), &required)[0], "AC-01 is required: not in the report");
    assert_eq!(lacking(&all("FAIL"), &required[3..4]), ["AC-04 is required: FAIL"]);
}
