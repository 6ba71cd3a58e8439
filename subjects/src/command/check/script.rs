//! What a driver is asked by [`check_subject`](super::check_subject).

use proofhouse_model::{Collection, Id, Op, Payload, Plan, Settings};

const C: Collection = Collection(0);
const D: Collection = Collection(1);
const UNKNOWN: Collection = Collection(9);
const MAX_PAYLOAD: u32 = 5200;

/// Every operation, in every state in which its outcome differs.
pub(super) fn script() -> Plan {
    let ops = [basics(), transactions(), ranges(), snapshots(), upkeep(), inserts(), reopens()];
    let ops = ops.concat();
    Plan { seed: 0, settings: settings(), ops }
}

/// A few commits; the collection may exist already.
pub(super) fn small_script() -> Plan {
    let ops = vec![
        scan(C),
        Op::CreateCollection { collection: C },
        put(C, 8, 80, 300),
        Op::Begin,
        put(C, 9, 81, 30),
        put(C, 10, 82, 700),
        Op::Commit,
        scan(C),
    ];
    Plan { seed: 0, settings: settings(), ops }
}

/// Everything that there can be after `plan`, read by every access path.
pub(super) fn reads(plan: &Plan) -> Plan {
    let ids: Vec<Id> = (0..12).map(Id::nth).collect();
    let of = |collection| {
        let gets = ids.iter().map(move |id| Op::Get { collection, id: *id });
        gets.chain([Op::GetMany { collection, ids: ids.clone() }, scan(collection)])
    };
    let ops = [C, D, UNKNOWN].into_iter().flat_map(of).collect();
    Plan { ops, ..plan.clone() }
}

fn settings() -> Settings {
    Settings {
        wal_reserve: 4096,
        max_segment: 2048,
        entropy: vec![Id::nth(6), Id::nth(7)],
        max_payload: MAX_PAYLOAD,
    }
}

fn basics() -> Vec<Op> {
    let empty = Payload::Raw { bytes: Vec::new().into(), canonical: false };
    vec![
        scan(C),
        put(C, 0, 1, 40),
        Op::CreateCollection { collection: C },
        Op::CreateCollection { collection: D },
        Op::CreateCollection { collection: C },
        put(C, 0, 2, 40),
        put(C, 1, 3, 600),
        put(C, 4, 4, 5000),
        put(D, 0, 5, 50),
        get(C, 0),
        get(C, 2),
        get(D, 0),
        get(UNKNOWN, 0),
        Op::GetMany { collection: C, ids: vec![Id::nth(1), Id::nth(2), Id::nth(1)] },
        Op::GetMany { collection: C, ids: Vec::new() },
        scan(C),
        put(C, 0, 6, 41),
        get(C, 0),
        delete(C, 1),
        delete(C, 1),
        delete(UNKNOWN, 1),
        put(C, 2, 7, MAX_PAYLOAD),
        put(C, 3, 8, MAX_PAYLOAD + 1),
        put(UNKNOWN, 3, 8, MAX_PAYLOAD + 1),
        Op::Put { collection: D, id: Id::nth(3), payload: empty },
        get(D, 3),
        scan(C),
        scan(D),
        scan(UNKNOWN),
        Op::Checkpoint,
        scan(C),
    ]
}

fn transactions() -> Vec<Op> {
    vec![
        Op::Commit,
        Op::Abort,
        Op::Begin,
        Op::Begin,
        put(C, 1, 20, 60),
        delete(C, 0),
        delete(C, 0),
        get(C, 0),
        get(C, 1),
        Op::GetMany { collection: C, ids: vec![Id::nth(0), Id::nth(1)] },
        scan(C),
        put(UNKNOWN, 1, 21, 60),
        put(C, 1, 21, MAX_PAYLOAD + 1),
        Op::CreateCollection { collection: Collection(2) },
        Op::Checkpoint,
        Op::Abort,
        scan(C),
        Op::Begin,
        put(C, 1, 22, 60),
        put(D, 1, 23, 60),
        delete(D, 0),
        Op::Commit,
        Op::Begin,
        Op::Commit,
        scan(C),
        scan(D),
    ]
}

fn snapshots() -> Vec<Op> {
    let (collection, id) = (C, Id::nth(0));
    vec![
        Op::SnapshotGet { slot: 0, collection, id },
        Op::Snapshot { slot: 0 },
        put(C, 0, 30, 70),
        Op::Snapshot { slot: 1 },
        delete(C, 0),
        Op::SnapshotGet { slot: 0, collection, id },
        Op::SnapshotGet { slot: 1, collection, id },
        Op::SnapshotGet { slot: 1, collection: UNKNOWN, id },
        Op::SnapshotScan { slot: 0, collection },
        Op::Checkpoint,
        Op::SnapshotScan { slot: 1, collection },
        Op::Begin,
        put(C, 0, 31, 70),
        Op::Snapshot { slot: 0 },
        Op::SnapshotGet { slot: 0, collection, id },
        Op::Commit,
        Op::SnapshotGet { slot: 0, collection, id },
        Op::SnapshotRelease { slot: 0 },
        Op::SnapshotRelease { slot: 0 },
        Op::SnapshotGet { slot: 0, collection, id },
        Op::SnapshotScan { slot: 1, collection },
    ]
}

/// Every end open and not, in both orders; of nothing, and of a transaction's own writes.
fn ranges() -> Vec<Op> {
    let range = |from: Option<u8>, to: Option<u8>, descending| {
        let [from, to] = [from, to].map(|end| end.map(Id::nth));
        Op::ScanRange { collection: C, from, to, descending }
    };
    let (from, to, descending) = (None, None, false);
    let of_unknown = Op::ScanRange { collection: UNKNOWN, from, to, descending };
    let bounds =
        [(None, None), (Some(1), None), (None, Some(2)), (Some(1), Some(2)), (Some(2), Some(1))];
    let all =
        || bounds.iter().flat_map(|(from, to)| [false, true].map(|way| range(*from, *to, way)));
    let own = [Op::Begin, put(C, 9, 35, 40), delete(C, 1)];
    all().chain([of_unknown]).chain(own).chain(all()).chain([Op::Abort]).collect()
}

/// What changes nothing that is read.
fn upkeep() -> Vec<Op> {
    let upkeep = [Op::CompactStep, Op::Scrub, Op::CompactStep, Op::Compact];
    let within = [Op::Begin].into_iter().chain(upkeep.clone()).chain([Op::Abort]);
    let read = upkeep.into_iter().flat_map(|op| [op, put(C, 1, 36, 300), Op::Checkpoint, scan(C)]);
    within.chain(read).collect()
}

fn inserts() -> Vec<Op> {
    let insert = |tag| Op::Insert { collection: C, payload: entity(tag, 80) };
    vec![
        insert(40),
        Op::Begin,
        insert(41),
        insert(42),
        Op::Abort,
        scan(C),
        insert(43),
        insert(44),
        scan(C),
    ]
}

/// What is open is abandoned, what is committed stays.
fn reopens() -> Vec<Op> {
    vec![
        Op::Begin,
        put(C, 5, 50, 90),
        Op::Reopen,
        get(C, 5),
        Op::SnapshotGet { slot: 1, collection: C, id: Id::nth(0) },
        Op::Commit,
        scan(C),
        put(C, 5, 51, 90),
        Op::Reopen,
        scan(C),
        scan(D),
    ]
}

fn entity(tag: u32, size: u32) -> Payload {
    Payload::Entity { tag, size }
}

fn put(collection: Collection, id: u8, tag: u32, size: u32) -> Op {
    Op::Put { collection, id: Id::nth(id), payload: entity(tag, size) }
}

fn get(collection: Collection, id: u8) -> Op {
    Op::Get { collection, id: Id::nth(id) }
}

fn delete(collection: Collection, id: u8) -> Op {
    Op::Delete { collection, id: Id::nth(id) }
}

fn scan(collection: Collection) -> Op {
    Op::Scan { collection }
}
