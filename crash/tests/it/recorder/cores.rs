//! Where a recorded program runs: with its tracer, without noticing.

use std::fs;

use proofhouse_crash::{RecordEnd, RecordOptions};

use super::Place;

/// Says on which cores the kernel lets this shell run. No process is made for it.
const CORES: &str = "cores() {
    while read -r name value; do
        if [ $name = Cpus_allowed_list: ]; then cores=$value; fi
    done </proc/self/status
}";

/// Where we may run ourselves, as `proc_pid_status(5)` writes it.
fn everywhere() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    list.trim().to_owned()
}

#[track_caller]
fn said(script: &str) -> Vec<String> {
    let recorded = Place::new().script(&format!("{CORES}\n{script}"), RecordOptions::default());
    assert_eq!(recorded.end, RecordEnd::Exited(0));
    assert_eq!(recorded.not_measured, []);
    let said = String::from_utf8(recorded.output).unwrap();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_program_of_one_thread_runs_on_one_core() {
    let [cores] = &said("cores; echo $cores")[..] else { panic!("one line") };
    assert!(cores.parse::<usize>().is_ok(), "{cores}");
}

#[test]
fn with_a_second_process_both_run_everywhere() {
    let both = said(
        "(cores; echo $cores; until [ -e spoken ]; do :; done) &
        cores; echo $cores; >spoken; wait",
    );
    assert_eq!(both, [everywhere(), everywhere()]);
}

#[test]
fn once_the_second_is_gone_the_first_runs_on_one_core_again() {
    // It is told apart from the end of the other a moment later: the watchdog waits for it.
    let [cores] = &said(&format!(
        "(exit 0); cores; while [ $cores = {} ] && [ $cores != 0 ]; do cores; done; echo $cores",
        everywhere()
    ))[..] else {
        panic!("one line")
    };
    assert!(cores.parse::<usize>().is_ok(), "{cores}");
}

#[test]
fn a_program_that_asks_where_it_may_run_is_told_the_truth() {
    let cores = std::thread::available_parallelism().unwrap();
    assert_eq!(said("exec nproc"), [cores.to_string()]);
}

#[test]
fn a_program_that_says_where_it_wants_to_run_is_left_there() {
    let all = everywhere();
    let script = format!("{CORES}; for n in 1 2 3; do (exit 0); cores; echo $cores; done");
    assert_eq!(said(&format!("exec taskset -c {all} sh -c '{script}'")), [&*all; 3]);
}
