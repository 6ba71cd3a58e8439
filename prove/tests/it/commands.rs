//! `record`, `trace show` and `check-subject`, and what is told of programs that misbehave.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

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

/// Whether a process is there and not a zombie.
pub(crate) fn lives(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

/// What is told of a recorded script, after the line that says what was recorded. Nothing of it
/// stays but the trace, which is listed, and what the script put into `elsewhere`; no process whose
/// number it prints lives.
#[track_caller]
fn check_record(args: &[&str], script: &str, exit: i32, told: &[&str], listed: &str) {
    let (dir, output) = record(args, script);
    assert_eq!(output.status.code(), Some(exit), "{}", said(&output));
    assert_eq!(said(&output).lines().skip(1).collect::<Vec<_>>(), told);
    let shown = proofhouse(dir.path(), &["trace", "show", "proofhouse.trace"]);
    assert_eq!(stdout(&shown), listed);
    assert!(stdout(&output).lines().all(|pid| !lives(pid)), "{}", stdout(&output));
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name != "elsewhere");
    names.sort();
    assert_eq!(names, ["proofhouse.trace", "store"]);
}

#[test]
fn what_a_recorded_program_does_wrong_is_told() {
    let one = "#0 create a\n#1 write a 0+3\n";
    let behind = "proofhouse: processes that outlived the program and were killed: 1";
    // Of a write that stops at a limit, what it wrote is recorded: blocks of 512 bytes.
    let limited = "exec 2>/dev/null; ulimit -f 1; head -c 5000 /dev/zero > store/a; true";
    let short = "#0 create a\n#1 write a 0+512\n";
    let outside = [
        "proofhouse: calls that changed something outside the watched directory: 1 × openat",
        "proofhouse: calls that changed something outside the watched directory: 1 × write",
    ];
    for (args, script, exit, told, listed) in [
        (&[][..], "exit 3", 0, &[][..], ""),
        (&[], "kill -9 $$", 0, &[], ""),
        (&[], "exec >&-; printf one > store/a", 0, &[], one),
        (&[], limited, 0, &[], short),
        (&[], "printf one > store/a; printf two > elsewhere", 0, &outside, one),
        (&[], "printf one > store/a; setsid sleep 600 & echo $!", 0, &[behind], one),
    ] {
        check_record(args, script, exit, told, listed);
    }
}

/// On a busy machine a shell may take seconds until it writes: the watchdog must not come first, so
/// both wait for it side by side.
#[test]
fn a_recorded_program_that_hangs_is_killed_with_all_that_it_started() {
    let one = "#0 create a\n#1 write a 0+3\n";
    let scripts = [
        "printf one > store/a; setsid sleep 600 & echo $!; exec sleep 600",
        "printf one > store/a; exec >&-; sleep 600",
    ];
    std::thread::scope(|scope| {
        for script in scripts {
            scope.spawn(|| check_record(&["--watchdog", "12s"], script, 14, &[], one));
        }
    });
}

#[test]
fn without_a_directory_to_watch_it_is_this_one_and_the_trace_lies_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().join("here");
    fs::create_dir(&here).unwrap();
    let output = proofhouse(&here, &["record", "--", "/bin/sh", "-c", "printf one > a"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let trace = dir.path().canonicalize().unwrap().join("proofhouse.trace");
    assert!(said(&output).ends_with(&format!("code 0: {}\n", trace.display())));
    let shown = proofhouse(&here, &["trace", "show", "../proofhouse.trace"]);
    assert_eq!(stdout(&shown), "#0 create a\n#1 write a 0+3\n");
    assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
    let args = ["record", "--out", "t", "--", "/bin/true"];
    check_usage(&here, &args, "t: lies in the watched directory");
}

#[test]
fn what_a_trace_cannot_say_is_not_measured() {
    let (_dir, output) = record(&[], "ln -s nowhere store/link");
    assert_eq!(output.status.code(), Some(17), "{}", said(&output));
    // One of two calls, as the shell's command prefers.
    assert!(said(&output).contains("proofhouse: NOT MEASURED: symlink"), "{}", said(&output));
}

/// A program of four calls that needs no library and no loader: it creates `store/a`, writes that
/// path into it, syncs it and ends.
fn static_program() -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let code: &[u8] = b"\
        \xb8\x02\x00\x00\x00\
        \x48\x8d\x3d\x31\x00\x00\x00\
        \xbe\x41\x00\x00\x00\
        \xba\x80\x01\x00\x00\
        \x0f\x05\
        \x89\xc7\
        \xb8\x01\x00\x00\x00\
        \x48\x8d\x35\x17\x00\x00\x00\
        \xba\x07\x00\x00\x00\
        \x0f\x05\
        \xb8\x4b\x00\x00\x00\
        \x0f\x05\
        \xb8\x3c\x00\x00\x00\
        \x31\xff\
        \x0f\x05";
    let text = b"store/a\0";
    let len = HEADERS + code.len() as u64 + text.len() as u64;
    // The header of an executable for x86-64, then the one segment it consists of (elf(5)).
    let mut file = [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], b"\x02\0\x3e\0\x01\0\0\0"].concat();
    file.extend([BASE + HEADERS, 64, 0].iter().flat_map(|number| number.to_le_bytes()));
    file.extend(b"\0\0\0\0\x40\0\x38\0\x01\0\x40\0\0\0\0\0");
    file.extend(b"\x01\0\0\0\x05\0\0\0");
    file.extend([0, BASE, BASE, len, len, 0x1000].iter().flat_map(|number| number.to_le_bytes()));
    [&file, code, text].concat()
}

#[test]
fn a_program_without_libraries_is_recorded_like_any() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("store")).unwrap();
    let program = dir.path().join("program");
    fs::write(&program, static_program()).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let output = proofhouse(dir.path(), &["record", "--watch", "store", "--", "./program"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = proofhouse(dir.path(), &["trace", "show", "proofhouse.trace"]);
    assert_eq!(stdout(&shown), "#0 create a\n#1 write a 0+7\n#2 sync_data a\n");
}

#[test]
fn where_programs_may_not_be_traced_that_is_said() {
    for (call, said_of_it) in [
        (libc::SYS_ptrace, "ptrace: Operation not permitted"),
        (libc::SYS_seccomp, "seccomp: filters cannot be installed"),
    ] {
        // As in a container that forbids the call: the filter is inherited by what we start.
        let check = move || {
            let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
            let rules = [(call, Vec::new())].into();
            let filter =
                SeccompFilter::new(rules, SeccompAction::Allow, refused, TargetArch::x86_64);
            let filter: BpfProgram = filter.unwrap().try_into().unwrap();
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("store")).unwrap();
            seccompiler::apply_filter(&filter).unwrap();
            let due = format!("cannot record: the program may not be traced here ({said_of_it})");
            check_usage(dir.path(), &["record", "--watch", "store", "--", "/bin/true"], &due);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        };
        std::thread::spawn(check).join().unwrap();
    }
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
    for (program, due) in [
        ("no-such-program", "no-such-program: no such command"),
        ("./no-such-program", &format!("./no-such-program: cannot be started: {missing}")),
    ] {
        let args = ["record", "--watch", "store", "--", program];
        check_usage(dir.path(), &args, &format!("cannot record: {due}"));
    }
    assert!(!dir.path().join("proofhouse.trace").exists());
}

#[test]
fn foreign_and_damaged_traces_are_refused_with_the_position() {
    let (dir, output) = record(&["--out", "whole"], "printf one > store/a");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let whole = fs::read(dir.path().join("whole")).unwrap();
    let end = whole.len() - 17;
    let mut damaged = whole.clone();
    damaged[end + 8] ^= 1;
    let mut newer = whole.clone();
    newer[8] = 2;
    let due = "store: Is a directory (os error 21)";
    check_usage(dir.path(), &["trace", "show", "store"], due);
    check_usage(dir.path(), &["replay", "store"], due);
    for (name, content, due) in [
        ("torn", &whole[..whole.len() - 1], format!("byte {end}: cut short")),
        ("damaged", &damaged, format!("byte {end}: a checksum that does not match")),
        ("foreign", b"{\"format\": 1}", "byte 0: not a trace file".to_owned()),
        ("newer", &newer, "byte 8: a trace of version 2, newer than version 1".to_owned()),
    ] {
        fs::write(dir.path().join(name), content).unwrap();
        check_usage(dir.path(), &["trace", "show", name], &format!("{name}: {due}"));
    }
}

/// What is told of a driver that is none, in one line, and with which exit; nothing of the check
/// stays behind, nor any process.
#[track_caller]
fn check_driver(watchdog: &str, command: &[&str], exit: i32, due: &str) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("scratch")).unwrap();
    let noted = dir.path().join("pids");
    let noted_words = noted.display().to_string();
    let command: Vec<String> =
        command.iter().map(|part| part.replace("NOTE", &noted_words)).collect();
    let mut args = vec!["check-subject", "--watchdog", watchdog, "--dir", "scratch", "--"];
    args.extend(command.iter().map(String::as_str));
    let output = proofhouse(dir.path(), &args);
    let all = stdout(&output) + &said(&output);
    assert_eq!(output.status.code(), Some(exit), "{all}");
    assert!(all.contains(due), "{all}");
    assert_eq!(all.lines().count(), 1, "{all}");
    assert_eq!(fs::read_dir(dir.path().join("scratch")).unwrap().count(), 0);
    let noted = fs::read_to_string(noted).unwrap_or_default();
    assert!(noted.lines().all(|pid| !lives(pid)), "{noted}");
}

#[test]
fn what_a_driver_does_wrong_is_told() {
    let hello = r#"read line; echo '{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":[],"promises":{}}'"#;
    let done = |n: u32| format!(r#"echo '{{"n":{n},"outcome":"done"}}'"#);
    let (first, second) = (done(1), done(2));
    check_driver("2s", &["./no-such-driver"], 1, "could not be started");
    check_driver("2s", &["/bin/sleep", "600"], 14, "did not answer request 0 (hello) within 2 s");
    for (script, exit, due) in [
        ("exit 3", 10, "exited with code 3 instead of answering request 0 (hello)"),
        ("read line; echo hello", 10, "with something else"),
        ("echo $$ > NOTE; exec >&-; sleep 600", 10, "closed its standard output"),
        (
            "setsid sleep 600 & echo $! > NOTE; exit 0",
            10,
            "exited and left its standard output to another process",
        ),
        (
            "setsid sleep 600 > /dev/null 2>&1 & echo $! > NOTE; exit 0",
            10,
            "exited with code 0 instead of answering",
        ),
        (&format!("{hello}; {second}; sleep 600"), 10, "answered request 2 where request 1"),
        (
            &format!("{hello}; {first}; {first}; sleep 600"),
            10,
            "answered request 1 where request 2",
        ),
        (
            &format!("{hello}; {first}; kill -9 $$"),
            10,
            "was ended by signal 9 instead of answering request 2",
        ),
        (
            // The answer comes from a process that outlived the one that was asked.
            &format!("{hello}; (sleep 1; {first}; sleep 600) & echo $! > NOTE; exit 0"),
            10,
            "exited",
        ),
    ] {
        // On a busy machine a shell may take seconds to start; two of them are waited for.
        check_driver("8s", &["/bin/sh", "-c", script], exit, due);
    }
}
