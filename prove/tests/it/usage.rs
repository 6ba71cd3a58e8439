use std::fs;

use super::proofhouse;

/// One line on standard error, nothing on standard output, exit 1.
fn check(args: &[&str], due: &str) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("plan.json"), r#"{"format": "proofhouse-plan", "version": 1}"#)
        .unwrap();
    fs::write(dir.path().join("next.json"), r#"{"format": "proofhouse-case", "version": 9}"#)
        .unwrap();
    fs::write(dir.path().join("torn.json"), r#"{"format": "proof"#).unwrap();
    let output = proofhouse(dir.path(), args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("proofhouse: {due}\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

#[test]
fn what_is_wrong_with_a_call_is_one_line_and_exit_1() {
    check(&["--nonsense"], "unexpected argument '--nonsense' found");
    check(
        &["prove", "--seed", "one"],
        "invalid value 'one' for '--seed <SEED>': invalid digit found in string",
    );
    check(
        &["--subject", "oracle"],
        "no subject \"oracle\": `proofhouse subjects` lists them; a command has a space or a /",
    );
    check(&["--dir", "nowhere"], "nowhere: No such file or directory (os error 2)");
    check(&["--out", "plan.json"], "plan.json/cases: Not a directory (os error 20)");
    check(
        &["--shard", "3/2"],
        "invalid value '3/2' for '--shard <K/N>': K/N with K from 1 to N and N up to 1000, such as 2/4",
    );
    check(&["merge"], "the following required arguments were not provided: <SHARD>...");
    check(&["merge", "none"], "none: No such file or directory (os error 2)");
    check(
        &["merge", "plan.json"],
        "plan.json: not a shard: its first line has no \"format\": \"proofhouse-shard\"",
    );
    check(
        &["--budget", "soon"],
        "invalid value 'soon' for '--budget <BUDGET>': a whole number above 0 and ms, s, m or h, such as 90s",
    );
    check(
        &["mutate-io", "--subject", "oracle"],
        "no subject \"oracle\": `proofhouse subjects` lists them; a command has a space or a /",
    );
    check(&["mutate-io", "--out", "x"], "unexpected argument '--out' found");
    check(
        &["explain", "AC-00"],
        "invalid value 'AC-00' for '[CRITERION]': there are AC-01 to AC-19",
    );
}

#[test]
fn unusable_case_files_are_one_line_and_exit_1() {
    check(&["replay", "none.json"], "none.json: No such file or directory (os error 2)");
    check(
        &["replay", "plan.json"],
        "plan.json: not a case file at line 1, column 2: its \"format\" is not \"proofhouse-case\"",
    );
    check(
        &["replay", "next.json"],
        "next.json: case version 9 at line 1, column 31 is newer than 1: use a newer proofhouse",
    );
    check(
        &["replay", "torn.json"],
        "torn.json: damaged at line 1, column 17: EOF while parsing a string",
    );
}

#[test]
fn a_run_removes_old_cases_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let cases = dir.path().join("out/cases");
    fs::create_dir_all(&cases).unwrap();
    for name in ["old.case.json", "thesis.txt"] {
        fs::write(cases.join(name), "mine").unwrap();
    }
    let output = proofhouse(dir.path(), &["prove", "--criteria", "AC-05", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(!cases.join("old.case.json").exists());
    assert_eq!(fs::read_to_string(cases.join("thesis.txt")).unwrap(), "mine");
}
