use proofhouse_crash::{Class, Fate, Missing, Site};
use proofhouse_model::{GenerateProfile, generate};

use super::*;

fn sample() -> Case {
    let choices = vec![Choice { at: 3, fate: Fate::Kill { cut: None } }];
    Case {
        format: FORMAT.to_owned(),
        version: VERSION,
        subject: "tiny".to_owned(),
        seed: u64::MAX,
        claim: "AC-02.kill-boundaries".to_owned(),
        kind: Kind::Lost,
        world: World::ProcessKill,
        story: vec!["lost".to_owned()],
        causes: vec![cause(&choices)],
        plan: generate(1, &GenerateProfile::crash()),
        scene: Scene::Crash { creation: false, choices },
    }
}

fn cause(choices: &[Choice]) -> Cause {
    let site = Site { operation: "write".to_owned(), role: "log".to_owned() };
    let class = Class { site, missing: Missing::ContentBeforeAck };
    Cause { class, states: 2, choices: choices.to_vec(), plan: None }
}

fn check(file: &str, due: &CaseError) {
    assert_eq!(&Case::parse(file.as_bytes()).unwrap_err(), due);
}

#[test]
fn a_case_reads_back_as_written() {
    let json = sample().to_json().unwrap();
    let again = Case::parse(json.as_bytes()).unwrap();
    assert_eq!(again.to_json().unwrap(), json);
    assert_eq!(again.plan, sample().plan);
}

#[test]
fn other_files_are_refused_as_such() {
    check("{}", &CaseError::Foreign);
    check("[1, 2]", &CaseError::Foreign);
    check(r#"{"format": "proofhouse-plan", "version": 1}"#, &CaseError::Foreign);
}

#[test]
fn newer_versions_are_refused_as_such() {
    check(r#"{"format": "proofhouse-case", "version": 2}"#, &CaseError::Newer(2));
}

/// Such a file was read as one of version 1; found by the fuzz target `case_file`.
#[test]
fn a_version_that_there_never_was_is_damage() {
    let what = "versions begin with 1".to_owned();
    let due = CaseError::Corrupt { line: 2, column: 3, what };
    check("{\"format\": \"proofhouse-case\",\n  \"version\": 0}", &due);
}

#[test]
fn damage_is_told_with_its_place() {
    let json = sample().to_json().unwrap();
    let cut = &json[..json.len() / 2];
    assert!(matches!(Case::parse(cut.as_bytes()), Err(CaseError::Corrupt { line: 2.., .. })));
    let mistyped = json.replace("\"lost\"", "\"found\"");
    assert!(matches!(Case::parse(mistyped.as_bytes()), Err(CaseError::Corrupt { line: 7, .. })));
    let strange = json.replace("\"seed\"", "\"need\"");
    assert!(matches!(Case::parse(strange.as_bytes()), Err(CaseError::Corrupt { .. })));
    assert!(matches!(Case::parse(b"not json"), Err(CaseError::Corrupt { line: 1, .. })));
    assert!(matches!(Case::parse(b""), Err(CaseError::Corrupt { .. })));
}

#[test]
fn a_claim_that_nobody_makes_is_refused() {
    let json = sample().to_json().unwrap().replace(&sample().claim, "AC-99.nothing");
    check(&json, &CaseError::UnknownClaim("AC-99.nothing".to_owned()));
}
