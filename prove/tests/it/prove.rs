use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{proofhouse, stdout};

fn report(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("proofhouse-out/report.json")).unwrap()).unwrap()
}

#[test]
fn a_sound_store_passes_and_equal_runs_report_the_same() {
    let reports = [(), ()].map(|()| {
        let dir = tempfile::tempdir().unwrap();
        let output = proofhouse(dir.path(), &["--subject", "tiny", "--criteria", "AC-02,AC-04"]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        let mut report = report(dir.path());
        assert_eq!(report["criteria"][1]["verdict"], "PASS");
        assert_eq!(report["criteria"][3]["verdict"], "PASS");
        assert_eq!(report["criteria"][0]["reason"], "skipped");
        report.as_object_mut().unwrap().remove("observed");
        report
    });
    assert_eq!(reports[0], reports[1]);
}

/// A flawed store fails its criterion with `exit`, and each case file shows it again. Returns the
/// claims that its findings are about.
fn check(flaw: &str, criterion: &str, exit: i32) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let subject = format!("flawed:{flaw}");
    let args = ["prove", "--subject", &subject, "--criteria", criterion];
    let output = proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(exit), "{flaw}: {}", stdout(&output));
    let report = report(dir.path());
    let criteria = report["criteria"].as_array().unwrap();
    let failed = criteria.iter().find(|one| one["verdict"] == "FAIL").unwrap();
    assert_eq!(failed["id"], criterion);
    let findings = failed["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    // Threads meet by chance; all else plays again exactly.
    for finding in findings.iter().filter(|finding| finding["claim"] != "AC-03.transfers") {
        let replay = finding["replay"].as_str().unwrap();
        let args: Vec<_> = replay.split(' ').skip(1).collect();
        let again = proofhouse(dir.path(), &args);
        assert_eq!(again.status.code(), Some(exit), "{replay}: {}", stdout(&again));
        assert!(stdout(&again).contains("\nagain: "), "{replay}");
    }
    findings.iter().map(|finding| finding["claim"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_flawed_store_fails_and_its_cases_fail_again() {
    check("ack-before-sync", "AC-04", 11);
    check("publish-before-complete", "AC-03", 10);
    check("insert-overwrites-live", "AC-08", 10);
}

#[test]
fn bytes_that_differ_between_runs_differ_again() {
    check("hash-map-order", "AC-01", 15);
}

#[test]
fn each_cause_of_a_finding_is_shown_again() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--subject", "flawed:ack-before-sync", "--criteria", "AC-04"];
    let output = proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(11), "{}", stdout(&output));
    let findings = report(dir.path())["criteria"][3]["findings"].clone();
    for finding in findings.as_array().unwrap() {
        assert_eq!(finding["medium"], "ext4");
        let file = finding["replay"].as_str().unwrap().split(' ').next_back().unwrap();
        let causes = finding["causes"].as_array().unwrap().len();
        for cause in 1..=causes {
            let again = proofhouse(dir.path(), &["replay", file, "--cause", &cause.to_string()]);
            assert_eq!(again.status.code(), Some(11), "{cause}: {}", stdout(&again));
        }
        let args = ["replay", file, "--cause", &(causes + 1).to_string()];
        let none = proofhouse(dir.path(), &args);
        assert_eq!(none.status.code(), Some(1));
        let due = format!("no cause {}: this case has {causes}\n", causes + 1);
        assert!(String::from_utf8(none.stderr).unwrap().ends_with(&due));
    }
}

#[test]
fn the_calls_of_a_store_are_listed_with_what_they_bear() {
    let dir = tempfile::tempdir().unwrap();
    let output = proofhouse(dir.path(), &["mutate-io", "--subject", "tiny"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("\n4 of 4 sites are load-bearing, 0 are not (0 argued); "));
    let output = proofhouse(dir.path(), &["mutate-io", "--subject", "flawed:ack-before-sync"]);
    assert_eq!(output.status.code(), Some(17), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("plans that fail as they are\n"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_real_kill_leaves_a_case_that_starts_at_recovery() {
    let claims = check("leftover-refused", "AC-02", 13);
    assert!(claims.iter().any(|claim| claim == "AC-02.real-kills"), "{claims:?}");
}

#[test]
fn a_case_of_another_subject_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--subject", "flawed:insert-overwrites-live", "--criteria", "AC-08"];
    let output = proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(10), "{}", stdout(&output));
    let cases = dir.path().join("proofhouse-out/cases");
    let case = fs::read_dir(&cases).unwrap().next().unwrap().unwrap().path();
    let sound = fs::read_to_string(&case).unwrap().replace("flawed:insert-overwrites-live", "tiny");
    fs::write(&case, sound).unwrap();
    let again = proofhouse(dir.path(), &["replay", case.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(0), "{}", stdout(&again));
    assert!(stdout(&again).contains("\ngone: "));
}

#[test]
fn what_was_not_measured_counts_where_all_is_required() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--subject", "tiny", "--require-all", "--budget", "1ms"];
    let output = proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(17), "{}", stdout(&output));
    assert_eq!(report(dir.path())["criteria"][1]["reason"], "budget");
}
