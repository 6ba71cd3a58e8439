use super::*;

const LONG: Duration = Duration::from_secs(20);

fn shell(script: &str, limits: Limits) -> ChildRun {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    run_child(command, limits).unwrap()
}

fn kill_after(lines: usize) -> Limits {
    let kill = Some(KillAfter { lines, delay: Duration::ZERO });
    Limits { kill, watchdog: LONG }
}

const PATIENT: Limits = Limits { kill: None, watchdog: LONG };

/// Whether a process is gone; one that was killed may remain until its new parent notices.
fn is_gone(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => true,
    }
}

#[test]
fn lines_and_exit_code_are_collected() {
    let run = shell("echo ack 1; echo ack 2; exit 3", PATIENT);
    assert_eq!(run.lines, ["ack 1", "ack 2"]);
    assert_eq!(run.end, ChildEnd::Exited(3));
}

#[test]
fn a_child_that_kills_itself_is_killed() {
    let run = shell("echo ack 1; kill -KILL $$", PATIENT);
    assert_eq!((run.lines.len(), run.end), (1, ChildEnd::Killed(9)));
}

#[test]
fn a_line_cut_short_is_no_acknowledgement() {
    let run = shell("echo ack 1; printf 'ack 2'; kill -KILL $$", PATIENT);
    assert_eq!(run.lines, ["ack 1"]);
}

#[test]
fn a_child_is_killed_after_its_lines() {
    let run = shell("echo ack 1; echo ack 2; exec sleep 1000", kill_after(2));
    assert_eq!((run.lines.len(), run.end), (2, ChildEnd::Killed(9)));
}

#[test]
fn a_child_that_says_nothing_can_be_killed_too() {
    let run = shell("exec sleep 1000", kill_after(0));
    assert_eq!((run.lines.len(), run.end), (0, ChildEnd::Killed(9)));
}

#[test]
fn a_child_that_ends_before_its_kill_has_exited() {
    let run = shell("echo ack 1", kill_after(2));
    assert_eq!((run.lines.len(), run.end), (1, ChildEnd::Exited(0)));
}

#[test]
fn the_watchdog_ends_a_hung_child() {
    let limits = Limits { watchdog: Duration::from_millis(100), ..PATIENT };
    let run = shell("echo ack 1; exec sleep 1000", limits);
    assert_eq!((run.lines.len(), run.end), (1, ChildEnd::Hung));
    let run = shell("exec >&-; exec sleep 1000", limits);
    assert_eq!((run.lines.len(), run.end), (0, ChildEnd::Hung));
}

#[test]
fn standard_input_is_empty() {
    let run = shell("read line || echo nothing", PATIENT);
    assert_eq!(run.lines, ["nothing"]);
}

#[test]
fn no_member_of_the_group_is_left_behind() {
    for limits in [PATIENT, kill_after(1)] {
        let run = shell("sleep 1000 >/dev/null & echo $!", limits);
        let deadline = Instant::now() + LONG;
        while !is_gone(&run.lines[0]) {
            assert!(Instant::now() < deadline, "still there: {run:?}");
            thread::yield_now();
        }
    }
}

#[test]
fn a_command_that_does_not_start_is_an_error() {
    let error = run_child(Command::new("/nonexistent"), PATIENT).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
