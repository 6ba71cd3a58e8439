//! Whole write-ahead logs, with the state due or as damage.

mod corrupt;
mod torn;

use serde_json::{Value as Json, json};

use super::build::{Log, State, Write, delete, put};
use super::rows::Rows;
use crate::file::Entry;

const SOURCE: &str = "docs/format.md, 4";
/// What the logs here are read under.
const GENERATION: u32 = 3;
const CUT: u64 = 2;
const RESERVED: u64 = 512;
const COLLECTIONS: [u32; 2] = [1, 2];

pub(super) fn entries() -> Vec<Entry> {
    let clean = [clean()].into_iter();
    clean.chain(torn::rows()).chain(corrupt::rows()).flat_map(Rows::finish).collect()
}

/// The commits that most logs here hold: 3, 4, 5 and 6.
fn commits() -> [Vec<Write>; 4] {
    [
        vec![put(1, 0x11, 31), put(1, 0x22, 32)],
        vec![put(1, 0x22, 41), put(2, 0x11, 42)],
        vec![delete(1, 0x11)],
        vec![put(1, 0x22, 61), delete(2, 0x11), put(2, 0x33, 62)],
    ]
}

/// A log with the first `count` of [`commits`], each synced before the next.
fn log(count: usize) -> Log {
    let mut log = Log::new(GENERATION, CUT, RESERVED);
    for (sequence, writes) in (CUT + 1..).zip(commits().iter().take(count)) {
        log.commit(sequence, writes);
    }
    log
}

/// The state after the first `count` of [`commits`].
fn state(count: usize) -> State {
    commits().iter().take(count).fold(State::at(CUT), |state, writes| state.and(writes))
}

fn given() -> Json {
    given_at(GENERATION, CUT)
}

fn given_at(generation: u32, cut: u64) -> Json {
    let collections = COLLECTIONS.map(|id| id.to_string());
    json!({
        "generation": generation.to_string(),
        "cut": cut.to_string(),
        "collections": collections,
    })
}

fn value(state: &State) -> Json {
    let collections =
        COLLECTIONS.map(|id| json!({ "id": id.to_string(), "entities": state.entities(id) }));
    json!({ "sequence": state.sequence.to_string(), "collections": collections })
}

/// A file that shows a state.
fn shows(rows: &mut Rows, id: impl Into<String>, meaning: &str, file: &[u8], state: &State) {
    rows.accept(id, meaning, file, value(state)).given = Some(given());
}

/// A file that is damaged.
fn refuses(rows: &mut Rows, id: impl Into<String>, meaning: &str, file: &[u8]) {
    rows.reject(id, meaning, file, "corrupt").given = Some(given());
}

fn clean() -> Rows {
    let mut rows = Rows::new("clean", SOURCE);
    for count in 0..=4 {
        let meaning = "commits, each synced before the next";
        let id = format!("commits-{count}");
        shows(&mut rows, id, meaning, &log(count).file(), &state(count));
    }
    let mut batch = Log::new(GENERATION, CUT, RESERVED);
    for (sequence, writes) in (CUT + 1..).zip(&commits()) {
        batch.join(sequence, writes);
    }
    let meaning = "four commits of one batch: no sync between them";
    shows(&mut rows, "batch", meaning, &batch.file(), &state(4));
    let mut file = log(4).bytes;
    shows(&mut rows, "to-the-end", "no zeros after the last commit", &file, &state(4));
    file.resize(4096, 0);
    shows(&mut rows, "long", "more zeros than are reserved", &file, &state(4));
    let mut grown = log(4);
    let large = (1, [0x44; 16], Some([&[0x59, 4, 0][..], &[0x5a; 1024]].concat()));
    grown.commit(CUT + 5, std::slice::from_ref(&large));
    let meaning = "a commit that made the file grow";
    shows(&mut rows, "grown", meaning, &grown.file(), &state(4).and(&[large]));
    let mut deletes = log(1);
    let writes = [delete(1, 0x11), delete(1, 0x22)];
    deletes.commit(CUT + 2, &writes);
    let meaning = "all entities deleted";
    shows(&mut rows, "emptied", meaning, &deletes.file(), &state(1).and(&writes));
    for (id, generation, cut) in [("first", 1, 0), ("late", 999_999, u64::MAX - 1)] {
        let mut log = Log::new(generation, cut, RESERVED);
        let writes = [put(1, 0x11, 31)];
        log.commit(cut + 1, &writes);
        let value = value(&State::at(cut).and(&writes));
        let meaning = "the least and the greatest numbers";
        rows.accept(id, meaning, &log.file(), value).given = Some(given_at(generation, cut));
    }
    let mut last = Log::new(GENERATION, u64::MAX, RESERVED);
    let meaning = "no commit can follow the last sequence there is";
    let value = value(&State::at(u64::MAX));
    for id in ["last", "last-begin"] {
        let entry = rows.accept(id, meaning, &last.file(), value.clone());
        entry.given = Some(given_at(GENERATION, u64::MAX));
        last.record(crate::layout::LogBody::Begin { txid: 0 });
    }
    rows
}
