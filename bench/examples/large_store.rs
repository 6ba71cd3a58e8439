//! What a large store costs: bytes, memory, and reads of many short entities.
//!
//! `cargo run --release -p proofhouse-bench --example large_store -- [ENTITIES]`
//!
//! Rates are per second of CPU time, so that other work on the machine counts less.

#![expect(clippy::expect_used, reason = "a measurement that cannot set up its work must stop")]

use std::path::Path;
use std::time::{Duration, Instant};

use entidb_engine::{CollectionId, Database, Result};
use proofhouse_bench::{ENTITY_LEN, id, load, on_cpu, peak, store};

#[global_allocator]
static ALLOCATOR: peak::Counted = peak::Counted;

const ROUNDS: usize = 7;
const GETS: u64 = 1_000_000;
const RANGES: u64 = 100_000;

fn main() {
    let entities = std::env::args().nth(1).map_or(2_000_000, |n| n.parse().expect("a number"));
    let dir = tempfile::tempdir_in(".").expect("a directory for the store");
    println!("{entities} entities of {ENTITY_LEN} bytes");
    let (db, collection) = store(dir.path()).expect("a new store");
    let loading = timed(|| load(&db, collection, entities, 10_000).expect("a loaded store"));
    println!("loaded in {:.1?}", loading.wall);
    db.close().expect("a clean close");
    show_store(dir.path(), entities, "as checkpoints left it");

    compact(dir.path());
    show_store(dir.path(), entities, "compacted");

    let (db, collection) = store(dir.path()).expect("an open");
    load(&db, collection, entities / 2, 10_000).expect("half of them again");
    db.close().expect("a clean close");
    compact(dir.path());
    show_space(dir.path(), entities, "after half was replaced, and compacted");
}

fn compact(dir: &Path) {
    let (db, _) = store(dir).expect("an open");
    let (growth, took) = peak::growth(|| timed(|| db.compact().expect("a compaction")));
    println!("compaction: {:.1?}, memory grew by {} KiB at most", took.wall, growth >> 10);
    db.close().expect("a clean close");
}

fn show_store(dir: &Path, entities: u64, state: &str) {
    show_space(dir, entities, state);
    let mut opens = [(); ROUNDS].map(|()| timed(|| drop(store(dir).expect("an open"))).wall);
    opens.sort_unstable();
    let [low, median, high] = [0, ROUNDS / 2, ROUNDS - 1].map(|at| opens[at]);
    println!("  open after a clean close: {median:.1?} ({low:.1?} to {high:.1?})");
    let (db, collection) = store(dir).expect("an open");
    show("random get", GETS, || gets(&db, collection, entities, 0));
    show("random get of what is absent", GETS, || gets(&db, collection, entities, entities));
    show("scan", entities, || assert_eq!(count(&db, collection, false), entities));
    show("scan backwards", entities, || assert_eq!(count(&db, collection, true), entities));
    show("first of a range", RANGES, || {
        for number in 0..RANGES.min(entities) {
            let first = db.scan_range(collection, id(number)..).expect("a scan").next();
            let (first, _) = first.expect("an entity").expect("a read");
            assert_eq!(first, id(number));
        }
    });
    show("verify", entities, || {
        assert_eq!(db.verify().expect("a sound store").records, entities);
    });
    let (growth, ()) = peak::growth(|| assert_eq!(count(&db, collection, false), entities));
    println!("  memory of a scan: {} KiB at most", growth >> 10);
    db.close().expect("a clean close");
}

/// Reads pseudo-random entities, numbered from `first` on.
fn gets(db: &Database, collection: CollectionId, entities: u64, first: u64) {
    let mut number = 1;
    for _ in 0..GETS {
        // Knuth's generator (MMIX); its high bits are the good ones.
        number = u64::wrapping_add(u64::wrapping_mul(number, 6_364_136_223_846_793_005), 1_442_695);
        let found = db.get(collection, id(first + (number >> 20) % entities)).expect("a read");
        assert_eq!(found.is_some(), first == 0);
    }
}

fn count(db: &Database, collection: CollectionId, backwards: bool) -> u64 {
    let scan = db.scan(collection).expect("a scan");
    let mut read = 0;
    let one = |item: Result<_>| {
        item.expect("a read");
        read += 1;
    };
    if backwards {
        scan.rev().for_each(one);
    } else {
        scan.for_each(one);
    }
    read
}

/// How long something took, and how much of it on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Took {
    cpu: Duration,
    wall: Duration,
}

fn timed(act: impl FnOnce()) -> Took {
    let (start, cpu) = (Instant::now(), on_cpu());
    act();
    Took { cpu: on_cpu().saturating_sub(cpu), wall: start.elapsed() }
}

/// The median of some rounds by CPU time, with the spread.
fn show(what: &str, each: u64, act: impl Fn()) {
    let mut times: Vec<Took> = (0..ROUNDS).map(|_| timed(&act)).collect();
    times.sort_unstable();
    let [low, median, high] = [0, ROUNDS / 2, ROUNDS - 1].map(|at| times[at].cpu);
    let wall = times[ROUNDS / 2].wall;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = each as f64 / median.as_secs_f64();
    println!("  {what}: {rate:.0}/s; {median:.2?} ({low:.2?} to {high:.2?}), wall {wall:.2?}");
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn show_space(dir: &Path, entities: u64, state: &str) {
    let files = bytes_below(&dir.join("SEGMENTS"));
    let all = bytes_below(dir);
    let ratio = |bytes: u64| bytes as f64 / (entities * ENTITY_LEN as u64) as f64;
    println!("{state}: {:.3} x payload, of it segments {:.3}", ratio(all), ratio(files));
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a listing");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() { bytes_below(&path) } else { path.metadata().map_or(0, |m| m.len()) }
        })
        .sum()
}
