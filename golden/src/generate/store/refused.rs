//! Stores that another program, or a later version, wrote.

use super::{Draft, Due, RESERVED, add};
use crate::entidb::{Index, manifest_body};
use crate::generate::build::{Log, State};
use crate::generate::rows::Rows;
use crate::layout::{CRC_LEN, log_envelope, manifest, with_crc};

pub(super) fn rows() -> Vec<Rows> {
    vec![newer(), foreign()]
}

/// MANIFEST with one byte set, under a CRC of its own.
fn renumbered(draft: &Draft, at: usize, number: u8) -> Vec<u8> {
    let mut file = manifest(&draft.manifest);
    file.truncate(file.len() - CRC_LEN);
    file[at] = number;
    with_crc(file)
}

fn newer() -> Rows {
    let mut rows = Rows::new("newer", "docs/format.md, 2 and 8");
    let trailer = manifest_body(&Draft::sample().manifest.body).map_or(0, |body| body.len()) + 4;
    let killed = Draft::sample().log(&Log::new(4, 3, RESERVED));
    for (id, meaning, at, number) in [
        ("major", "the next major version", 6, 2),
        ("manifest", "a later version of MANIFEST", 4, 3),
        ("trailer", "a later version of the trailer", trailer, 2),
    ] {
        for (state, draft) in [("closed", Draft::sample()), ("killed", killed.clone())] {
            let bytes = renumbered(&draft, at, number);
            let draft = draft.file("MANIFEST", &bytes);
            let due = Due::Refused("newer-version");
            add(&mut rows, format!("{id}-{state}"), meaning, &draft, due, &State::at(0));
        }
    }
    let mut indexed = Draft::sample();
    indexed.manifest.body.next_index_id = 2;
    let path = vec!["name".to_owned()];
    let index = Index { id: 1, collection: 1, path, kind: 0, unique: true, created_at: 1 };
    indexed.manifest.body.indexes = vec![index];
    let meaning = "indexes, which version 1.0 does not maintain";
    add(&mut rows, "index", meaning, &indexed, Due::Refused("newer-version"), &State::at(0));
    rows
}

fn foreign() -> Rows {
    let mut rows = Rows::new("foreign", "docs/format.md, 2, 5 and 7");
    let mut refuses = |id: &str, meaning: &str, draft: &Draft, class| {
        add(&mut rows, id, meaning, draft, Due::Refused(class), &State::at(0));
    };
    let begin = log_envelope(1, 1, &1_u64.to_le_bytes());
    let body = manifest_body(&Draft::sample().manifest.body).unwrap_or_default();
    let meaning = "EntiDB's own MANIFEST has no trailer";
    refuses("manifest", meaning, &Draft::sample().file("MANIFEST", &body), "foreign");
    let meaning = "EntiDB's log holds commits that it took after this engine closed";
    refuses("wal-log", meaning, &Draft::sample().file("wal.log", &begin), "foreign");
    refuses("wal-log-byte", meaning, &Draft::sample().file("wal.log", b"\0"), "foreign");
    let both = Draft::sample().file("MANIFEST", &body).file("wal.log", &begin);
    refuses("both", "EntiDB's own directory", &both, "foreign");
    let killed = Draft::sample().log(&Log::new(4, 3, RESERVED)).file("wal.log", &begin);
    refuses("wal-log-killed", "before anything is recovered", &killed, "foreign");
    let damaged = Draft::sample().file("MANIFEST", b"EMFN").file("wal.log", &begin);
    refuses("manifest-first", "MANIFEST is read before EntiDB's log", &damaged, "corrupt");
    rows
}
