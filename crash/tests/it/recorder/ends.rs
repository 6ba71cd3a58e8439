//! How recordings end: by themselves, by a kill, by the watchdog, or before they begin.

use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use nix::libc;
use proofhouse_crash::{KillAt, Mark, MicroOp, RecordEnd, RecordOptions, When, record};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

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
    io::Error::from_raw_os_error(libc::ENOEXEC).kind()
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

/// Kills a part before and after each of its calls.
#[track_caller]
fn check_kills(part: &str) {
    let full = Place::new().run(part, RecordOptions::default());
    assert_eq!(full.not_measured, []);
    for call in 0..=full.calls.len() {
        for when in [When::Entry, When::Exit] {
            let place = Place::new();
            let kill = Some(KillAt { call: call as u64, when });
            let recorded = place.run(part, RecordOptions { kill, ..RecordOptions::default() });
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
fn a_kill_at_any_call_leaves_exactly_the_prefix() {
    for part in ["names", "writes", "opens", "unnamed", "sizes", "transfers", "forks"] {
        check_kills(part);
    }
}

#[test]
fn recordings_of_one_process_do_not_disturb_each_other() {
    std::thread::scope(|scope| {
        for round in 0..8 {
            scope.spawn(move || {
                let part = ["threads", "names", "forks", "writes"][round % 4];
                let place = Place::new();
                let session = place.start(part, RecordOptions::default());
                // As many as there are at once, each with marks of its own.
                session.mark(Mark::Issue(round as u64 + 1));
                let recorded = session.finish().unwrap();
                assert_eq!(recorded.end, RecordEnd::Exited(0));
                assert_eq!(recorded.not_measured, []);
                place.assert_replays(&recorded);
                let marks = recorded.trace.ops.iter().filter_map(|op| match op {
                    MicroOp::Issue { event } => Some(*event),
                    _ => None,
                });
                assert_eq!(marks.collect::<Vec<_>>(), [round as u64 + 1]);
            });
        }
    });
}

/// The error of a recording where these calls are refused, as some containers do.
fn refused_where(calls: &'static [libc::c_long]) -> io::Error {
    // A filter is of the thread that installs it, and of its threads and children.
    let thread = std::thread::spawn(move || {
        let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
        let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, TargetArch::x86_64);
        let filter: BpfProgram = filter.unwrap().try_into().unwrap();
        let place = Place::new();
        seccompiler::apply_filter(&filter).unwrap();
        record(place.command(&["/bin/true"]), RecordOptions::default()).unwrap_err()
    });
    thread.join().unwrap()
}

#[test]
fn where_programs_may_not_be_traced_the_error_says_so() {
    for (calls, kind, said) in [
        (
            &[libc::SYS_ptrace][..],
            io::ErrorKind::PermissionDenied,
            "may not be traced here (ptrace",
        ),
        (&[libc::SYS_seccomp], io::ErrorKind::PermissionDenied, "may not be traced here (seccomp"),
        (&[libc::SYS_readlink, libc::SYS_readlinkat], io::ErrorKind::Unsupported, "/proc is not"),
    ] {
        let error = refused_where(calls);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_caller_that_panics_over_a_reply_leaves_no_process() {
    let place = Place::new();
    let (sender, lines) = std::sync::mpsc::channel();
    let on_stdout = move |bytes: &[u8]| -> Vec<Mark> {
        sender.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
        // As a slip of the caller's would, without a message in the middle of the tests' own.
        std::panic::resume_unwind(Box::new("a slip"))
    };
    let options = RecordOptions { on_stdout: Box::new(on_stdout), ..RecordOptions::default() };
    let script = "sleep 1000 & echo $! $$; wait";
    let session = record(place.command(&["/bin/sh", "-c", script]), options).unwrap();
    assert_eq!(session.finish().unwrap_err().to_string(), "the recorder's thread panicked");
    let line = lines.recv().unwrap();
    let (grandchild, child) = line.trim().split_once(' ').unwrap();
    assert!(!lives(grandchild));
    // Ours is reaped, too.
    assert!(!Path::new("/proc").join(child).exists());
}

#[test]
fn a_crash_of_the_program_dumps_no_core() {
    let recorded = Place::new().script("ulimit -Hc", RecordOptions::default());
    assert_eq!(recorded.output, b"0\n");
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
            inside.as_ref().is_some_and(|path| difference.to_string().starts_with(&**path))
        });
        assert!(explained, "{differences:?} {inside:?}");
    }
}
