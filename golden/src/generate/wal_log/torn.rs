//! Logs with a torn tail: what was never acknowledged is dropped.

use super::{CUT, GENERATION, RESERVED, SOURCE, commits, log, shows, state};
use crate::generate::build::{Log, State, Write, put};
use crate::generate::rows::Rows;
use crate::layout::{LogBody, LogRecord, log_envelope, log_record};

/// Bytes that a disk writes at once or not at all.
const SECTOR: usize = 512;

pub(super) fn rows() -> Vec<Rows> {
    vec![cut(), sectors(), batches(), garbage(), indistinguishable()]
}

/// The last transaction written up to some byte, with nothing after it.
fn cut() -> Rows {
    let mut rows = Rows::new("torn-cut", SOURCE);
    let (whole, before) = (log(4), log(3).bytes.len());
    let borders = whole.starts.iter().filter(|start| **start >= before);
    let mut ends: Vec<usize> = borders.flat_map(|start| [*start, start + 1, start + 11]).collect();
    ends.extend([whole.bytes.len() - 4, whole.bytes.len() - 1]);
    for end in ends {
        let mut file = whole.file();
        file[end..].fill(0);
        let meaning = "the last transaction stops here; zeros follow";
        shows(&mut rows, format!("zeros-{end:04}"), meaning, &file, &state(3));
        let meaning = "the last transaction stops here, and so does the file";
        shows(&mut rows, format!("end-{end:04}"), meaning, &whole.bytes[..end], &state(3));
    }
    rows
}

/// Five sectors of which some never reached the disk.
fn sectors() -> Rows {
    let mut rows = Rows::new("torn-sectors", SOURCE);
    let content = |fill: u8| Some([&[0x59, 2, 0x58][..], &[fill; 600]].concat());
    let writes: Vec<Write> = (0..4).map(|it| (1, [0x40 + it; 16], content(0x61 + it))).collect();
    let mut log = log(2);
    let from = log.bytes.len();
    log.commit(CUT + 3, &writes);
    let (file, sectors) = (log.file(), from / SECTOR..log.bytes.len().div_ceil(SECTOR));
    // What of a sector belongs to the last transaction.
    let part = |sector: usize| (sector * SECTOR).max(from)..(sector + 1) * SECTOR;
    let due = state(2);
    for sector in sectors.clone() {
        let mut lost = file.clone();
        lost[part(sector)].fill(0);
        let meaning = "one sector of the last transaction is missing";
        shows(&mut rows, format!("lost-{sector}"), meaning, &lost, &due);
        let mut kept = file.clone();
        kept[from..].fill(0);
        kept[part(sector)].copy_from_slice(&file[part(sector)]);
        let meaning = "one sector of the last transaction is there";
        shows(&mut rows, format!("kept-{sector}"), meaning, &kept, &due);
        let mut prefix = file.clone();
        prefix[part(sector).end..].fill(0);
        let whole = part(sector).end >= log.bytes.len();
        let meaning = "the last transaction up to this sector";
        let due = if whole { state(2).and(&writes) } else { due.clone() };
        shows(&mut rows, format!("prefix-{sector}"), meaning, &prefix, &due);
    }
    rows
}

/// Several commits behind one sync: each that is whole before the break stays.
fn batches() -> Rows {
    let mut rows = Rows::new("torn-batch", SOURCE);
    let mut log = log(1);
    log.synced_to = CUT + 1;
    let mut starts = Vec::new();
    for (sequence, writes) in (CUT + 2..).zip(&commits()[1..]) {
        starts.push((log.bytes.len(), log.starts.len()));
        log.join(sequence, writes);
    }
    for (whole, (_, first)) in starts.iter().enumerate() {
        let end = starts.get(whole + 1).map_or(log.starts.len(), |(_, next)| *next);
        for record in *first..end {
            let mut file = log.file();
            file[log.starts[record] + 20] ^= 0x10;
            let id = format!("commit-{}-record-{}", whole + 2, record - first);
            let meaning = "a record of a batch is missing, and later ones are there";
            shows(&mut rows, id, meaning, &file, &state(1 + whole));
        }
    }
    rows
}

/// A tail that holds something else than zeros.
fn garbage() -> Rows {
    let mut rows = Rows::new("torn-garbage", SOURCE);
    let base = log(2);
    let at = base.bytes.len();
    let mut add = |id: &str, meaning: &str, tail: &[u8]| {
        let mut file = base.file();
        file.resize(file.len().max(at + tail.len() + 64), 0);
        file[at..at + tail.len()].copy_from_slice(tail);
        shows(&mut rows, id, meaning, &file, &state(2));
    };
    let record = |generation, offset: usize, synced_to, record| {
        log_record(&LogRecord { generation, offset: offset as u64, synced_to, record })
    };
    let (begin, commit) = (LogBody::Begin { txid: 5 }, LogBody::Commit { txid: 5, sequence: 5 });
    add("ones", "bytes that no record begins with", &[0xff; 128]);
    add("magic", "many magic numbers and no record", &b"EWAL".repeat(32));
    add(
        "magic-at-the-end",
        "a magic number at the end of the file",
        &[&[0; 60][..], b"EWA"].concat(),
    );
    let meaning = "a record of an earlier log, at its place";
    add("generation", meaning, &record(GENERATION - 1, at, 9, begin.clone()));
    let meaning = "a record of a later log, at its place";
    add("later-generation", meaning, &record(GENERATION + 1, at, 9, begin.clone()));
    let meaning = "a record of this log, one byte from its place";
    add("shifted", meaning, &[&[0][..], &record(GENERATION, at, 9, begin.clone())].concat());
    let meaning = "a record of this log that belongs to another place";
    add("offset", meaning, &record(GENERATION, 0, 9, begin.clone()));
    let meaning = "a valid record after the break that testifies of nothing above the last commit";
    let mut late = vec![0; 100];
    late.extend(record(GENERATION, at + 100, CUT + 2, commit.clone()));
    add("harmless", meaning, &late);
    let mut flipped = vec![0; 100];
    flipped.extend(record(GENERATION, at + 100, CUT + 3, commit));
    flipped[130] ^= 1;
    add("damaged-witness", "what would testify is damaged itself", &flipped);
    let payload = 5_u64.to_le_bytes();
    add("version-1", "a valid record of version 1", &log_envelope(1, 1, &payload));
    let mut whole = Log::new(GENERATION, CUT, RESERVED);
    whole.commit(CUT + 1, &[put(1, 0x55, 51)]);
    add("quoted-log", "a whole log of this generation, quoted elsewhere", &whole.bytes);
    rows
}

/// Damage to the last batch alone: nothing was written after it that could testify.
fn indistinguishable() -> Rows {
    let mut rows = Rows::new("last-batch-damaged", "docs/format.md, 4: torn or corrupt");
    for (id, count) in [("one-commit", 1), ("four-commits", 4)] {
        let (whole, before) = (log(count), log(count - 1).bytes.len());
        for at in (before..whole.bytes.len()).step_by(23) {
            let mut file = whole.file();
            file[at] ^= 0x20;
            let meaning = "damage that no format with one sync a commit can tell from a torn tail";
            let due: State = state(count - 1);
            shows(&mut rows, format!("{id}-{at:04}"), meaning, &file, &due);
        }
    }
    rows
}
