//! The registry of deliberately flawed subjects: each has one named flaw, and the harness must
//! find that it fails exactly the criteria named here. A check that catches none of them proves
//! nothing.

use crate::place::Placed;
use crate::tiny::{Flaws, Tiny};

/// A subject with one flaw.
pub struct Flawed {
    /// The name by which a command line selects it, after `flawed:`.
    pub name: &'static str,
    /// What is wrong with it, in one sentence.
    pub flaw: &'static str,
    /// The criteria that it must fail, all of them and no others (AC-19, which fails with any
    /// other, aside), in order.
    pub fails: &'static [&'static str],
    /// The subject.
    pub subject: Placed,
}

/// A flaw of the tiny store: name, sentence, criteria, and the flaws that are on.
type Row = (&'static str, &'static str, &'static [&'static str], Flaws);

const ROWS: &[Row] = &[
    (
        "hash-map-order",
        "writes its log in the order of a randomly seeded hash map",
        &["AC-01"],
        Flaws { hash_map_order: true, ..Flaws::NONE },
    ),
    (
        "torn-tail-left",
        "leaves a torn record in the log and appends after it",
        &["AC-02"],
        Flaws { torn_tail_left: true, ..Flaws::NONE },
    ),
    (
        "leftover-refused",
        "does not open if an interrupted checkpoint left its temporary file",
        &["AC-02"],
        Flaws { leftover_refused: true, ..Flaws::NONE },
    ),
    (
        "publish-before-complete",
        "shows the entities of a transaction one by one while it is being written",
        &["AC-03"],
        Flaws { publish_before_complete: true, ..Flaws::NONE },
    ),
    (
        "record-per-change",
        "logs each change of a transaction by itself, with no mark that completes them",
        &["AC-03"],
        Flaws { record_per_change: true, ..Flaws::NONE },
    ),
    (
        "ack-before-sync",
        "acknowledges a commit that was written but not synced",
        &["AC-04"],
        Flaws { ack_before_sync: true, ..Flaws::NONE },
    ),
    (
        "no-dir-sync",
        "renames a new log into place without syncing the directory",
        &["AC-04"],
        Flaws { no_dir_sync: true, ..Flaws::NONE },
    ),
    (
        "recovery-not-synced",
        "shows what it recovered before that is durable",
        &["AC-04"],
        Flaws { recovery_not_synced: true, ..Flaws::NONE },
    ),
    (
        "compaction-not-synced",
        "renames what a compaction wrote into place without syncing it",
        &["AC-04"],
        Flaws { compaction_not_synced: true, ..Flaws::NONE },
    ),
    (
        "snapshot-broken-by-checkpoint",
        "reads the current state through snapshots that are older than a checkpoint",
        &["AC-06"],
        Flaws { snapshot_broken_by_checkpoint: true, ..Flaws::NONE },
    ),
    (
        "compaction-ignores-snapshots",
        "reads the current state through snapshots that are older than a compaction",
        &["AC-06"],
        Flaws { compaction_ignores_snapshots: true, ..Flaws::NONE },
    ),
    (
        "sequence-skips-on-abort",
        "uses up a sequence number for each aborted transaction",
        &["AC-07"],
        Flaws { sequence_skips_on_abort: true, ..Flaws::NONE },
    ),
    (
        "sequence-read-late",
        "answers a commit with the last sequence there is once other writers may go on",
        &["AC-07"],
        Flaws { sequence_read_late: true, ..Flaws::NONE },
    ),
    (
        "insert-overwrites-live",
        "takes the identity drawn for an insert even if it is live",
        &["AC-08"],
        Flaws { insert_overwrites_live: true, ..Flaws::NONE },
    ),
    (
        "range-ends-early",
        "leaves out the entity that a range ends at, reading it backwards",
        &["AC-08"],
        Flaws { range_ends_early: true, ..Flaws::NONE },
    ),
    (
        "compaction-resurrects",
        "drops deletions in a compaction, but not what they hid",
        &["AC-08"],
        Flaws { compaction_resurrects: true, ..Flaws::NONE },
    ),
    (
        "key-without-collection",
        "keeps the writes of a transaction by identity alone, whatever their collection",
        &["AC-09"],
        Flaws { key_without_collection: true, ..Flaws::NONE },
    ),
];

/// All flawed subjects, by the first criterion they fail.
pub fn all() -> Vec<Flawed> {
    let build = |(name, flaw, fails, flaws): &Row| Flawed {
        name,
        flaw,
        fails,
        subject: Placed::new(Tiny::flawed(&format!("flawed:{name}"), *flaws)),
    };
    ROWS.iter().map(build).collect()
}

#[cfg(test)]
mod tests;
