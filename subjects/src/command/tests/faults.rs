//! Drivers that misbehave, as small shell scripts.

use std::fs::File;
use std::time::Duration;

use proofhouse_model::{ErrorClass, Outcome, Store};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tempfile::TempDir;

use super::super::error::excerpt;
use super::super::{CommandLine, CommandSubject, Conversation, Launch, Launched, WATCHDOG};
use super::{get, settings, window};

/// Short enough to wait for where it must run out, long enough for a shell to end before.
const SHORT: Duration = Duration::from_millis(1500);

const HELLO: &str =
    r#"'{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":[],"promises":{}}'"#;

fn shell(script: &str) -> CommandLine {
    CommandLine::new("/bin/sh", ["-c", script])
}

/// What is told of a driver that should say hello and does this instead.
fn check(script: &str, due: &str) {
    check_within(WATCHDOG, script, due);
}

fn check_within(watchdog: Duration, script: &str, due: &str) {
    let told = CommandSubject::new(shell(script), watchdog).err().unwrap().to_string();
    assert_eq!(told, due, "{script}");
    assert!(!told.contains('\n'));
}

#[test]
fn a_command_that_does_not_exist_is_told_with_its_name() {
    let command = CommandLine::new("/no/such/driver", [""; 0]);
    let told = CommandSubject::new(command, WATCHDOG).err().unwrap().to_string();
    assert_eq!(
        told,
        "the driver could not be started: No such file or directory (os error 2): /no/such/driver"
    );
}

#[test]
fn a_driver_that_ends_early_is_told_with_how_and_its_last_words() {
    check("exit 3", "the driver exited with code 3 instead of answering request 0 (hello)");
    check(
        "echo one >&2; echo no such table >&2; exit 1",
        "the driver exited with code 1 instead of answering request 0 (hello); its last words: no \
         such table",
    );
    check("kill -9 $$", "the driver was ended by signal 9 instead of answering request 0 (hello)");
}

#[test]
fn a_driver_that_closes_its_output_and_lives_is_told() {
    check(
        "exec >&-; sleep 600",
        "the driver closed its standard output instead of answering request 0 (hello)",
    );
}

#[test]
fn a_driver_that_is_silent_is_told_after_the_watchdogs_time() {
    check_within(SHORT, "sleep 600", "the driver did not answer request 0 (hello) within 1.5 s");
    check_within(
        SHORT,
        "printf '{\"n\":0'; sleep 600",
        "the driver did not answer request 0 (hello) within 1.5 s",
    );
}

#[test]
fn a_driver_that_forks_away_is_told() {
    check_within(
        SHORT,
        "sleep 600 & exit 0",
        "the driver exited and left its standard output to another process, request 0 (hello) \
         unanswered",
    );
}

#[test]
fn a_line_that_is_no_answer_is_shown() {
    check(
        "echo SQLite version 3",
        "the driver answered request 0 (hello) with something else: expected value (column 1): \
         SQLite version 3",
    );
    check(
        r#"echo '{"n":0,"outcome":"hello","version":0}'"#,
        "the driver answered request 0 (hello) with something else: unknown field `version`, \
         expected one of `n`, `outcome`, `protocol`, `name`, `capabilities`, `promises`, \
         `existed`, `id`, `sequence`, `value`, `values`, `entities`, `class`, `message` (column \
         34): {\"n\":0,\"outcome\":\"hello\",\"version\":0}",
    );
}

#[test]
fn a_line_without_end_is_not_read_for_ever() {
    check(
        "head -c 67108864 /dev/zero; sleep 600",
        "the driver answered request 0 (hello) with a line longer than 67108864 bytes",
    );
}

#[test]
fn a_line_that_nothing_asked_for_shows_at_the_end() {
    let Launched { pipes, process, hook } =
        shell(&format!("read x; echo {HELLO}; echo and more; read x")).launch().unwrap();
    let mut conversation = Conversation::new(pipes, WATCHDOG, hook).unwrap();
    conversation.hello().unwrap();
    let fault = conversation.end().unwrap_err();
    assert_eq!(fault.to_string(), "wrote a line that nothing had asked for: and more");
    drop(process);
}

#[test]
fn an_answer_to_another_request_is_told_with_both_numbers() {
    check(
        r#"echo '{"n":7,"outcome":"done"}'"#,
        "the driver answered request 7 where request 0 (hello) is due",
    );
}

#[test]
fn an_answer_of_the_wrong_kind_is_told() {
    check(
        r#"echo '{"n":0,"outcome":"done"}'"#,
        "the driver answered request 0 (hello) with \"done\"",
    );
}

#[test]
fn a_newer_version_is_refused() {
    check(
        &format!("echo {}", HELLO.replace("\"protocol\":0", "\"protocol\":9")),
        "the driver speaks version 9 of the protocol, which is newer than 0: update proofhouse",
    );
}

/// A driver that says hello, opens, and then does this instead of answering.
fn opened(then: &str) -> (CommandSubject, TempDir) {
    let script = format!(
        r#"read x; echo {HELLO}; read x; echo '{{"n":1,"outcome":"done"}}'; read x; {then}"#
    );
    (CommandSubject::new(shell(&script), WATCHDOG).unwrap(), TempDir::new().unwrap())
}

#[test]
fn a_fault_leaves_the_operation_in_doubt_and_the_store_poisoned() {
    let (subject, dir) = opened("exit 5");
    let store = Box::new(subject.open_store(dir.path(), &settings()).unwrap());
    let mut client = store.client();
    assert_eq!(client.apply(&get(1)), Outcome::Failed(ErrorClass::InDoubt));
    assert_eq!(client.apply(&get(1)), Outcome::Failed(ErrorClass::Poisoned));
    drop(client);
    let due = "the driver exited with code 5 instead of answering request 2 (get)";
    assert_eq!(store.close().unwrap_err().message, due);
    assert_eq!(subject.take_failure().unwrap().to_string(), due);
    assert_eq!(subject.take_failure(), None);
    // The next open is in a new process, which has not failed yet.
    subject.open_store(dir.path(), &settings()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_driver_whose_child_answers_for_it_is_told() {
    // The child answers once its parent is a zombie, so the next request finds the process ended.
    let (subject, dir) = opened(
        r#"exec 3<&0; (
            until grep -q ') Z ' /proc/$$/stat; do sleep 0.01; done
            echo '{"n":2,"outcome":"done"}'; read x; echo '{"n":3,"outcome":"done"}'; sleep 600
        ) <&3 & exit 0"#,
    );
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    store.apply_window(&[get(1)], window(1)).unwrap();
    assert_eq!(
        store.apply_window(&[get(1)], window(1)).unwrap_err().to_string(),
        "the driver exited while a child of it goes on answering: request 3 (get) was answered \
         after the driver's process had ended"
    );
}

#[test]
fn answers_out_of_order_are_told() {
    let (subject, dir) = opened(
        r#"read x; echo '{"n":3,"outcome":"done"}'; echo '{"n":2,"outcome":"done"}'; sleep 600"#,
    );
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    let error = store.apply_window(&[get(1), get(1)], window(2)).unwrap_err();
    assert_eq!(error.to_string(), "the driver answered request 3 where request 2 (get) is due");
}

#[test]
fn a_second_answer_to_one_request_is_told() {
    let (subject, dir) =
        opened(r#"echo '{"n":2,"outcome":"done"}'; echo '{"n":2,"outcome":"done"}'; sleep 600"#);
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    let error = store.apply_window(&[get(1), get(1)], window(1)).unwrap_err();
    assert_eq!(error.to_string(), "the driver answered request 2 where request 3 (get) is due");
}

#[test]
fn nobody_whom_a_driver_started_outlives_it() {
    let dir = TempDir::new().unwrap();
    let fifo = dir.path().join("fifo");
    // The background process holds the fifo open for writing as long as it lives.
    let script = format!(
        "mkfifo {0} && {{ sleep 600 >{0} & }} && read x && echo {HELLO} && sleep 600",
        fifo.display()
    );
    let subject = CommandSubject::new(shell(&script), WATCHDOG).unwrap();
    // A blocking open waits for the writer.
    let reader = File::open(&fifo).unwrap();
    drop(subject);
    let mut fds = [PollFd::new(&reader, PollFlags::IN)];
    let patience = Timespec::try_from(WATCHDOG).unwrap();
    assert_eq!(poll(&mut fds, Some(&patience)).unwrap(), 1, "the writer is still there");
    assert!(fds[0].revents().contains(PollFlags::HUP));
}

#[test]
fn excerpts_are_one_readable_line() {
    assert_eq!(excerpt(b"a\0b\x1bc\xff\r\n"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    assert_eq!(excerpt(&[b'x'; 81]), format!("{}..", "x".repeat(80)));
    assert_eq!(excerpt(&[b'x'; 80]), "x".repeat(80));
}
