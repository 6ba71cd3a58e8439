//! Stores whose bytes were damaged, or that lost a file.

use super::{Draft, Due, RESERVED, add, directory, sample_state};
use crate::generate::build::{Log, State, put, sealed, segment};
use crate::generate::rows::Rows;

/// What decides of vectors that show a fault which was found.
const PAST_BUG: &str = "docs/format.md, 3 and 5; a past bug: docs/fuzzing.md, Found so far";

pub(super) fn rows() -> Vec<Rows> {
    vec![lost(), exchanged(), ahead(), flipped()]
}

fn killed() -> Draft {
    let mut log = Log::new(4, 3, RESERVED);
    log.commit(4, &[put(1, 0x11, 61)]);
    log.commit(5, &[put(1, 0x11, 71)]);
    Draft::sample().log(&log)
}

fn lost() -> Rows {
    let mut rows = Rows::new("lost-file", "docs/format.md, 4 and 5");
    let nothing = State::at(0);
    for id in 1..=3 {
        let name = format!("SEGMENTS/seg-00000{id}.dat");
        let draft = Draft::sample().without(&name);
        let due = Due::Refused("corrupt");
        add(
            &mut rows,
            format!("segment-{id}"),
            "a listed segment is missing",
            &draft,
            due,
            &nothing,
        );
        let draft = killed().without(&name);
        let due = Due::NotRecovered("corrupt");
        let id = format!("segment-{id}-killed");
        add(&mut rows, id, "a listed segment is missing", &draft, due, &nothing);
    }
    let due = Due::NotRecovered("corrupt");
    let draft = killed().without("wal-000004.log");
    add(&mut rows, "log", "the log is missing", &draft, due, &nothing);
    let meaning = "MANIFEST is missing beside what it would name";
    for (id, draft) in [("manifest", Draft::sample()), ("manifest-killed", killed())] {
        let files = draft.files;
        directory(&mut rows, id, meaning, &files, Due::Refused("corrupt"), None);
    }
    let log = Draft::new().log(&Log::new(1, 0, RESERVED));
    directory(&mut rows, "manifest-log", meaning, &log.files, Due::Refused("corrupt"), None);
    let mut later = Draft::sample();
    later.manifest.segments.pop();
    later.manifest.next_segment_id = 3;
    let meaning = "a segment that a later MANIFEST, now lost, must have named";
    add(&mut rows, "later-manifest", meaning, &later, Due::Refused("corrupt"), &nothing);
    rows
}

/// Valid files in the wrong place.
fn exchanged() -> Rows {
    let mut rows = Rows::new("exchanged-file", "docs/format.md, 3 and 4");
    let nothing = State::at(0);
    let mut add = |id: &str, meaning: &str, draft: &Draft, due| {
        add(&mut rows, id, meaning, draft, due, &nothing);
    };
    let (other, _) = segment(1, &[sealed(put(1, 0x11, 99), 1)]);
    let corrupt = Due::Refused("corrupt");
    let draft = Draft::sample().file("SEGMENTS/seg-000001.dat", &other);
    add("segment", "another segment", &draft, corrupt);
    let sample = Draft::sample();
    let first = sample.files["SEGMENTS/seg-000001.dat"].clone();
    let draft = sample.file("SEGMENTS/seg-000002.dat", &first);
    add("segment-of-store", "another segment of this store", &draft, corrupt);
    let mut digest = Draft::sample();
    digest.manifest.segments[0].digest.0[0] ^= 1;
    add("digest", "MANIFEST lists another digest", &digest, corrupt);
    let old = Draft::sample().checkpoint(2);
    add("checkpoint-below", "a record newer than the last checkpoint", &old, corrupt);
    let mut other = Log::new(3, 3, RESERVED);
    other.commit(4, &[put(1, 0x11, 61)]);
    let refused = Due::NotRecovered("corrupt");
    let draft = killed().file("wal-000004.log", &other.file());
    add("log", "the log of another generation", &draft, refused);
    let draft = killed().file("wal-000004.log", &Log::new(4, 2, RESERVED).file());
    add("log-cut", "a log that begins elsewhere", &draft, refused);
    let draft = killed().checkpoint(4);
    add("checkpoint-above", "a checkpoint the log does not begin at", &draft, refused);
    rows
}

/// Records of commits after the checkpoint that MANIFEST knows of. A recovery publishes a later
/// one, beside which such a record once looked right: the second open showed it.
fn ahead() -> Rows {
    let mut rows = Rows::new("past-bug", PAST_BUG);
    let (nothing, record) = (State::at(0), put(2, 0x66, 99));
    let with = |draft: Draft, sequence| draft.segment(4, &[sealed(record.clone(), sequence)]);
    for (id, sequence) in [("first", 4), ("last", 5), ("next", 6), ("max", u64::MAX)] {
        let meaning = "a record ahead of MANIFEST, in a store that was not closed";
        let (draft, due) = (with(killed(), sequence), Due::NotRecovered("corrupt"));
        add(&mut rows, format!("ahead-{id}-killed"), meaning, &draft, due, &nothing);
        let meaning = "a record ahead of MANIFEST";
        let (draft, due) = (with(Draft::sample(), sequence), Due::Refused("corrupt"));
        add(&mut rows, format!("ahead-{id}"), meaning, &draft, due, &nothing);
    }
    let shown = [record.clone()];
    let after = [put(1, 0x11, 61), put(1, 0x11, 71)];
    let closed = sample_state().with(&shown);
    let recovered =
        after.iter().fold(closed.clone(), |state, it| state.and(std::slice::from_ref(it)));
    let meaning = "a record of the checkpoint's own commit is not ahead of it";
    add(&mut rows, "even", meaning, &with(Draft::sample(), 3), Due::Shown, &closed);
    add(&mut rows, "even-killed", meaning, &with(killed(), 3), Due::Recovered, &recovered);
    rows
}

/// A bit in every third byte of MANIFEST and of each segment, and in every ninth of the log.
fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", "docs/format.md, 2, 3 and 4");
    let directory_of = killed().directory();
    for (name, bytes) in &directory_of {
        let (step, due) = match name.as_str() {
            "MANIFEST" => (3, Due::Refused("corrupt")),
            name if name.starts_with("SEGMENTS/") => (7, Due::NotRecovered("corrupt")),
            _ => (13, Due::NotRecovered("corrupt")),
        };
        // The last commit of the log could be torn.
        let end = if name.starts_with("wal-") { 51 + 43 + 73 + 51 } else { bytes.len() };
        for (at, bit) in (0..end.min(bytes.len())).step_by(step).zip((0..8).cycle()) {
            let mut files = directory_of.clone();
            files.insert(name.clone(), {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                damaged
            });
            let short = name.trim_start_matches("SEGMENTS/");
            let meaning = format!("bit {bit} of byte {at} of {name} is flipped");
            directory(&mut rows, format!("{short}-{at:03}"), &meaning, &files, due, None);
        }
    }
    rows
}
