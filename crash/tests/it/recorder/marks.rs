//! Requests and acknowledgements, in the order they have among the calls.

use std::io::{BufRead, BufReader, Write};

use proofhouse_crash::{Mark, RecordEnd, RecordOptions, record};

use super::Place;

/// Marks a line `ack N` when it is complete, however its bytes arrive.
fn acknowledgements() -> RecordOptions {
    let mut pending = Vec::new();
    let on_stdout = move |bytes: &[u8]| {
        let mut marks = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                pending.push(*byte);
                continue;
            }
            let line = String::from_utf8(std::mem::take(&mut pending)).unwrap();
            let event = line.strip_prefix("ack ").and_then(|event| event.parse().ok());
            marks.extend(event.map(Mark::Ack));
        }
        marks
    };
    RecordOptions { on_stdout: Box::new(on_stdout), ..RecordOptions::default() }
}

#[test]
fn an_acknowledgement_stands_between_its_calls_and_the_next_request() {
    let place = Place::new();
    let script = "exec 3>> log; echo ready; \
                  while read n; do echo $n >&3; echo ack $n; done; echo late >&3";
    let mut session =
        record(place.command(&["/bin/sh", "-c", script]), acknowledgements()).unwrap();
    let mut stdin = session.take_stdin().unwrap();
    let mut stdout = BufReader::new(session.take_stdout().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    for event in 1..=50 {
        session.mark(Mark::Issue(event));
        writeln!(stdin, "{event}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, format!("ack {event}\n"));
    }
    drop(stdin);
    let recorded = session.finish().unwrap();
    assert_eq!(recorded.end, RecordEnd::Exited(0));
    place.assert_replays(&recorded);
    let listed: Vec<String> = recorded.trace.describe().iter().map(ToString::to_string).collect();
    let mut due = vec!["create log".to_owned()];
    let mut offset = 0;
    for event in 1..=50 {
        let len = format!("{event}\n").len();
        due.push(format!("issue {event}"));
        due.push(format!("write log {offset}+{len}"));
        due.push(format!("ack {event}"));
        offset += len;
    }
    due.push(format!("write log {offset}+5"));
    assert_eq!(listed, due);
}

#[test]
fn a_reply_that_was_not_finished_acknowledges_nothing() {
    let script = "printf 'ack 1\\nack '; printf 2; printf '\\nack 3'";
    let recorded = Place::new().script(script, acknowledgements());
    assert_eq!(recorded.output, b"ack 1\nack 2\nack 3");
    insta::assert_snapshot!(recorded.trace, @r"
    #0 ack 1
    #1 ack 2
    ");
}

#[test]
fn marks_can_be_set_from_any_thread() {
    let place = Place::new();
    let session = record(place.command(&["/bin/cat"]), RecordOptions::default()).unwrap();
    let marker = session.marker();
    std::thread::spawn(move || marker.mark(Mark::Shown(4))).join().unwrap();
    let recorded = session.finish().unwrap();
    insta::assert_snapshot!(recorded.trace, @"#0 shown 4");
}

#[test]
fn marks_made_after_the_programs_end_are_kept() {
    let place = Place::new();
    let session = record(place.command(&["/bin/true"]), RecordOptions::default()).unwrap();
    while !session.has_ended() {
        std::thread::yield_now();
    }
    session.mark(Mark::Issue(1));
    insta::assert_snapshot!(session.finish().unwrap().trace, @"#0 issue 1");
}
