use std::sync::{Arc, mpsc};
use std::thread;

use entidb_engine::storage::MemStorage;
use proofhouse_model::{
    Collection, ErrorClass, GenerateProfile, Id, Mechanism, Mechanisms, Op, Outcome, Payload, Plan,
    Refusal, RunOptions, Settings, Store, generate, run,
};

use super::{Flaws, Tiny};
use crate::place::{OnStorage, Placed};

const C: Collection = Collection(0);

fn plan(seed: u64, subject: &Placed) -> Plan {
    let profile = GenerateProfile::differential();
    generate(seed, &profile).for_capabilities(subject.about().capabilities)
}

/// Whether the store agrees with the oracle on a plan, twice with the same bytes left.
fn agrees(subject: &Placed, plan: &Plan) -> bool {
    let options = RunOptions { history: false, close: true };
    let places = [MemStorage::new(), MemStorage::new()];
    places.iter().all(|place| run(subject, place, plan, options, &mut ()).is_ok())
        && places[0].dump() == places[1].dump()
}

#[test]
fn without_flaws_it_agrees_with_the_oracle_on_every_plan() {
    let subject = Placed::new(Tiny::sound());
    let options = RunOptions::default();
    let mut reached = Mechanisms::default();
    for seed in 0..500 {
        let plan = plan(seed, &subject);
        let run = run(&subject, &MemStorage::new(), &plan, options, &mut ());
        assert!(run.is_ok(), "seed {seed}: {}", run.unwrap_err());
        reached.merge(&Mechanisms::reached_by(&plan, subject.about().capabilities));
    }
    let met = [Mechanism::Reopen, Mechanism::Checkpoint, Mechanism::InsertPassedLive];
    assert!(met.iter().all(|mechanism| reached.contains(*mechanism)));
}

#[test]
fn flaws_without_crashes_show_in_plans() {
    let flaws = [
        Flaws { hash_map_order: true, ..Flaws::NONE },
        Flaws { snapshot_broken_by_checkpoint: true, ..Flaws::NONE },
        Flaws { compaction_ignores_snapshots: true, ..Flaws::NONE },
        Flaws { compaction_resurrects: true, ..Flaws::NONE },
        Flaws { sequence_skips_on_abort: true, ..Flaws::NONE },
        Flaws { insert_overwrites_live: true, ..Flaws::NONE },
        Flaws { key_without_collection: true, ..Flaws::NONE },
    ];
    for flaws in flaws {
        let subject = Placed::new(Tiny::flawed("flawed", flaws));
        let caught = (0..50).any(|seed| !agrees(&subject, &plan(seed, &subject)));
        assert!(caught, "{flaws:?}");
    }
}

#[test]
fn flaws_that_only_crashes_show_agree_with_the_oracle() {
    let flaws = [
        Flaws { torn_tail_left: true, ..Flaws::NONE },
        Flaws { recovery_not_synced: true, ..Flaws::NONE },
        Flaws { leftover_refused: true, ..Flaws::NONE },
        Flaws { publish_before_complete: true, ..Flaws::NONE },
        Flaws { record_per_change: true, ..Flaws::NONE },
        Flaws { ack_before_sync: true, ..Flaws::NONE },
        Flaws { no_dir_sync: true, ..Flaws::NONE },
    ];
    for flaws in flaws {
        let subject = Placed::new(Tiny::flawed("flawed", flaws));
        let agree = (0..20).all(|seed| agrees(&subject, &plan(seed, &subject)));
        assert!(agree, "{flaws:?}");
    }
}

fn settings() -> Settings {
    Settings { wal_reserve: 4096, max_segment: 4096, entropy: Vec::new(), max_payload: 100 }
}

fn open(storage: &MemStorage) -> Result<Box<dyn Store>, Refusal> {
    Tiny::sound().open_on(Arc::new(storage.clone()), &settings())
}

fn put(id: u8) -> Op {
    let payload = Payload::Entity { tag: id.into(), size: 40 };
    Op::Put { collection: C, id: Id::nth(id), payload }
}

#[test]
fn a_torn_record_is_discarded_silently() {
    let storage = MemStorage::new();
    {
        let store = open(&storage).unwrap();
        let mut client = store.client();
        assert_eq!(client.apply(&Op::CreateCollection { collection: C }), Outcome::Done);
        assert_eq!(client.apply(&put(1)), Outcome::Committed { sequence: Some(1) });
        assert_eq!(client.apply(&put(2)), Outcome::Committed { sequence: Some(2) });
    }
    let mut files = storage.dump();
    files.get_mut("tiny.log").unwrap().pop();
    let storage = MemStorage::restore(&files);
    let store = open(&storage).unwrap();
    let mut client = store.client();
    let scan = client.apply(&Op::Scan { collection: C });
    let content = Payload::Entity { tag: 1, size: 40 }.bytes();
    assert_eq!(scan, Outcome::Entities(vec![(Id::nth(1), content)]));
    assert_eq!(client.apply(&put(3)), Outcome::Committed { sequence: Some(2) });
}

#[test]
fn a_log_without_its_first_record_is_corrupt() {
    let storage = MemStorage::new();
    drop(open(&storage).unwrap());
    let mut files = storage.dump();
    files.get_mut("tiny.log").unwrap()[0] ^= 1;
    let storage = MemStorage::restore(&files);
    let refusal = open(&storage).err().unwrap();
    assert_eq!(refusal.class, ErrorClass::Corrupt);
}

#[test]
fn a_second_opener_is_locked_out() {
    let storage = MemStorage::new();
    let _first = open(&storage).unwrap();
    let refusal = open(&storage).err().unwrap();
    assert_eq!(refusal.class, ErrorClass::Locked);
}

#[test]
fn a_writer_waits_for_the_open_transaction_and_readers_do_not() {
    let store = open(&MemStorage::new()).unwrap();
    let store = store.as_ref();
    let mut holder = store.client();
    holder.apply(&Op::CreateCollection { collection: C });
    holder.apply(&Op::Begin);
    holder.apply(&put(1));
    let get = Op::Get { collection: C, id: Id::nth(1) };
    let (answers, answered) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut other = store.client();
            answers.send(other.apply(&get)).unwrap();
            answers.send(other.apply(&put(2))).unwrap();
        });
        assert_eq!(answered.recv().unwrap(), Outcome::Value(None));
        assert_eq!(holder.apply(&Op::Commit), Outcome::Committed { sequence: Some(1) });
        assert_eq!(answered.recv().unwrap(), Outcome::Committed { sequence: Some(2) });
    });
}
