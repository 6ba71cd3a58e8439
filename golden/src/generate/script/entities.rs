//! What is written is read: entities, collections, transactions, snapshots, identities.

use proofhouse_model::{Collection, Id, Op};

use super::acts::{
    Acts, C, D, Rule, UNKNOWN, delete, entity, get, get_many, insert, put, ranges, scan, settings,
    snapshot_get, snapshot_scan,
};

pub(super) fn rules() -> Vec<Rule> {
    vec![entities(), order(), range(), collections(), transactions(), snapshots(), inserts()]
}

fn entities() -> Rule {
    let mut rule = Rule::new("entity");
    rule.ops(
        "absent",
        "what was never put is not there",
        &[get(C, 0), get_many(C, &[0, 1]), scan(C)],
    );
    rule.ops("put", "what is put is there", &[put(C, 0, 1, 40), get(C, 0), get(C, 1), scan(C)]);
    let replace = [put(C, 0, 1, 40), put(C, 0, 2, 600), get(C, 0), put(C, 0, 3, 20), scan(C)];
    rule.ops("replace", "a put replaces", &replace);
    let same = [put(C, 0, 1, 40), put(C, 0, 1, 40), scan(C)];
    rule.ops("same-content", "a put of the same content is a commit, too", &same);
    let gone = [put(C, 0, 1, 40), delete(C, 0), get(C, 0), scan(C), put(C, 0, 2, 40), get(C, 0)];
    rule.ops("delete", "what is deleted is gone, and can be put again", &gone);
    let absent = [delete(C, 0), put(C, 1, 1, 40), delete(C, 0), put(C, 1, 2, 40)];
    rule.ops("delete-absent", "a deletion of nothing takes no sequence", &absent);
    let many = [put(C, 1, 1, 40), put(C, 2, 2, 40), get_many(C, &[2, 1, 3, 2]), get_many(C, &[])];
    rule.ops("get-many", "in the order asked, with repetitions", &many);
    let sizes: Vec<_> = [12, 23, 24, 255, 256, 511, 512, 513, 4095, 4096, 4097, 5200]
        .into_iter()
        .zip(0_u8..)
        .flat_map(|(size, id)| [put(C, id, size, size), get(C, id)])
        .chain([scan(C)])
        .collect();
    rule.ops("sizes", "contents around sectors and pages", &sizes);
    rule
}

fn range() -> Rule {
    let mut rule = Rule::new("range");
    let five: Vec<_> = [0, 4, 8, 12, 16].map(|id| put(C, id, u32::from(id), 30)).to_vec();
    let with = |ops: &[Op]| [five.clone(), ops.to_vec()].concat();
    for (id, meaning, from, to) in [
        ("all", "forwards and backwards", None, None),
        ("from", "the first one is in it", Some(4), None),
        ("to", "the last one is not", None, Some(12)),
        ("between", "of identities that are there", Some(4), Some(12)),
        ("around", "of identities that are not", Some(6), Some(18)),
        ("one", "nothing but one", Some(8), Some(12)),
        ("none", "nothing between", Some(9), Some(12)),
        ("empty", "it ends where it begins", Some(8), Some(8)),
        ("reversed", "it ends before it begins", Some(12), Some(4)),
    ] {
        rule.ops(id, meaning, &with(&ranges(C, from, to)));
    }
    let sealed =
        [put(C, 4, 40, 30), delete(C, 8), Op::Checkpoint, put(C, 6, 60, 30), delete(C, 12)];
    let sealed = [&sealed[..], &ranges(C, Some(4), None), &ranges(C, None, Some(16))].concat();
    rule.ops("merged", "sealed and unsealed entities are one order", &with(&sealed));
    let own = [&[Op::Begin, put(C, 5, 50, 30), delete(C, 4)][..], &ranges(C, Some(4), Some(9))];
    let own = [&own.concat()[..], &[Op::Abort], &ranges(C, Some(4), Some(9))].concat();
    rule.ops("own-writes", "a transaction reads its own writes", &with(&own));
    rule
}

fn order() -> Rule {
    let mut rule = Rule::new("order");
    let of = |ids: &[u8]| -> Vec<Op> {
        let puts = ids.iter().map(|id| put(C, *id, u32::from(*id), 30));
        puts.chain([scan(C)]).collect()
    };
    rule.ops("ascending", "identities are ordered as bytes", &of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    rule.ops("descending", "whatever the order they came in", &of(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
    let ends = [[0x00; 16], [0xff; 16], [0x7f; 16], [0x80; 16]].map(Id);
    let mut ops: Vec<_> = (0..)
        .zip(ends)
        .map(|(tag, id)| Op::Put { collection: C, id, payload: entity(tag, 30) })
        .collect();
    ops.push(scan(C));
    rule.ops("ends", "the first and the last identity, and those about the sign", &ops);
    let mut acts = Acts::on_two();
    acts.ops(&[
        put(C, 5, 1, 30),
        put(C, 1, 2, 30),
        Op::Checkpoint,
        put(C, 3, 3, 30),
        put(C, 5, 4, 30),
    ]);
    acts.ops(&[scan(C), Op::Checkpoint, scan(C)]);
    rule.add("merged", "sealed and unsealed entities are one order", acts);
    rule
}

fn collections() -> Rule {
    let mut rule = Rule::new("collection");
    let mut acts = Acts::open(settings());
    acts.ops(&[
        scan(C),
        Op::CreateCollection { collection: C },
        scan(C),
        put(C, 0, 1, 30),
        scan(C),
    ]);
    rule.add("create", "a collection is there once it was created", acts);
    let mut acts = Acts::open(settings());
    let all = [0, 1, 9, 10, 99, 100, 254].map(Collection);
    acts.ops(&all.map(|collection| Op::CreateCollection { collection }));
    for (tag, collection) in (0..).zip(all) {
        acts.ops(&[put(collection, 0, tag, 30), scan(collection)]);
    }
    acts.reopen();
    acts.ops(&all.map(scan));
    rule.add("several", "the same identity in each of several", acts);
    let apart = [put(C, 0, 1, 30), put(D, 0, 2, 30), delete(C, 0), get(D, 0), get(C, 0), scan(D)];
    rule.ops("isolation", "what happens in one does nothing to another", &apart);
    rule
}

fn transactions() -> Rule {
    let mut rule = Rule::new("transaction");
    let (begin, commit, abort) = (Op::Begin, Op::Commit, Op::Abort);
    let own = [
        put(C, 0, 1, 30),
        begin.clone(),
        put(C, 1, 2, 30),
        delete(C, 0),
        delete(C, 0),
        get(C, 0),
        get_many(C, &[0, 1]),
        scan(C),
        commit.clone(),
        scan(C),
    ];
    rule.ops("own-writes", "a transaction reads its own writes", &own);
    let aborted = [
        put(C, 0, 1, 30),
        begin.clone(),
        put(C, 0, 2, 30),
        delete(C, 0),
        abort.clone(),
        scan(C),
        put(C, 1, 3, 30),
    ];
    rule.ops("abort", "an abort leaves nothing", &aborted);
    let both =
        [begin.clone(), put(C, 0, 1, 30), put(D, 0, 2, 600), commit.clone(), scan(C), scan(D)];
    rule.ops("both", "one sequence for writes to several collections", &both);
    let empty = [
        begin.clone(),
        commit.clone(),
        put(C, 0, 1, 30),
        begin.clone(),
        get(C, 0),
        commit.clone(),
        put(C, 0, 2, 30),
    ];
    rule.ops("empty", "a commit of nothing takes no sequence", &empty);
    let nothing =
        [begin.clone(), put(C, 0, 1, 30), delete(C, 0), commit.clone(), put(C, 1, 2, 30), scan(C)];
    rule.ops("net-nothing", "what was put and deleted within is no change", &nothing);
    let last = [
        begin.clone(),
        put(C, 0, 1, 30),
        put(C, 0, 2, 30),
        put(C, 0, 3, 30),
        commit.clone(),
        get(C, 0),
    ];
    rule.ops("last-write", "the last write to an entity counts", &last);
    let stays = [
        begin.clone(),
        put(UNKNOWN, 0, 1, 30),
        get(UNKNOWN, 0),
        put(C, 0, 2, 30),
        begin,
        commit,
        scan(C),
    ];
    rule.ops("failure-within", "a failed operation leaves the transaction open", &stays);
    abandoned(&mut rule);
    rule
}

/// What ends without a commit.
fn abandoned(rule: &mut Rule) {
    for (id, meaning, ends) in [
        ("client", "another client abandons it", Acts::client as fn(&mut Acts)),
        ("close", "a close abandons it", Acts::reopen),
        ("kill", "a kill abandons it", Acts::kill),
    ] {
        let mut acts = Acts::on_two();
        acts.ops(&[put(C, 0, 1, 30), Op::Begin, put(C, 0, 2, 30), put(C, 1, 3, 30)]);
        ends(&mut acts);
        acts.ops(&[Op::Commit, scan(C)]);
        rule.add(format!("abandoned-by-{id}"), meaning, acts);
    }
}

fn snapshots() -> Rule {
    let mut rule = Rule::new("snapshot");
    let (take, release) = (Op::Snapshot { slot: 0 }, Op::SnapshotRelease { slot: 0 });
    let read = [snapshot_get(0, C, 0), snapshot_scan(0, C)];
    let with = |before: &[Op], after: &[Op]| [before, after, &read[..]].concat();
    let held = [put(C, 0, 1, 30), put(C, 1, 2, 30), take.clone()];
    let cases: [(&str, &str, &[Op]); 6] = [
        ("replaced", "it keeps what was replaced", &[put(C, 0, 3, 30)]),
        ("deleted", "it keeps what was deleted", &[delete(C, 0), delete(C, 1)]),
        ("added", "it does not show what came later", &[put(C, 2, 3, 30)]),
        ("checkpoint", "a checkpoint does nothing to it", &[put(C, 0, 3, 30), Op::Checkpoint]),
        (
            "compaction",
            "a compaction does nothing to it",
            &[Op::Checkpoint, put(C, 0, 3, 30), delete(C, 1), Op::Checkpoint, Op::Compact],
        ),
        ("released", "after its release there is none", std::slice::from_ref(&release)),
    ];
    for (id, meaning, after) in cases {
        rule.ops(id, meaning, &with(&held, after));
    }
    let twice = [release.clone(), take.clone(), release.clone(), release];
    rule.ops("release-empty", "releasing nothing does nothing", &twice);
    let again = [&held[..], &[put(C, 0, 3, 30), take.clone()]].concat();
    rule.ops("slot-again", "a slot holds the last one", &with(&again, &[put(C, 0, 4, 30)]));
    let two =
        [put(C, 0, 3, 30), Op::Snapshot { slot: 255 }, put(C, 0, 4, 30), snapshot_get(255, C, 0)];
    rule.ops("two-slots", "each shows its own moment", &with(&held, &two));
    let within = [Op::Begin, put(C, 0, 3, 30), take, snapshot_get(0, C, 0), Op::Commit];
    rule.ops("in-transaction", "it shows what is committed", &with(&held, &within));
    let third = Collection(2);
    let younger = [
        Op::CreateCollection { collection: third },
        put(third, 0, 9, 30),
        snapshot_get(0, third, 0),
        snapshot_scan(0, third),
    ];
    rule.ops("younger-collection", "a younger collection is empty in it", &with(&held, &younger));
    for (id, meaning, ends) in [
        ("client", "another client has none of it", Acts::client as fn(&mut Acts)),
        ("close", "a close releases it", Acts::reopen),
    ] {
        let mut acts = Acts::on_two();
        acts.ops(&held);
        ends(&mut acts);
        acts.ops(&read);
        rule.add(format!("released-by-{id}"), meaning, acts);
    }
    rule
}

fn inserts() -> Rule {
    let mut rule = Rule::new("insert");
    rule.ops("drawn", "identities are drawn in order", &[insert(C, 1), insert(C, 2), scan(C)]);
    let live = [insert(C, 1), insert(C, 2), insert(C, 3), scan(C), insert(C, 4), scan(C)];
    rule.ops("live-is-skipped", "a live identity is drawn past, and never overwritten", &live);
    let taken = [put(C, 6, 1, 30), put(C, 7, 2, 30), put(C, 8, 3, 30), insert(C, 4), scan(C)];
    rule.ops("all-live", "it is a conflict if all are live", &taken);
    let freed = [insert(C, 1), delete(C, 6), insert(C, 2), insert(C, 3), scan(C)];
    rule.ops("freed", "an identity that is free again can be drawn", &freed);
    let apart = [insert(C, 1), insert(D, 2), insert(C, 3), scan(C), scan(D)];
    rule.ops("collections", "live is by collection", &apart);
    let aborted = [Op::Begin, insert(C, 1), insert(C, 2), Op::Abort, insert(C, 3), scan(C)];
    rule.ops("abort", "an abort does not give draws back", &aborted);
    let refused = [
        Op::Insert { collection: UNKNOWN, payload: entity(1, 30) },
        Op::Insert { collection: C, payload: entity(2, 5201) },
        insert(C, 3),
    ];
    rule.ops("refused", "what is refused draws nothing", &refused);
    let mut acts = Acts::on_two();
    acts.ops(&[insert(C, 1)]);
    acts.reopen();
    acts.ops(&[insert(C, 2), scan(C)]);
    rule.add("reopen", "the next life goes on in the list", acts);
    rule
}
