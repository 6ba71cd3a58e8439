use proofhouse_crash::{Fate, Mark, SimDisk};
use proofhouse_model::{Collection, Id, Payload, Settings};

use super::*;
use crate::explore::Explorer;
use crate::subject::named;

const C: Collection = Collection(0);

fn plan(ops: Vec<Op>) -> Plan {
    let settings = Settings { wal_reserve: 0, max_segment: 0, entropy: vec![], max_payload: 5000 };
    Plan { seed: 1, settings, ops }
}

fn put(n: u8, size: u32) -> Op {
    let payload = Payload::Entity { tag: n.into(), size };
    Op::Put { collection: C, id: Id::nth(n), payload }
}

/// What a chain of crashes of the store that acknowledges too early reads like.
fn steps(ops: Vec<Op>, chain: &str) -> String {
    let subject = named("flawed:ack-before-sync").unwrap();
    let chain: Vec<Choice> = serde_json::from_str(chain).unwrap();
    let plan = plan(ops);
    let told = Explorer::of_plan(&subject, &plan).replay(&chain).unwrap().unwrap();
    told.steps + &told.words
}

#[test]
fn a_power_loss_reads_like_this() {
    let ops = vec![Op::CreateCollection { collection: C }, Op::Checkpoint, put(1, 1200)];
    let fate = r#"{"power_loss": {"profile": "posix", "rest": "kept",
        "except": [{"op": 9, "part": {"sectors": {"first": 1, "count": 2}}}]}}"#;
    insta::assert_snapshot!(steps(ops, &format!(r#"[{{"at": 11, "fate": {fate}}}]"#)), @r"
    life 1
      create collection c0: event 1, acknowledged
        #1 write tiny.log 16+18: kept
      checkpoint
        #3 create tiny.log.tmp: durable
        #4 write tiny.log.tmp 0+18: durable
        #5 sync tiny.log.tmp: returned
        #6 rename tiny.log.tmp tiny.log: durable
        #7 sync_dir .: returned
      put c0 01000000000000000000000000000000 payload entity size 1200 tag 1: event 2, acknowledged
        #9 write tiny.log 18+1238: torn, lost sectors 1 to 2
      power loss (posix) before #11: lost sectors 1 to 2 of #9 write tiny.log 18+1238, kept all other pending
    due: the state after 2 events (2 acknowledged, 2 issued)
    lost: shows the state after 1 events, but 2 were acknowledged
    ");
}

#[test]
fn a_crash_of_the_next_life_reads_like_this() {
    let ops = vec![Op::CreateCollection { collection: C }];
    let chain = r#"[{"at": 1, "fate": {"kill": {}}},
        {"at": 15, "fate": {"power_loss": {"profile": "ext4", "rest": "lost"}}}]"#;
    insta::assert_snapshot!(steps(ops, chain), @r"
    life 1
      create collection c0: event 1
      process kill before #1
    life 2
      open: shown
        #0 create tiny.log.tmp: durable
        #1 write tiny.log.tmp 0+16: durable
        #2 sync tiny.log.tmp: returned
        #3 rename tiny.log.tmp tiny.log: durable
        #4 sync_dir .: returned
      open again
        #6 create tiny.log.tmp: durable
        #7 write tiny.log.tmp 0+16: durable
        #8 sync tiny.log.tmp: returned
        #9 rename tiny.log.tmp tiny.log: durable
        #10 sync_dir .: returned
      create collection c0: event 1, acknowledged
        #12 write tiny.log 16+18: lost
      begin
      put c0 f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1 payload entity size 600 tag 4026531848
      put c0 f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2 payload entity size 40 tag 4026531849
      commit: event 2
      power loss (ext4) before #15: lost all pending
    due: the state after 1 to 2 events on top of what the open showed (1 acknowledged, 2 issued)
    lost: shows the state after 0 events, but 1 were acknowledged
    ");
}

#[test]
fn a_kill_of_which_there_is_no_trace_reads_like_this() {
    let ops = vec![
        Op::CreateCollection { collection: C },
        Op::Scan { collection: C },
        put(1, 40),
        put(2, 40),
    ];
    let disk = SimDisk::new();
    disk.create("log").unwrap().write_at(0, &[0; 30]).unwrap();
    let window = Window { acknowledged: 1, issued: 2 };
    let told = of_kill(&plan(ops), Capabilities::ALL, window, &disk.tree());
    insta::assert_snapshot!(told, @r"
    life 1
      open
      create collection c0: event 1, acknowledged
      scan c0
      put c0 01000000000000000000000000000000 payload entity size 40 tag 1: event 2
      process kill, which left
        log: 30 bytes
    ");
}

#[test]
fn where_only_events_are_marked_what_lies_between_is_one_step() {
    let disk = SimDisk::new();
    let log = disk.create("log").unwrap();
    for event in 1..=2 {
        disk.mark(Mark::Issue(event));
        log.write_at(event * 4096, &[0; 5000]).unwrap();
        disk.mark(Mark::Ack(event));
        log.sync(proofhouse_crash::SyncKind::Data).unwrap();
    }
    let trace = disk.trace();
    let scan = Op::Scan { collection: C };
    let create = Op::CreateCollection { collection: C };
    assert_eq!(Step::by_marks(&trace).iter().map(|step| step.at).collect::<Vec<_>>(), [0, 1, 5]);
    let plan = plan(vec![create, scan, Op::Checkpoint, put(1, 40), Op::Checkpoint]);
    let steps = Step::by_events(&plan, Capabilities::ALL, &trace);
    let crash = Choice { at: 6, fate: Fate::Kill { cut: Some(4096) } };
    let life = Life { trace: &trace, steps: &steps, crash: &crash, medium: Profile::Posix };
    insta::assert_snapshot!(life.tell().unwrap(), @r"
      open
        #0 create log: in the page cache
      create collection c0: event 1, acknowledged
        #2 write log 4096+5000: durable
      scan c0; checkpoint
        #4 sync_data log: returned
      put c0 01000000000000000000000000000000 payload entity size 40 tag 1: event 2
        #6 write log 8192+5000: cut after 4096 bytes
      process kill inside #6 write log 8192+5000 after 4096 bytes
    ");
}

#[test]
fn operations_are_read_out_in_words() {
    let raw = Payload::Raw { bytes: vec![0xa0].into(), canonical: true };
    for (op, due) in [
        (Op::Begin, "begin"),
        (Op::CreateCollection { collection: C }, "create collection c0"),
        (put(1, 40), "put c0 01000000000000000000000000000000 payload entity size 40 tag 1"),
        (Op::Insert { collection: C, payload: raw }, "insert c0 payload raw canonical true a0"),
        (Op::SnapshotScan { slot: 3, collection: C }, "snapshot scan c0 slot 3"),
    ] {
        assert_eq!(words(&op), due);
    }
}
