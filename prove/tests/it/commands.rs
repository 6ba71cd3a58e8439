use std::fs;
use std::path::Path;
use std::process::Output;

use super::{proofhouse, stdout};

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A directory with the directory `store` to watch, and what recording `script` in it came to.
fn record(args: &[&str], script: &str) -> (tempfile::TempDir, Output) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("store")).unwrap();
    let mut line = vec!["record", "--watch", "store"];
    line.extend(args);
    line.extend(["--", "/bin/sh", "-c", script]);
    let output = proofhouse(dir.path(), &line);
    (dir, output)
}

#[test]
fn a_recorded_program_is_listed_from_its_trace() {
    let script = "printf one > store/a; mv store/a store/b; echo two; exit 3";
    let (dir, output) = record(&["--out", "moved.trace"], script);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stdout(&output), "two\n");
    assert!(said(&output).ends_with("the program exited with code 3: moved.trace\n"));
    let shown = proofhouse(dir.path(), &["trace", "show", "moved.trace"]);
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(stdout(&shown), "#0 create a\n#1 write a 0+3\n#2 rename a b\n");
}

#[test]
fn what_a_trace_cannot_say_is_not_measured() {
    let (_dir, output) = record(&[], "ln -s nowhere store/link");
    assert_eq!(output.status.code(), Some(17), "{}", said(&output));
    assert!(said(&output).contains("NOT MEASURED: symlink"), "{}", said(&output));
}

#[test]
fn a_program_that_does_not_end_is_killed_and_its_trace_kept() {
    let (dir, output) = record(&["--watchdog", "300ms"], "printf one > store/a; exec sleep 600");
    assert_eq!(output.status.code(), Some(14), "{}", said(&output));
    let shown = proofhouse(dir.path(), &["trace", "show", "proofhouse.trace"]);
    assert_eq!(stdout(&shown), "#0 create a\n#1 write a 0+3\n");
}

#[test]
fn processes_left_behind_and_writes_elsewhere_are_told() {
    let (_dir, output) = record(&[], "sleep 600 & printf one > elsewhere");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let lines = said(&output);
    let told: Vec<_> = lines.lines().skip(1).collect();
    assert_eq!(
        told,
        [
            "proofhouse: calls that wrote outside the watched directory: 1",
            "proofhouse: processes that outlived the program and were killed: 1",
        ]
    );
}

/// One line on standard error, nothing on standard output, exit 1.
fn check_usage(dir: &Path, args: &[&str], due: &str) {
    let output = proofhouse(dir, args);
    assert_eq!(said(&output), format!("proofhouse: {due}\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

#[test]
fn recordings_that_cannot_be_are_one_line_and_exit_1() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("store")).unwrap();
    let missing = "No such file or directory (os error 2)";
    check_usage(
        dir.path(),
        &["record", "--watch", "none", "--", "true"],
        &format!("none: {missing}"),
    );
    check_usage(
        dir.path(),
        &["record", "--watch", "store", "--out", "store/t", "--", "true"],
        "store/t: lies in the watched directory",
    );
    check_usage(
        dir.path(),
        &["record", "--watch", "store", "--out", "none/t", "--", "true"],
        &format!("none/t: {missing}"),
    );
    let output = proofhouse(dir.path(), &["record", "--watch", "store", "--", "./no-such-program"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("proofhouse: ./no-such-program: "), "{}", said(&output));
    assert_eq!(said(&output).lines().count(), 1);
    assert!(!dir.path().join("proofhouse.trace").exists());
}

#[test]
fn foreign_and_torn_traces_are_refused() {
    let (dir, output) = record(&["--out", "whole"], "printf one > store/a");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let whole = fs::read(dir.path().join("whole")).unwrap();
    fs::write(dir.path().join("torn"), &whole[..whole.len() - 1]).unwrap();
    fs::write(dir.path().join("foreign"), "{}").unwrap();
    for file in ["torn", "foreign"] {
        let shown = proofhouse(dir.path(), &["trace", "show", file]);
        assert_eq!(shown.status.code(), Some(1));
        assert!(said(&shown).starts_with(&format!("proofhouse: {file}: ")), "{}", said(&shown));
        assert!(shown.stdout.is_empty());
    }
}

/// A driver that is none: the complaint and the exit; nothing of the check stays behind.
fn check_driver(command: &[&str], exit: i32, due: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut args = vec!["check-subject", "--watchdog", "2s", "--dir", ".", "--"];
    args.extend(command);
    let output = proofhouse(dir.path(), &args);
    let all = stdout(&output) + &said(&output);
    assert_eq!(output.status.code(), Some(exit), "{all}");
    assert!(all.contains(due), "{all}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_a_driver_does_wrong_is_told() {
    check_driver(&["./no-such-driver"], 1, "could not be started");
    check_driver(&["/bin/sh", "-c", "exit 3"], 10, "exited with code 3 instead of answering");
    check_driver(&["/bin/sh", "-c", "read line; echo hello"], 10, "with something else");
    check_driver(&["/bin/sleep", "600"], 14, "did not answer request 0 (hello) within 2 s");
}
