//! What `prove` and `check-subject` tell of drivers that cannot be talked to.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{proofhouse, stdout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_proofhouse");

/// Says hello, and opens a store.
const OPENS: &str = r#"
    read line; echo '{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":[],"promises":{}}'
    read line; echo '{"n":1,"outcome":"done"}'
    read line
"#;

/// What a driver that is a script came to, and how often its process was started.
fn prove(script: &str, args: &[&str]) -> (Output, usize) {
    let dir = tempfile::tempdir().unwrap();
    let driver = dir.path().join("driver.sh");
    let starts = dir.path().join("starts");
    fs::write(&driver, format!("echo >> {}\n{script}", starts.display())).unwrap();
    let subject = format!("/bin/sh {}", driver.display());
    let output = proofhouse(
        dir.path(),
        &[&["prove", "--criteria", "AC-09", "--subject", &subject], args].concat(),
    );
    (output, lines(&starts))
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}

/// The lines of findings, and those of their stories.
fn findings(output: &Output) -> Vec<String> {
    let all = stdout(output);
    let told = all.lines().skip_while(|line| !line.starts_with("FAIL"));
    told.filter(|line| !line.is_empty() && !line.contains("report")).map(str::to_owned).collect()
}

#[test]
fn a_budget_that_is_spent_leaves_a_finding_as_large_as_it_was() {
    // Each trial of a smaller plan would take a tenth of a second, and there are three hundred.
    let script = format!("sleep 0.1; {OPENS} exit 3");
    let (output, starts) = prove(&script, &["--budget", "2s"]);
    assert_eq!(output.status.code(), Some(10), "{}", stdout(&output));
    assert!(starts < 100, "{starts}");
    let told = findings(&output);
    let due = [
        "  the driver exited with code 3 instead of answering request 2 (create_collection)",
        "  made no smaller than this: the budget was spent",
    ];
    assert_eq!(told[2..4], due, "{told:?}");
}

#[test]
fn a_hang_is_told_once() {
    let (output, starts) = prove(&format!("{OPENS} sleep 600"), &["--watchdog", "4s"]);
    assert_eq!(output.status.code(), Some(14), "{}", stdout(&output));
    let told = findings(&output);
    let heads: Vec<_> = told.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(heads.len(), 1, "{told:?}");
    assert!(heads[0].ends_with(": hang"), "{told:?}");
    assert_eq!(
        told[2], "  the driver did not answer request 2 (create_collection) within 4 s",
        "{told:?}"
    );
    assert!(starts < 10, "{starts}");
}

/// A driver whose process ends, a zombie then, before another one answers in its place.
fn leaves() -> String {
    let ended = "until grep -q ') Z ' /proc/$$/stat; do sleep 0.01; done";
    format!("exec 3<&0; {{ {ended}; exec setsid {PROGRAM} driver tiny; }} <&3 & exit 0")
}

#[test]
fn a_driver_that_leaves_its_place_to_a_child_is_told() {
    let due = "the driver exited while a child of it goes on answering: request 1 (open) was \
               answered after the driver's process had ended";
    let (output, _) = prove(&leaves(), &["--budget", "10s"]);
    assert_eq!(output.status.code(), Some(10), "{}", stdout(&output));
    let told = findings(&output);
    assert_eq!(told.iter().filter(|line| line.contains(due)).count(), 1, "{told:?}");
    let dir = tempfile::tempdir().unwrap();
    let leaves = leaves();
    let output = proofhouse(dir.path(), &["check-subject", "--", "/bin/sh", "-c", &leaves]);
    assert_eq!(output.status.code(), Some(10), "{}", stdout(&output));
    assert_eq!(stdout(&output), format!("the script: {due}\n"));
}
