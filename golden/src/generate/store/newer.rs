//! Stores that a newer minor version wrote: they are read, and never written to.

use super::{Draft, Due, RESERVED, add, sample_state};
use crate::entidb::Index;
use crate::generate::build::{Log, State, put, sealed, segment_of};
use crate::generate::rows::Rows;
use crate::layout::{CRC_LEN, NewerMinor, SegmentRecord, segment_record, with_crc};

/// Where a segment's record has its flags.
const FLAGS_AT: usize = 24;

pub(super) fn rows() -> Vec<Rows> {
    vec![shown(), refused()]
}

/// The draft as the next minor version has it.
fn newer(mut draft: Draft, fields: &[u8]) -> Draft {
    draft.manifest.newer = Some(NewerMinor { format_minor: 1, fields: fields.to_vec() });
    draft
}

/// A record whose flags are others, under a CRC of its own.
fn flagged(record: &SegmentRecord, flags: u8) -> Vec<u8> {
    let mut bytes = segment_record(record).unwrap_or_default();
    bytes.truncate(bytes.len() - CRC_LEN);
    bytes[FLAGS_AT] = flags;
    with_crc(bytes)
}

/// The sample with a further segment, of these records, and a commit more.
fn with_records(records: &[Vec<u8>]) -> Draft {
    let (bytes, info) = segment_of(4, records);
    let mut draft = Draft::sample().checkpoint(4).file("SEGMENTS/seg-000004.dat", &bytes);
    draft.manifest.segments.push(info);
    draft.manifest.next_segment_id = 5;
    draft
}

/// Records of unknown types at keys that other segments hold, and at keys of their own.
fn unknown(flags: u8) -> Vec<Vec<u8>> {
    let at = |entity, number| sealed(put(1, entity, number), 4);
    vec![
        flagged(&at(0x11, 91), flags),
        flagged(&at(0x33, 92), flags),
        segment_record(&at(0x55, 93)).unwrap_or_default(),
    ]
}

fn shown() -> Rows {
    let mut rows = Rows::new("newer-minor", "docs/format.md, 3 and 8");
    let mut shows = |id: &str, meaning: &str, draft: Draft, fields: &[u8], state: &State| {
        add(&mut rows, id, meaning, &newer(draft, fields), Due::Shown, state);
    };
    let (sample, state) = (Draft::sample, sample_state());
    shows("closed", "a newer minor version, closed cleanly", sample(), b"", &state);
    shows("fields", "fields that are not known", sample(), b"later fields", &state);
    let mut greatest = newer(sample(), b"");
    greatest.manifest.newer = Some(NewerMinor { format_minor: u16::MAX, fields: Vec::new() });
    add(&mut rows, "greatest", "the greatest minor version", &greatest, Due::Shown, &state);
    let mut shows = |id: &str, meaning: &str, draft: Draft, state: &State| {
        add(&mut rows, id, meaning, &newer(draft, b""), Due::Shown, state);
    };
    let path = vec!["name".to_owned()];
    let mut indexed = sample();
    indexed.manifest.body.next_index_id = 2;
    indexed.manifest.body.indexes =
        vec![Index { id: 1, collection: 1, path, kind: 2, unique: true, created_at: 1 }];
    shows("index", "who only reads maintains no index", indexed, &state);
    let after = state.and(&[put(1, 0x55, 93)]);
    for flags in [2, 0x40, 0xff] {
        let meaning = "records of unknown types neither show nor hide anything";
        shows(&format!("flags-{flags:02x}"), meaning, with_records(&unknown(flags)), &after);
    }
    rows
}

fn refused() -> Rows {
    let mut rows = Rows::new("newer-minor-refused", "docs/format.md, 3, 5 and 8");
    let mut refuses = |id: &str, meaning: &str, draft: Draft, class| {
        add(&mut rows, id, meaning, &draft, Due::Refused(class), &State::at(0));
    };
    let killed = newer(Draft::sample().log(&Log::new(4, 3, RESERVED)), b"");
    refuses("killed", "recovery would write", killed, "newer-version");
    let both = Draft::sample().log(&Log::new(4, 3, RESERVED)).log(&Log::new(5, 3, RESERVED));
    refuses("killed-twice", "recovery would write", newer(both, b""), "newer-version");
    let mut unread = newer(Draft::sample().log(&Log::new(4, 3, RESERVED)), b"");
    unread = unread.without("wal-000004.log");
    refuses("log-missing", "such a log is not even opened", unread, "newer-version");
    let ours = with_records(&unknown(2));
    refuses("ours", "under this minor version there are no such records", ours, "corrupt");
    let known = sealed(put(1, 0x11, 91), 4);
    let deletion = with_records(&[flagged(&known, 1)]);
    let meaning = "types that are known have not changed";
    refuses("tombstone-with-content", meaning, newer(deletion, b""), "corrupt");
    let mut damaged = flagged(&known, 2);
    damaged[30] ^= 1;
    let meaning = "a record of an unknown type has a CRC as any other";
    refuses("crc", meaning, newer(with_records(&[damaged]), b""), "corrupt");
    for (id, sequence) in [("sequence-0", 0), ("sequence-above", 5)] {
        let record = flagged(&SegmentRecord { sequence, ..known.clone() }, 2);
        let meaning = "and a sequence within the same limits";
        refuses(id, meaning, newer(with_records(&[record]), b""), "corrupt");
    }
    let twice = [flagged(&known, 2), flagged(&known, 0)];
    let meaning = "and a place in the same order";
    refuses("order", meaning, newer(with_records(&twice), b""), "corrupt");
    let stray = newer(Draft::sample().file("SEGMENTS/seg-000009.dat", b""), b"");
    refuses("stray-segment", "a later MANIFEST was lost, as ever", stray, "corrupt");
    rows
}
