//! How recordings end: by themselves, by a kill, by the watchdog, or before they begin.

use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use proofhouse_crash::{KillAt, RecordEnd, RecordOptions, When, record};

use super::Place;

/// Whether a process is there and not a zombie.
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

#[test]
fn codes_and_signals_are_told() {
    let end = |script| Place::new().script(script, RecordOptions::default()).end;
    assert_eq!(end("exit 7"), RecordEnd::Exited(7));
    assert_eq!(end("kill -TERM $$"), RecordEnd::Signaled(15));
    assert_eq!(end("kill -KILL $$"), RecordEnd::Signaled(9));
}

#[test]
fn a_program_that_cannot_be_started_is_an_error() {
    let place = Place::new();
    let file = |name: &str, content: &str, mode| {
        let path = place.around.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (program, kind, said) in [
        ("no-such-command".to_owned(), io::ErrorKind::NotFound, "no such command"),
        ("/no/such/command".to_owned(), io::ErrorKind::NotFound, "cannot be started"),
        (file("data", "", 0o644), io::ErrorKind::PermissionDenied, "cannot be started"),
        (file("noise", "\u{1}\u{2}", 0o755), exec_format(), "cannot be started"),
        ("with\0zero/".to_owned(), io::ErrorKind::InvalidInput, "has a zero byte"),
    ] {
        let error = record(place.command(&[&program]), RecordOptions::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

fn exec_format() -> io::ErrorKind {
    io::Error::from_raw_os_error(nix::libc::ENOEXEC).kind()
}

#[test]
fn a_watched_directory_must_exist() {
    let mut command = Place::new().command(&["/bin/true"]);
    command.watched = Path::new("/no/such/directory").to_owned();
    let error = record(command, RecordOptions::default()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_program_that_does_not_end_is_hung() {
    let options =
        RecordOptions { watchdog: Duration::from_millis(100), ..RecordOptions::default() };
    let place = Place::new();
    let recorded = place.script("echo x > f; sleep 1000 & wait", options);
    assert_eq!(recorded.end, RecordEnd::Hung);
    assert_eq!(recorded.left_behind, 0);
}

#[test]
fn processes_that_outlive_the_first_one_are_killed_and_counted() {
    let place = Place::new();
    let script = "(setsid sleep 1000 & echo $! ) ; exit 3";
    let recorded = place.script(script, RecordOptions::default());
    assert_eq!(recorded.end, RecordEnd::Exited(3));
    assert_eq!(recorded.left_behind, 1);
    assert!(!lives(String::from_utf8(recorded.output).unwrap().trim()));
}

#[test]
fn a_dropped_session_leaves_no_process() {
    let place = Place::new();
    let script = "sleep 1000 & echo $!; wait";
    let mut session =
        record(place.command(&["/bin/sh", "-c", script]), RecordOptions::default()).unwrap();
    let mut line = String::new();
    BufReader::new(session.take_stdout().unwrap()).read_line(&mut line).unwrap();
    assert!(lives(line.trim()));
    drop(session);
    assert!(!lives(line.trim()));
}

#[test]
fn children_of_other_threads_are_left_alone() {
    let mut bystander = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    Place::new().script("true; true", RecordOptions::default());
    assert_eq!(bystander.try_wait().unwrap(), None);
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn a_kill_at_any_call_leaves_exactly_the_prefix() {
    let full = Place::new().run("names", RecordOptions::default());
    for call in 0..=full.calls.len() {
        for when in [When::Entry, When::Exit] {
            let place = Place::new();
            let kill = Some(KillAt { call: call as u64, when });
            let recorded = place.run("names", RecordOptions { kill, ..RecordOptions::default() });
            let reached = call < full.calls.len();
            let due = if reached { RecordEnd::Killed } else { RecordEnd::Exited(0) };
            assert_eq!(recorded.end, due);
            let made = call + usize::from(when == When::Exit);
            let made = made.min(full.calls.len());
            assert_eq!(recorded.calls, full.calls[..made]);
            let ops = full.calls[..made].last().map_or(0, |last| last.ops.end);
            assert_eq!(recorded.trace.ops, full.trace.ops[..ops]);
            assert!(recorded.interrupted().is_none());
            place.assert_replays(&recorded);
        }
    }
}

#[test]
fn a_kill_at_any_moment_is_seen_in_full_up_to_the_call_it_interrupts() {
    let script = "echo $$; i=0; while :; do i=$((i+1)); echo $i >> log; echo $i > n; done";
    for lines in 1..20 {
        let place = Place::new();
        let mut session =
            record(place.command(&["/bin/sh", "-c", script]), RecordOptions::default()).unwrap();
        let mut stdout = BufReader::new(session.take_stdout().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        // Some time, without a clock: until the log is so long.
        while std::fs::metadata(place.watched.join("log")).map_or(0, |log| log.len()) < lines * 10 {
            std::thread::yield_now();
        }
        session.kill();
        let recorded = session.finish().unwrap();
        assert_eq!(recorded.end, RecordEnd::Killed);
        assert_eq!(recorded.not_measured, []);
        let inside = recorded.interrupted().and_then(|call| call.path.clone());
        let differences = recorded.compare(&place.watched).unwrap();
        let explained = differences.iter().all(|difference| {
            inside.as_ref().is_some_and(|path| difference.to_string().starts_with(path))
        });
        assert!(explained, "{differences:?} {inside:?}");
    }
}
