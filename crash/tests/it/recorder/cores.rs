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

/// The number of cores that a Python program sees, each number once.
#[track_caller]
fn python(script: &str) -> Vec<String> {
    let script = format!("import os, threading\nseen = set()\n{script}\nprint(*sorted(seen))");
    said(&format!("exec python3 -c '{script}'"))
}

#[test]
fn a_program_that_asks_while_a_thread_or_process_ends_is_told_the_truth() {
    let cores = std::thread::available_parallelism().unwrap().to_string();
    let seen = python(
        "for _ in range(300):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    seen.add(len(os.sched_getaffinity(0)))
    process = os.fork()
    if process == 0: os._exit(0)
    for _ in range(3): seen.add(len(os.sched_getaffinity(0)))
    os.waitpid(process, 0)",
    );
    assert_eq!(seen, [cores]);
}

#[test]
fn a_program_that_becomes_another_user_runs_everywhere() {
    let seen = python(
        "os.setuid(os.getuid())
for _ in range(10):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    status = open(\"/proc/self/status\").read()
    seen.add(status.split(\"Cpus_allowed_list:\")[1].split()[0])",
    );
    assert_eq!(seen, [everywhere()]);
}
