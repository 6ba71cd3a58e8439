//! What is left of a run that was told to end: nothing, and what can be gone on with.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::commands::lives;
use super::{proofhouse, stdout};

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

/// Runs `proofhouse`, whose real files go to an empty directory, and tells it to end as soon as there
/// are some and `ready` says so.
#[track_caller]
fn check(dir: &Path, args: &[&str], ready: impl Fn() -> bool) {
    let files = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofhouse"));
    command.current_dir(dir).arg(args[0]).arg("--dir").arg(files.path()).args(&args[1..]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while is_empty(files.path()) || !ready() {
        assert_eq!(child.try_wait().unwrap(), None, "ended before it made anything");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}");
    assert!(is_empty(files.path()), "{args:?} left something");
}

#[test]
fn a_run_that_is_told_to_end_leaves_no_files_and_no_report() {
    let dir = tempfile::tempdir().unwrap();
    let driver = format!("{} driver reference", env!("CARGO_BIN_EXE_proofhouse"));
    for args in [
        &["prove", "--criteria", "AC-01"][..],
        &["prove", "--criteria", "AC-02", "--subject", &driver],
        &["prove", "--criteria", "AC-12"],
    ] {
        check(dir.path(), args, || true);
        assert!(!dir.path().join("proofhouse-out/report.json").exists());
    }
}

#[test]
fn a_driver_and_what_it_started_end_with_the_run_that_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let script = "setsid sleep 600 & echo $! $$ >>pids; sleep 600; exit";
    let started = || fs::read_to_string(&pids).is_ok_and(|pids| pids.ends_with('\n'));
    check(dir.path(), &["check-subject", "--", "/bin/sh", "-c", script], started);
    let pids = fs::read_to_string(&pids).unwrap();
    assert_eq!(pids.split_whitespace().filter(|pid| lives(pid)).count(), 0, "{pids}");
}

#[test]
fn a_shard_that_was_told_to_end_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["prove", "--criteria", "AC-01", "--shard", "1/2"];
    check(dir.path(), &args, || true);
    let output = proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("shard 1/2 is complete"), "{}", stdout(&output));
}
