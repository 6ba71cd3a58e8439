use proofhouse_crash::{Class, Fate, Missing, Site};
use proofhouse_model::{GenerateProfile, generate};

use super::*;

fn sample() -> Case {
    let choices = vec![Choice { at: 3, fate: Fate::Kill { cut: None } }];
    Case {
        format: FORMAT.to_owned(),
        version: VERSION,
        subject: "tiny".to_owned(),
        driving: Driving::default(),
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
    let foreign = |line, column| CaseError::Foreign(Position { line, column });
    check("{}", &foreign(1, 2));
    check("[1, 2]", &foreign(1, 2));
    check("{\n  \"format\": \"proofhouse-plan\", \"version\": 1}", &foreign(2, 3));
}

#[test]
fn newer_versions_are_refused_as_such() {
    let due = CaseError::Newer(2, Position { line: 1, column: 31 });
    check(r#"{"format": "proofhouse-case", "version": 2}"#, &due);
}

/// Such a file was read as one of version 1; found by the fuzz target `case_file`.
#[test]
fn a_version_that_there_never_was_is_damage() {
    let what = "versions begin with 1".to_owned();
    let due = CaseError::Corrupt(Position { line: 2, column: 3 }, what);
    check("{\"format\": \"proofhouse-case\",\n  \"version\": 0}", &due);
}

#[test]
fn damage_is_told_with_its_place() {
    let json = sample().to_json().unwrap();
    let line = |file: &str| match Case::parse(file.as_bytes()) {
        Err(CaseError::Corrupt(Position { line, .. }, _)) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line(&json[..json.len() / 2]), json[..json.len() / 2].lines().count());
    assert_eq!(line(&json.replace("\"lost\"", "\"found\"")), 7);
    assert_eq!(line(&json.replace("\"seed\"", "\"need\"")), 5);
    assert_eq!(line("not json"), 1);
    assert_eq!(line(""), 1);
}

#[test]
fn a_claim_that_nobody_makes_is_refused() {
    let json = sample().to_json().unwrap().replace(&sample().claim, "AC-99.nothing");
    let place = Position { line: 6, column: 3 };
    check(&json, &CaseError::UnknownClaim("AC-99.nothing".to_owned(), place));
}
