//! What is refused, and by which class: such an operation changes nothing.

use proofhouse_model::protocol::Ask;
use proofhouse_model::{Op, Payload, Settings};

use super::acts::{
    Acts, C, MAX_PAYLOAD, Rule, UNKNOWN, delete, get, get_many, insert, put, scan, settings,
    snapshot_get, snapshot_scan,
};

pub(super) fn rules() -> Vec<Rule> {
    vec![not_found(), conflict(), invalid(), misuse()]
}

/// Every operation that names a collection, on one that is not there.
fn not_found() -> Rule {
    let mut rule = Rule::new("not-found");
    let (take, at) = (Op::Snapshot { slot: 0 }, UNKNOWN);
    let cases: [(&str, &[Op]); 9] = [
        ("put", &[put(at, 0, 1, 30)]),
        ("put-too-long", &[put(at, 0, 1, MAX_PAYLOAD + 1)]),
        ("insert", &[insert(at, 1)]),
        ("delete", &[delete(at, 0)]),
        ("get", &[get(at, 0)]),
        ("get-many", &[get_many(at, &[0, 1]), get_many(at, &[])]),
        ("scan", &[scan(at)]),
        ("snapshot-get", &[take.clone(), snapshot_get(0, at, 0)]),
        ("snapshot-scan", &[take, snapshot_scan(0, at)]),
    ];
    for (id, ops) in cases {
        let ops = [&[put(C, 0, 9, 30)], ops, &[scan(C)]].concat();
        rule.ops(id, "the collection is not there", &ops);
        let within = [&[Op::Begin], &ops[..], &[Op::Commit, scan(C)]].concat();
        rule.ops(&format!("{id}-in-transaction"), "and a transaction goes on", &within);
    }
    rule
}

fn conflict() -> Rule {
    let mut rule = Rule::new("conflict");
    let again = [put(C, 0, 1, 30), Op::CreateCollection { collection: C }, scan(C)];
    rule.ops("collection", "it exists already, and stays as it is", &again);
    let mut acts = Acts::open(Settings { entropy: Vec::new(), ..settings() });
    acts.ops(&[Op::CreateCollection { collection: C }, insert(C, 1), scan(C)]);
    rule.add("no-entropy", "there is no identity to draw", acts);
    rule
}

fn invalid() -> Rule {
    let mut rule = Rule::new("invalid");
    let long = [
        put(C, 0, 1, MAX_PAYLOAD),
        put(C, 0, 2, MAX_PAYLOAD + 1),
        put(C, 1, 3, MAX_PAYLOAD + 1),
        scan(C),
    ];
    rule.ops("too-long", "the longest content, and one byte more", &long);
    let small = Settings { max_payload: 16, ..settings() };
    let mut acts = Acts::open(small);
    acts.ops(&[
        Op::CreateCollection { collection: C },
        put(C, 0, 1, 16),
        put(C, 1, 2, 17),
        scan(C),
    ]);
    rule.add("limit-of-settings", "the limit is the caller's", acts);
    let contents: [(&str, &'static [u8]); 8] = [
        ("empty", &[]),
        ("long-head", &[0x18, 0x01]),
        ("break", &[0xff]),
        ("two-items", &[0x00, 0x00]),
        ("key-order", &[0xa2, 0x02, 0x00, 0x01, 0x00]),
        ("duplicate-key", &[0xa2, 0x01, 0x00, 0x01, 0x00]),
        ("truncated", &[0x82, 0x00]),
        ("utf8", &[0x61, 0xff]),
    ];
    for (id, bytes) in contents {
        let payload = Payload::Raw { bytes: bytes.into(), canonical: false };
        let refused = Op::Put { collection: C, id: proofhouse_model::Id::nth(0), payload };
        let ops =
            [put(C, 0, 1, 30), refused.clone(), Op::Begin, refused, put(C, 1, 2, 30), Op::Commit];
        rule.ops(id, "not canonical CBOR", &[&ops[..], &[scan(C)]].concat());
    }
    rule
}

/// What needs what is not there, or may not be there.
fn misuse() -> Rule {
    let mut rule = Rule::new("misuse");
    let cases: [(&str, &str, &[Op]); 11] = [
        ("commit", "without a transaction", &[Op::Commit]),
        ("abort", "without a transaction", &[Op::Abort]),
        ("begin", "within a transaction", &[Op::Begin, Op::Begin, put(C, 1, 2, 30), Op::Commit]),
        (
            "checkpoint",
            "within a transaction",
            &[Op::Begin, put(C, 1, 2, 30), Op::Checkpoint, Op::Commit],
        ),
        (
            "compact",
            "within a transaction",
            &[Op::Begin, put(C, 1, 2, 30), Op::Compact, Op::Commit],
        ),
        (
            "compact-step",
            "within a transaction",
            &[Op::Begin, put(C, 1, 2, 30), Op::CompactStep, Op::Commit],
        ),
        ("scrub", "within a transaction", &[Op::Begin, put(C, 1, 2, 30), Op::Scrub, Op::Commit]),
        (
            "create",
            "within a transaction",
            &[Op::Begin, Op::CreateCollection { collection: UNKNOWN }, Op::Commit],
        ),
        ("snapshot-get", "an empty slot", &[snapshot_get(0, C, 0), snapshot_get(0, UNKNOWN, 0)]),
        ("snapshot-scan", "an empty slot", &[snapshot_scan(7, C), snapshot_scan(7, UNKNOWN)]),
        (
            "commit-twice",
            "a transaction commits once",
            &[Op::Begin, put(C, 1, 2, 30), Op::Commit, Op::Commit, Op::Abort],
        ),
    ];
    for (id, meaning, ops) in cases {
        rule.ops(id, meaning, &[&[put(C, 0, 1, 30)], ops, &[scan(C)]].concat());
    }
    let mut acts = Acts::new(settings());
    for ask in [Ask::Op(get(C, 0)), Ask::Op(put(C, 0, 1, 30)), Ask::Client, Ask::Close] {
        acts.misuse(ask);
    }
    acts.open_again();
    acts.ops(&[Op::CreateCollection { collection: C }, scan(C)]);
    rule.add("before-open", "nothing is open yet", acts);
    let mut acts = Acts::on_two();
    acts.ops(&[put(C, 0, 1, 30)]);
    acts.misuse(Ask::Open { dir: String::new(), settings: acts.settings() });
    acts.ops(&[scan(C)]);
    acts.close();
    for ask in [Ask::Op(scan(C)), Ask::Op(Op::Checkpoint), Ask::Close] {
        acts.misuse(ask);
    }
    acts.open_again();
    acts.ops(&[scan(C)]);
    rule.add("open-twice", "one store at a time, and none after a close", acts);
    rule
}
