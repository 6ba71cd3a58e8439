//! Logs in which acknowledged bytes are damaged, or that no engine has written.

use super::{CUT, GENERATION, RESERVED, SOURCE, commits, given, log, refuses, shows, state, value};
use crate::generate::build::{Log, delete, put};
use crate::generate::rows::Rows;
use crate::layout::{Hash, LogBody, LogKey, LogRecord, log_envelope, log_record};

/// What decides of vectors that show a fault which was found.
const PAST_BUG: &str =
    "docs/format.md, 4: torn or corrupt, 3; a past bug: docs/fuzzing.md, Found so far";

pub(super) fn rows() -> Vec<Rows> {
    vec![first_record(), grammar(), unknown(), past_bug(), stamps(), flipped(), witnesses()]
}

fn first_record() -> Rows {
    let mut rows = Rows::new("corrupt-first-record", "docs/format.md, 4: torn or corrupt, 1 and 2");
    let first = log_len();
    let mut add = |id: &str, meaning: &str, file: &[u8]| refuses(&mut rows, id, meaning, file);
    add("empty-file", "no bytes", b"");
    add("zeros", "no record at all", &[0; 512]);
    add("shorter-than-reserved", "the file lost its end", &log(1).file()[..511]);
    add("shortened-to-records", "the reserved zeros are gone", &log(1).bytes);
    add("record-cut", "the file ends inside the record", &log(0).bytes[..first - 1]);
    for (id, cut) in [("earlier-cut", CUT - 1), ("later-cut", CUT + 1)] {
        add(id, "the log begins at another sequence", &Log::new(GENERATION, cut, RESERVED).file());
    }
    let mut other = Log::new(GENERATION + 1, CUT, RESERVED);
    add("other-generation", "the log of another generation", &other.file());
    other = Log::bare(GENERATION, CUT, RESERVED);
    other.commit(CUT + 1, &commits()[0]);
    add("no-checkpoint", "the log begins with a commit", &other.file());
    for (id, synced_to) in [("synced-before", CUT - 1), ("synced-after", CUT + 1)] {
        let mut log = Log::bare(GENERATION, synced_to, RESERVED);
        log.record(LogBody::Checkpoint { cut: CUT, reserved: RESERVED });
        add(id, "the record claims another sequence than its cut as synced", &log.file());
    }
    let mut old = log_envelope(1, 6, &CUT.to_le_bytes());
    old.resize(512, 0);
    add("version-1", "the log begins with a record of version 1", &old);
    for at in (0..first).step_by(3) {
        let mut file = log(1).file();
        file[at] ^= 0x04;
        add(&format!("flipped-{at:02}"), "a bit of the first record is flipped", &file);
    }
    rows
}

/// Bytes of the first record.
fn log_len() -> usize {
    log(0).bytes.len()
}

/// What may follow two good commits, and breaks the grammar.
fn grammar() -> Rows {
    let mut rows = Rows::new("corrupt-grammar", "docs/format.md, 4: torn or corrupt, 3");
    let mut add = |id: &str, meaning: &str, write: &dyn Fn(&mut Log)| {
        let mut log = log(2);
        log.synced_to = CUT + 2;
        write(&mut log);
        refuses(&mut rows, id, meaning, &log.file());
    };
    let next = CUT + 3;
    let begin = |txid| LogBody::Begin { txid };
    let commit = |txid, sequence| LogBody::Commit { txid, sequence };
    let good = put(1, 0x11, 51);
    add("begin-gap", "a sequence is missing", &|log| log.join(next + 1, &[put(1, 0x11, 51)]));
    add("begin-repeated", "a sequence again", &|log| log.join(next - 1, &[put(1, 0x11, 51)]));
    add("begin-twice", "a transaction in a transaction", &|log| {
        log.record(begin(next));
        log.record(begin(next));
    });
    add("put-alone", "a write outside a transaction", &|log| log.write(next, &good));
    add("commit-alone", "the end of no transaction", &|log| log.record(commit(next, next)));
    add("empty", "a transaction without a write", &|log| log.join(next, &[]));
    add("put-of-another", "a write of another transaction", &|log| {
        log.record(begin(next));
        log.write(next + 1, &good);
    });
    add("commit-of-another", "the end of another transaction", &|log| {
        log.record(begin(next));
        log.write(next, &good);
        log.record(commit(next + 1, next));
    });
    add("commit-sequence", "a commit of another sequence", &|log| {
        log.record(begin(next));
        log.write(next, &good);
        log.record(commit(next, next + 1));
    });
    for (id, meaning, writes) in [
        ("entities-descend", "entities out of order", [put(1, 0x22, 1), put(1, 0x11, 1)]),
        ("collections-descend", "collections out of order", [put(2, 0x11, 1), put(1, 0x22, 1)]),
        ("key-twice", "an entity twice", [put(1, 0x11, 1), delete(1, 0x11)]),
    ] {
        add(id, meaning, &|log| log.join(next, &writes));
    }
    for (id, collection) in [("collection-0", 0), ("collection-3", 3)] {
        let meaning = "a collection that MANIFEST does not list";
        add(id, meaning, &|log| log.join(next, &[put(collection, 0x11, 1)]));
    }
    let hashed =
        || LogKey { txid: next, collection: 1, entity: [0x11; 16], before: Some(Hash([0xab; 32])) };
    for (id, record) in [
        ("put-hash", LogBody::Put { key: hashed(), content: vec![0xa0] }),
        ("delete-hash", LogBody::Delete(hashed())),
        ("abort", LogBody::Abort { txid: next }),
        ("checkpoint", LogBody::Checkpoint { cut: next, reserved: RESERVED }),
    ] {
        add(id, "a record that no log of this format holds there", &|log| {
            log.record(begin(next));
            log.record(record.clone());
        });
    }
    add("abort-between", "a record that no log of this format holds", &|log| {
        log.record(LogBody::Abort { txid: next });
    });
    rows
}

/// A whole record with its stamp and a type of no log of this format.
fn of_type(kind: u8, offset: usize, synced_to: u64, fields: &[u8]) -> Vec<u8> {
    let mut payload = GENERATION.to_le_bytes().to_vec();
    payload.extend((offset as u64).to_le_bytes());
    payload.extend(synced_to.to_le_bytes());
    payload.extend(fields);
    log_envelope(2, kind, &payload)
}

/// A log of two commits with a record somewhere behind them.
fn with(at: usize, record: &[u8]) -> Vec<u8> {
    let mut file = log(2).file();
    file.resize(file.len().max(at + record.len()), 0);
    file[at..at + record.len()].copy_from_slice(record);
    file
}

/// Valid records of types that this version does not know: no torn write leaves one.
fn unknown() -> Rows {
    let mut rows = Rows::new("unknown-type", "docs/format.md, 4: torn or corrupt, 3 and 4");
    let base = log(2);
    let at = base.bytes.len();
    for kind in [0, 7, 0x7f, 0xff] {
        for (id, fields) in [("bare", &[][..]), ("fields", b"a later field")] {
            let record = of_type(kind, at, CUT + 2, fields);
            let id = format!("{kind:02x}-{id}");
            let meaning = "where the next commit would begin";
            let entry = rows.reject(id, meaning, &with(at, &record), "corrupt");
            entry.given = Some(given());
            PAST_BUG.clone_into(&mut entry.source);
        }
    }
    let meaning = "what it says of syncs is not looked at";
    refuses(&mut rows, "synced-to-0", meaning, &with(at, &of_type(0x7f, at, 0, b"")));
    let meaning = "in a transaction";
    let mut begun = base.clone();
    begun.synced_to = CUT + 2;
    begun.record(LogBody::Begin { txid: CUT + 3 });
    let inside = begun.bytes.len();
    let mut file = begun.file();
    let record = of_type(0x7f, inside, CUT + 2, b"");
    file[inside..inside + record.len()].copy_from_slice(&record);
    refuses(&mut rows, "inside", meaning, &file);
    let mut first = log(0).file();
    let record = of_type(0x7f, 0, CUT, &[0; 16]);
    first[..record.len()].copy_from_slice(&record);
    refuses(&mut rows, "first", "in place of the first record", &first);
    let witness = with(at + 100, &of_type(0x7f, at + 100, CUT + 3, b""));
    refuses(&mut rows, "witness", "after a break, it testifies as any record does", &witness);
    for (id, meaning, at_file, record) in [
        ("harmless", "after a break, testifying of nothing", at + 100, {
            of_type(0x7f, at + 100, CUT + 2, b"")
        }),
        ("shifted", "of another place: a break", at, of_type(0x7f, at + 1, CUT + 2, b"")),
        ("stampless", "too short for a stamp: a break", at, log_envelope(2, 0x7f, &[0; 19])),
        ("version-1", "of version 1, which has no stamp: a break", at, {
            let stamped = of_type(0x7f, at, CUT + 2, b"");
            log_envelope(1, 0x7f, &stamped[11..stamped.len() - 4])
        }),
    ] {
        shows(&mut rows, id, meaning, &with(at_file, &record), &state(2));
    }
    rows
}

/// Commits behind a record of an unknown type, which were once dropped in silence: the record was
/// taken for a torn tail.
fn past_bug() -> Rows {
    let mut rows = Rows::new("past-bug", PAST_BUG);
    let base = log(2);
    let unknown = of_type(0x7f, base.bytes.len(), CUT + 2, b"a later field");
    for (id, synced_to, meaning) in [
        ("unknown-before-commit", CUT + 2, "an unknown type, and the next commit behind it"),
        ("unknown-before-synced", CUT + 3, "an unknown type, and the commit after the next"),
    ] {
        let mut log = base.clone();
        log.bytes.extend(&unknown);
        log.synced_to = synced_to;
        log.join(synced_to + 1, &commits()[2]);
        refuses(&mut rows, id, meaning, &log.file());
    }
    let mut begun = base;
    begun.synced_to = CUT + 2;
    begun.record(LogBody::Begin { txid: CUT + 3 });
    let inside = of_type(0x7f, begun.bytes.len(), CUT + 2, b"a later field");
    begun.bytes.extend(inside);
    begun.write(CUT + 3, &commits()[2][0]);
    begun.record(LogBody::Commit { txid: CUT + 3, sequence: CUT + 3 });
    let meaning = "a transaction that is whole but for a record of an unknown type in it";
    refuses(&mut rows, "unknown-in-transaction", meaning, &begun.file());
    rows
}

fn stamps() -> Rows {
    let mut rows = Rows::new("corrupt-stamp", "docs/format.md, 4: torn or corrupt, 3");
    for (id, meaning, first, second) in [
        ("above", "more is claimed synced than was committed", CUT + 3, CUT + 3),
        ("above-inside", "its own commit is claimed synced", CUT + 2, CUT + 3),
        ("falls", "less is claimed synced than before", CUT, CUT),
        ("falls-inside", "less is claimed synced than before", CUT + 2, CUT + 1),
        ("max", "the greatest number", u64::MAX, u64::MAX),
    ] {
        let mut log = log(2);
        log.synced_to = first;
        log.record(LogBody::Begin { txid: CUT + 3 });
        log.synced_to = second;
        log.write(CUT + 3, &put(1, 0x11, 51));
        log.record(LogBody::Commit { txid: CUT + 3, sequence: CUT + 3 });
        refuses(&mut rows, id, meaning, &log.file());
    }
    rows
}

/// Every eleventh byte of a log of four commits.
fn flipped() -> Rows {
    let mut rows = Rows::new("flipped-bit", SOURCE);
    let (whole, last) = (log(4), log(3).bytes.len());
    for (at, bit) in (0..whole.bytes.len()).step_by(11).zip((0..8).cycle()) {
        let mut file = whole.file();
        file[at] ^= 1 << bit;
        let meaning = format!("bit {bit} of byte {at} is flipped");
        if at < last {
            refuses(&mut rows, format!("{at:04}"), &meaning, &file);
        } else {
            rows.accept(format!("{at:04}"), meaning, &file, value(&state(3))).given = Some(given());
        }
    }
    rows
}

/// What proves that acknowledged bytes are gone.
fn witnesses() -> Rows {
    let mut rows = Rows::new("corrupt-witness", "docs/format.md, 4: torn or corrupt, 4");
    let whole = log(4);
    // From here on, records say that commit CUT + 3 was synced.
    let last = log(3).bytes.len();
    for (number, start) in whole.starts.iter().enumerate().filter(|(_, start)| **start >= last) {
        let end = whole.starts.get(number + 1).map_or(whole.bytes.len(), |next| *next);
        let mut file = log(2).file();
        file.resize(whole.file().len(), 0);
        file[*start..end].copy_from_slice(&whole.bytes[*start..end]);
        let meaning = "one record alone shows that a commit was synced which is not there";
        refuses(&mut rows, format!("record-{number:02}"), meaning, &file);
    }
    let mut far = log(2).file();
    far.resize(300_000, 0);
    let offset = 290_000;
    let record = LogBody::Begin { txid: CUT + 4 };
    let witness = LogRecord { generation: GENERATION, offset, synced_to: CUT + 3, record };
    let bytes = log_record(&witness);
    far[290_000..][..bytes.len()].copy_from_slice(&bytes);
    refuses(&mut rows, "far", "the only witness is far behind", &far);
    let mut quoting = log(2);
    let at = quoting.bytes.len();
    // The witness stands inside the content of a put that never became whole.
    let content_at = at + 43 + 64;
    let quoted = LogRecord { offset: content_at as u64, ..witness };
    quoting.commit(CUT + 3, &[(1, [0x11; 16], Some(log_record(&quoted)))]);
    let mut file = quoting.file();
    file[at + 43] ^= 1;
    let meaning = "any valid record counts, wherever it stands: it is looked for at every byte";
    refuses(&mut rows, "inside-a-content", meaning, &file);
    rows
}
