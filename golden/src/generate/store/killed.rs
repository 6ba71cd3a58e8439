//! Stores that were not closed: a log is named, and what it holds is recovered.

use super::{Draft, Due, RESERVED, SOURCE, add, sample_state};
use crate::generate::build::{Log, State, Write, delete, put, sealed};
use crate::generate::rows::Rows;

pub(super) fn rows() -> Vec<Rows> {
    vec![killed(), two_logs()]
}

/// The commits after those of [`Draft::sample`].
fn commits() -> [Vec<Write>; 2] {
    [vec![put(1, 0x22, 71), delete(2, 0x44)], vec![delete(1, 0x11), put(2, 0x11, 81)]]
}

/// A log of generation 4 with the first `count` of [`commits`].
fn log(count: usize) -> Log {
    let mut log = Log::new(4, 3, RESERVED);
    for (sequence, writes) in (4..).zip(commits().iter().take(count)) {
        log.commit(sequence, writes);
    }
    log
}

fn state(count: usize) -> State {
    commits().iter().take(count).fold(sample_state(), |state, writes| state.and(writes))
}

fn killed() -> Rows {
    let mut rows = Rows::new("killed", SOURCE);
    let mut shows = |id: &str, meaning: &str, draft: &Draft, state: &State| {
        add(&mut rows, id, meaning, draft, Due::Recovered, state);
    };
    let first = Log::new(1, 0, RESERVED);
    let fresh = Draft::new().collections(&["c"]);
    shows(
        "first-write",
        "killed before the first commit",
        &fresh.clone().log(&first),
        &State::at(0),
    );
    let mut one = first.clone();
    one.commit(1, &[put(1, 0x11, 31)]);
    let due = State::at(0).and(&[put(1, 0x11, 31)]);
    shows("first-commit", "one commit, and no segment yet", &fresh.log(&one), &due);
    for count in 0..=2 {
        let meaning = "what is in the log hides what is in segments";
        let id = format!("commits-{count}");
        shows(&id, meaning, &Draft::sample().log(&log(count)), &state(count));
    }
    let whole = log(2);
    let last = log(1).bytes.len();
    for end in [last + 1, last + 43, whole.bytes.len() - 51, whole.bytes.len() - 1] {
        let mut file = whole.file();
        file[end..].fill(0);
        let meaning = "the last commit is torn, and was never acknowledged";
        shows(&format!("torn-{end}"), meaning, &Draft::sample().log_bytes(4, &file), &state(1));
    }
    let unlisted = Draft::sample().log(&log(2)).file("SEGMENTS/seg-000004.dat", b"torn");
    let meaning = "a segment of a checkpoint that was never published";
    shows("checkpoint-unpublished", meaning, &unlisted, &state(2));
    let next = Log::new(5, 5, RESERVED);
    let switching = Draft::sample().log(&log(2)).file("wal-000005.log", &next.file());
    let meaning = "the next log, which MANIFEST does not name yet";
    shows("log-unpublished", meaning, &switching, &state(2));
    let left = Draft::sample().log(&log(2)).file("wal-000003.log", &Log::new(3, 0, 512).file());
    shows("log-left", "an earlier log that was not removed yet", &left, &state(2));
    let mut none = Draft::new().collections(&["c"]);
    none.manifest.next_segment_id = 5;
    let mut late = Log::new(1_000_000, 0, RESERVED);
    late.commit(1, &[put(1, 0x11, 31)]);
    shows("late-log", "a number of seven digits", &none.log(&late), &due);
    rows
}

/// A checkpoint was running: the earlier log ends where the later one begins.
fn two_logs() -> Rows {
    let mut rows = Rows::new("two-logs", SOURCE);
    let after = |cut: u64, writes: &[Vec<Write>]| {
        let mut later = Log::new(5, cut, RESERVED);
        for (sequence, writes) in (cut + 1..).zip(writes) {
            later.commit(sequence, writes);
        }
        later
    };
    let more = vec![put(1, 0x99, 91)];
    let due = [state(2), state(2).and(&more)];
    for (count, due) in due.iter().enumerate() {
        let later = after(5, &vec![more.clone(); count]);
        let draft = Draft::sample().log(&log(2)).log(&later);
        let meaning = "commits go on in the later log";
        add(&mut rows, format!("commits-{count}"), meaning, &draft, Due::Recovered, due);
    }
    let later = after(3, &[commits()[0].clone()]);
    let draft = Draft::sample().log(&log(0)).log(&later);
    add(
        &mut rows,
        "earlier-empty",
        "no commit in the earlier log",
        &draft,
        Due::Recovered,
        &state(1),
    );
    let mut torn = after(5, std::slice::from_ref(&more)).file();
    torn[100] ^= 1;
    let draft = Draft::sample().log(&log(2)).log_bytes(5, &torn);
    add(
        &mut rows,
        "later-torn",
        "the later log has a torn tail",
        &draft,
        Due::Recovered,
        &state(2),
    );
    let sealed_too =
        Draft::sample().segment(4, &[sealed(put(1, 0x22, 71), 4)]).log(&log(2)).log(&after(5, &[]));
    let meaning = "a segment newer than the last checkpoint is not listed yet";
    let due = Due::NotRecovered("corrupt");
    add(&mut rows, "segment-too-new", meaning, &sealed_too, due, &State::at(0));
    let mut refuses = |id: &str, meaning: &str, draft: &Draft| {
        add(&mut rows, id, meaning, draft, due, &State::at(0));
    };
    let gap = Draft::sample().log(&log(1)).log(&after(5, std::slice::from_ref(&more)));
    refuses("gap", "the earlier log ends before the later one begins", &gap);
    let overlap = Draft::sample().log(&log(2)).log(&after(4, std::slice::from_ref(&more)));
    refuses("overlap", "the later log begins before the earlier one ends", &overlap);
    let mut damaged = log(2).file();
    damaged[log(1).bytes.len() + 20] ^= 1;
    let lost = Draft::sample().log_bytes(4, &damaged).log(&after(5, &[]));
    refuses("earlier-damaged", "the later log shows that the earlier one was whole", &lost);
    let both = || Draft::sample().log(&log(2)).log(&after(5, std::slice::from_ref(&more)));
    refuses("earlier-missing", "a log is missing", &both().without("wal-000004.log"));
    refuses("later-missing", "a log is missing", &both().without("wal-000005.log"));
    refuses("later-empty", "a log without bytes", &both().file("wal-000005.log", b""));
    rows
}
