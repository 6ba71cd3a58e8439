use std::collections::BTreeSet;

use super::*;

#[test]
fn nineteen_criteria_stand_in_order() {
    let ids: Vec<_> = ALL.iter().map(|criterion| criterion.id.to_owned()).collect();
    let due: Vec<_> = (1..=19).map(|n| format!("AC-{n:02}")).collect();
    assert_eq!(ids, due);
}

#[test]
fn claims_are_unique_and_belong_to_their_criterion() {
    let mut seen = BTreeSet::new();
    for criterion in ALL {
        assert!(!criterion.claims.is_empty(), "{} has no claim", criterion.id);
        for one in criterion.claims {
            assert!(seen.insert(one.id), "{} stands twice", one.id);
            assert_eq!(one.criterion(), criterion.id);
            assert_eq!(claim(one.id).map(|found| found.text), Some(one.text));
        }
    }
}

#[test]
fn measured_claims_stand_before_planned_ones() {
    for criterion in ALL {
        let planned: Vec<_> =
            criterion.claims.iter().map(|claim| claim.status != Status::Exists).collect();
        assert!(planned.is_sorted(), "{} mixes measured and planned claims", criterion.id);
    }
}

#[test]
fn the_page_in_docs_is_the_generated_one() {
    let docs = include_str!("../../../docs/criteria.md");
    assert!(
        docs == page::page(),
        "docs/criteria.md is stale: write it anew with `proofhouse explain > docs/criteria.md`"
    );
}
