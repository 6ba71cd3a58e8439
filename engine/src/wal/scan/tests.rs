//! The rule that tells a torn tail from corruption, clause by clause.
//!
//! The log under test is of generation 7 and begins at cut 10, so its first commit is 11.

use std::collections::BTreeMap;

use super::*;
use crate::format::wal::{PAYLOAD_LEN_MAX, encode};
use crate::ids::EntityId;
use crate::storage::MemStorage;

const GENERATION: u32 = 7;
const CUT: u64 = 10;
const RESERVED: usize = 4096;
const USERS: CollectionId = CollectionId::new(1);

/// A WAL being written.
#[derive(Clone)]
struct Log {
    bytes: Vec<u8>,
    /// Where each record begins.
    starts: Vec<usize>,
}

impl Log {
    fn empty() -> Self {
        Self { bytes: Vec::new(), starts: Vec::new() }
    }

    fn new() -> Self {
        Self::empty().record(&Body::Checkpoint { cut: CUT, reserved: Some(RESERVED as u64) }, CUT)
    }

    fn record(self, body: &Body<'_>, synced_to: u64) -> Self {
        let offset = self.bytes.len() as u64;
        self.stamped(body, Stamp { generation: GENERATION, offset, synced_to })
    }

    fn stamped(mut self, body: &Body<'_>, stamp: Stamp) -> Self {
        self.starts.push(self.bytes.len());
        encode(body, Some(&stamp), &mut self.bytes);
        self
    }

    /// A whole commit of one entity, as the engine writes it.
    fn commit(self, sequence: u64) -> Self {
        self.commit_of(sequence, b"\xa0")
    }

    fn commit_of(self, sequence: u64, after: &[u8]) -> Self {
        self.record(&Body::Begin { txid: sequence }, sequence - 1)
            .record(&put(sequence, 1, after), sequence - 1)
            .record(&Body::Commit { txid: sequence, sequence }, sequence - 1)
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The bytes in a file extended to what its first record says was reserved.
    fn file(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().max(RESERVED), 0);
        self.bytes
    }
}

fn put(txid: u64, entity: u8, after: &[u8]) -> Body<'_> {
    let entity = EntityId::new([entity; 16]);
    Body::Put { txid, collection: USERS, entity, before: None, after }
}

/// The last commit and where the damage shows, with what.
type Verdict<'a> = std::result::Result<u64, (u64, &'a str)>;

#[track_caller]
fn check(case: &str, file: Option<Vec<u8>>, expected: Verdict<'_>) {
    let name = names::wal(GENERATION);
    let files: BTreeMap<_, _> = file.into_iter().map(|file| (name.clone(), file)).collect();
    let storage = MemStorage::restore(&files);
    let mut applied = Vec::new();
    let known = |id| id == USERS;
    let scanned = scan(&storage, GENERATION, CUT, &known, &mut |sequence, writes| {
        assert!(!writes.is_empty(), "{case}: commit {sequence} is empty");
        applied.push(sequence);
    });
    match (scanned, expected) {
        (Ok(last), Ok(expected)) => {
            assert_eq!(last, expected, "{case}");
            assert!(applied.into_iter().eq(CUT + 1..=last), "{case}: commits have holes");
        }
        (Err(Error::Corrupt { file, offset, what }), Err(expected)) => {
            assert_eq!((file, (offset, what.as_str())), (name, expected), "{case}");
        }
        (got, expected) => panic!("{case}: {got:?}, expected {expected:?}"),
    }
    assert_eq!(storage.dump(), files, "{case}: scanning writes nothing");
}

#[track_caller]
fn check_log(case: &str, log: Log, expected: Verdict<'_>) {
    check(case, Some(log.file()), expected);
}

/// The message for a break with a later record that was written after it was synced.
fn loss(later: usize, last: u64, end: usize) -> String {
    format!(
        "no valid record here, but one at {later} was written after it was synced; \
         the last whole commit, {last}, ends at {end}"
    )
}

#[test]
fn whole_commits_are_read_in_order() {
    check_log("no commit yet", Log::new(), Ok(CUT));
    check_log("one commit", Log::new().commit(11), Ok(11));
    check_log("three commits", Log::new().commit(11).commit(12).commit(13), Ok(13));
    let grown = Log::new().commit_of(11, &[0; 2 * RESERVED]).commit(12);
    check("growth past what was reserved", Some(grown.bytes), Ok(12));
    // 300 KiB is more than the scan reads ahead at once.
    let long = Log::new().commit_of(11, &vec![7; 300 << 10]).commit(12);
    check_log("a record longer than the read window", long, Ok(12));
    let many = (11..3_011).fold(Log::new(), Log::commit);
    check_log("more commits than one read window holds", many, Ok(3_010));
}

#[test]
fn a_torn_last_batch_is_dropped_silently() {
    let whole = Log::new().commit(11).commit(12);
    let (start, end) = (whole.starts[4], whole.bytes.len());
    for cut in start..end {
        let mut prefix = whole.clone();
        prefix.bytes[cut..].fill(0);
        check_log(&format!("zeros from {cut}"), prefix, Ok(11));

        let mut suffix = whole.clone();
        suffix.bytes[start..=cut].fill(0);
        check_log(&format!("zeros up to {cut}"), suffix, Ok(11));

        let mut garbage = whole.clone();
        garbage.bytes[cut..].iter_mut().for_each(|byte| *byte ^= 0xa5);
        check_log(&format!("garbage from {cut}"), garbage, Ok(11));

        let mut flipped = whole.clone();
        flipped.bytes[cut] ^= 1;
        check_log(&format!("one bit at {cut}"), flipped, Ok(11));
    }
}

#[test]
fn a_file_may_end_anywhere_in_the_last_batch() {
    // Grown past what was reserved, so that the file's end is in the batch.
    let whole = Log::new().commit_of(11, &[0; RESERVED]).commit(12);
    let (start, end) = (whole.starts[4], whole.bytes.len());
    for len in start..end {
        check(&format!("{len} bytes"), Some(whole.bytes[..len].to_vec()), Ok(11));
    }
    check("exactly at the end of a commit", Some(whole.bytes), Ok(12));
}

#[test]
fn length_fields_beyond_the_file_or_the_limit_are_a_break() {
    for length in [PAYLOAD_LEN_MAX, PAYLOAD_LEN_MAX + 1, u32::MAX as usize] {
        let mut log = Log::new().commit(11);
        let at = log.bytes.len();
        log = log.record(&Body::Begin { txid: 12 }, 11);
        let length = u32::try_from(length).unwrap();
        log.bytes[at + 7..at + 11].copy_from_slice(&length.to_le_bytes());
        check_log(&format!("length {length}"), log, Ok(11));
    }
}

#[test]
fn damage_anywhere_before_a_later_batch_is_corrupt() {
    let whole = Log::new().commit(11).commit(12);
    let second = whole.starts[4];
    for at in whole.starts[1]..second {
        let mut damaged = whole.clone();
        damaged.bytes[at] ^= 0x10;
        let record = *whole.starts.iter().rfind(|start| **start <= at).unwrap();
        let what = loss(second, CUT, whole.starts[1]);
        check_log(&format!("bit at {at}"), damaged, Err((record as u64, &what)));
    }
}

#[test]
fn damage_to_the_first_record_is_always_corrupt() {
    let whole = Log::new().commit(11);
    for at in 0..whole.starts[1] {
        let mut damaged = whole.clone();
        damaged.bytes[at] ^= 0x10;
        check_log(&format!("bit at {at}"), damaged, Err((0, "the first record is damaged")));
    }
}

#[test]
fn a_file_must_begin_as_its_creation_left_it() {
    let checkpoint = Body::Checkpoint { cut: CUT, reserved: Some(RESERVED as u64) };
    let stamp = Stamp { generation: GENERATION, offset: 0, synced_to: CUT };
    let damaged = Err((0, "the first record is damaged"));
    check("missing", None, Err((0, "MANIFEST names this WAL: it is missing")));
    check("empty", Some(vec![]), damaged);
    check("zeros", Some(vec![0; RESERVED]), damaged);
    let short = Log::new().file()[..RESERVED - 1].to_vec();
    check("shortened", Some(short), Err((4095, "the file has 4095 bytes of 4096 reserved")));
    let other = Log::empty().stamped(&checkpoint, Stamp { generation: 8, ..stamp });
    check_log("another generation's", other, damaged);
    let elsewhere = Log::empty().stamped(&checkpoint, Stamp { offset: 1, ..stamp });
    check_log("from another offset", elsewhere, damaged);
    let begin = Log::empty().record(&Body::Begin { txid: 11 }, CUT);
    check_log("no checkpoint", begin, Err((0, "the first record is not a checkpoint")));
    for cut in [CUT - 1, CUT + 1] {
        let log = Log::empty().record(&Body::Checkpoint { cut, reserved: Some(0) }, cut);
        let what = format!("begins at cut {cut} where sequence 10 was reached");
        check_log("another cut", log, Err((0, &what)));
    }
    let unsynced = Log::empty().record(&checkpoint, CUT - 1);
    let what = "claims that commit 9 was synced, at cut 10";
    check_log("a cut that was not synced", unsynced, Err((0, what)));
}

#[test]
fn records_that_do_not_belong_prove_nothing() {
    let torn = Log::new().commit(11).raw(&[0xff; 40]);
    let later = Stamp { generation: GENERATION, offset: 0, synced_to: 99 };
    let commit = Body::Commit { txid: 99, sequence: 99 };
    let here = torn.bytes.len() as u64;
    let of_another = Stamp { generation: 8, offset: here, ..later };
    check_log("another generation's", torn.clone().stamped(&commit, of_another), Ok(11));
    for offset in [0, here - 1, here + 1] {
        let moved = torn.clone().stamped(&commit, Stamp { offset, ..later });
        check_log("from another offset", moved, Ok(11));
    }
    let same_sync = torn.clone().record(&commit, 11);
    check_log("written before the break was synced", same_sync, Ok(11));
    let mut version_1 = torn.clone();
    encode(&commit, None, &mut version_1.bytes);
    check_log("of version 1", version_1, Ok(11));
    let break_at = torn.bytes.len() - 40;
    let what = loss(break_at + 40, 11, break_at);
    let proof = torn.record(&commit, 99);
    check_log("the same record in its place", proof, Err((break_at as u64, &what)));

    let grown = Log::new().commit_of(11, &[0; RESERVED]).raw(&[0xff; 40]);
    let mut cut_short = grown.record(&commit, 99).bytes;
    cut_short.pop();
    check("cut short by the end of the file", Some(cut_short), Ok(11));
}

#[test]
fn a_payload_that_quotes_a_log_proves_nothing() {
    let quoted = (11..20).fold(Log::new(), Log::commit).bytes;
    let whole = Log::new().commit_of(11, &quoted);
    check_log("the quoting commit is whole", whole.clone(), Ok(11));
    let mut torn = whole;
    let begin = torn.starts[1];
    torn.bytes[begin] = 0;
    check_log("the quoting commit is torn", torn, Ok(CUT));
}

#[test]
fn proof_of_loss_is_found_wherever_it_lies() {
    let torn = Log::new().commit(11);
    let break_at = torn.bytes.len();
    // The scan reads 256 KiB at a time from just after the break.
    let border = break_at + 1 + (256 << 10);
    let near_border = (border - 60)..(border + 10);
    for at in [break_at + 1, break_at + 1000, 600 << 10].into_iter().chain(near_border) {
        let mut log = torn.clone();
        log.bytes.resize(at, 0);
        let log = log.record(&Body::Begin { txid: 13 }, 12);
        let what = loss(at, 11, break_at);
        check_log(&format!("proof at {at}"), log, Err((break_at as u64, &what)));
    }
}

#[test]
fn valid_records_must_follow_the_grammar() {
    let hash = [0; 32];
    let begin = |txid| Body::Begin { txid };
    let commit = |txid, sequence| Body::Commit { txid, sequence };
    let entity = EntityId::new([1; 16]);
    let hashed =
        Body::Put { txid: 11, collection: USERS, entity, before: Some(&hash), after: b"\xa0" };
    let place = "valid record out of place while reading commit 11";
    let kind = "a record of a kind this engine never writes there";
    let order = "writes out of (collection, entity) order";
    let unknown = Body::Delete { txid: 11, collection: CollectionId::new(2), entity, before: None };
    let one = put(11, 1, b"\xa0");
    let two = put(11, 2, b"\xa0");
    let rows: [(&str, &[Body<'_>], &str); 14] = [
        ("a write before its begin", &[one], place),
        ("a commit before its begin", &[commit(11, 11)], place),
        ("two begins", &[begin(11), begin(11)], place),
        ("a sequence left out", &[begin(12)], place),
        ("a sequence again", &[begin(10)], place),
        ("a write of another transaction", &[begin(11), put(12, 1, b"\xa0")], place),
        ("an empty commit", &[begin(11), commit(11, 11)], place),
        ("a commit of another transaction", &[begin(11), one, commit(12, 11)], place),
        ("a commit of another sequence", &[begin(11), one, commit(11, 12)], place),
        ("an abort", &[begin(11), Body::Abort { txid: 11 }], kind),
        ("a second checkpoint", &[Body::Checkpoint { cut: 10, reserved: Some(0) }], kind),
        ("a hash of what was before", &[begin(11), hashed], kind),
        ("the same entity twice", &[begin(11), one, one], order),
        ("entities out of order", &[begin(11), two, one], order),
    ];
    for (case, bodies, what) in rows {
        let log = bodies.iter().fold(Log::new(), |log, body| log.record(body, CUT));
        let last = *log.starts.last().unwrap() as u64;
        check_log(case, log, Err((last, what)));
    }
    let log = Log::new().record(&begin(11), CUT).record(&unknown, CUT);
    let last = log.starts[2] as u64;
    check_log("unknown collection", log, Err((last, "no collection 2 in MANIFEST")));
}

#[test]
fn what_records_claim_was_synced_must_be_possible() {
    let rows = [
        ("more than was committed", 11, "claims that commit 11 was synced, after 10"),
        ("less than before", 9, "claims that commit 9 was synced, after 10"),
    ];
    for (case, synced_to, what) in rows {
        let log = Log::new().record(&Body::Begin { txid: 11 }, synced_to);
        let at = log.starts[1] as u64;
        check_log(case, log, Err((at, what)));
    }
    // A later form of the engine may sync several commits at once: less than all is possible.
    let batch =
        [Body::Begin { txid: 12 }, put(12, 1, b"\xa0"), Body::Commit { txid: 12, sequence: 12 }];
    let log = batch.iter().fold(Log::new().commit(11), |log, body| log.record(body, CUT));
    check_log("two commits in one batch", log, Ok(12));
}

#[test]
fn no_commit_follows_the_last_sequence_there_is() {
    let checkpoint = Body::Checkpoint { cut: u64::MAX, reserved: Some(0) };
    let log = Log::empty().record(&checkpoint, u64::MAX);
    let files = BTreeMap::from([(names::wal(GENERATION), log.file())]);
    let storage = MemStorage::restore(&files);
    let last = scan(&storage, GENERATION, u64::MAX, &|_| true, &mut |_, _| unreachable!());
    assert_eq!(last.unwrap(), u64::MAX);
}
