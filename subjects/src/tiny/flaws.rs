//! The flaws that can be switched on in the tiny store.

/// Which flaws are on. With none on, the store keeps all its promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each flaw is switched on by itself")]
pub struct Flaws {
    /// The log is written in the order of a randomly seeded hash map, so equal runs leave different
    /// bytes.
    pub hash_map_order: bool,
    /// Opening skips what is torn but leaves it in the log and appends after it, so the next
    /// opening does not find what was committed since.
    pub torn_tail_left: bool,
    /// Opening cuts the torn tail off but syncs nothing, so what it showed may be gone after a
    /// later power loss.
    pub recovery_not_synced: bool,
    /// Opening fails if an interrupted rewrite left its temporary file.
    pub leftover_refused: bool,
    /// The entities of a transaction become visible one by one, while the log is being written;
    /// snapshots see only whole transactions.
    pub publish_before_complete: bool,
    /// Each change of a transaction is a log record of its own, and nothing marks the last.
    pub record_per_change: bool,
    /// A commit is acknowledged after its write, without a sync.
    pub ack_before_sync: bool,
    /// The directory is not synced after the rewritten log was renamed into place.
    pub no_dir_sync: bool,
    /// After a checkpoint, older snapshots read the current state.
    pub snapshot_broken_by_checkpoint: bool,
    /// After a compaction, older snapshots read the current state.
    pub compaction_ignores_snapshots: bool,
    /// A compaction drops deletions but not what they hid, so what was deleted is back.
    pub compaction_resurrects: bool,
    /// A range read backwards leaves out the entity that it ends at.
    pub range_ends_early: bool,
    /// A compaction renames its new log into place without syncing it.
    pub compaction_not_synced: bool,
    /// An aborted transaction uses up a sequence number.
    pub sequence_skips_on_abort: bool,
    /// A commit answers the sequence of whatever commit is the last once others may write again.
    pub sequence_read_late: bool,
    /// An insert takes the identity drawn even if it is live.
    pub insert_overwrites_live: bool,
    /// Reads in a transaction look for its own writes by identity alone, whatever the collection.
    pub key_without_collection: bool,
}

impl Flaws {
    /// All off.
    pub const NONE: Self = Self {
        hash_map_order: false,
        torn_tail_left: false,
        recovery_not_synced: false,
        leftover_refused: false,
        publish_before_complete: false,
        record_per_change: false,
        ack_before_sync: false,
        no_dir_sync: false,
        snapshot_broken_by_checkpoint: false,
        compaction_ignores_snapshots: false,
        compaction_resurrects: false,
        range_ends_early: false,
        compaction_not_synced: false,
        sequence_skips_on_abort: false,
        sequence_read_late: false,
        insert_overwrites_live: false,
        key_without_collection: false,
    };
}
