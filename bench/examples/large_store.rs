//! What a large store costs: bytes and reads of many short entities.
//!
//! `cargo run --release -p proofhouse-bench --example large_store -- [ENTITIES]`

#![expect(clippy::expect_used, reason = "a measurement that cannot set up its work must stop")]

use std::path::Path;
use std::time::{Duration, Instant};

use entidb_engine::{CollectionId, Database, Result};
use proofhouse_bench::{ENTITY_LEN, id, load, peak, store};

#[global_allocator]
static ALLOCATOR: peak::Counted = peak::Counted;

const ROUNDS: usize = 7;
const GETS: u64 = 1_000_000;
const RANGES: u64 = 100_000;

fn main() {
    let entities = std::env::args().nth(1).map_or(2_000_000, |n| n.parse().expect("a number"));
    let dir = tempfile::tempdir_in(".").expect("a directory for the store");
    let (db, collection) = store(dir.path()).expect("a new store");
    let ((), loading) = timed(|| load(&db, collection, entities, 10_000).expect("a loaded store"));
    let ((), closing) = timed(|| db.close().expect("a clean close"));
    println!(
        "{entities} entities of {ENTITY_LEN} bytes: loaded in {loading:.1?}, closed in {closing:.1?}"
    );
    show_space(dir.path(), entities);

    show("open after a clean close", 1, || drop(store(dir.path()).expect("an open")));
    let (db, collection) = store(dir.path()).expect("an open");
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
    println!("memory of a scan: {} KiB at most", growth >> 10);

    load(&db, collection, entities / 2, 10_000).expect("half of them again");
    db.checkpoint().expect("a checkpoint");
    show_space(dir.path(), entities);
    let compact = || timed(|| db.compact().expect("a compaction")).1;
    let (growth, compacting) = peak::growth(compact);
    println!("compacted in {compacting:.1?}, memory {} KiB at most", growth >> 10);
    show_space(dir.path(), entities);
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

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn show_space(dir: &Path, entities: u64) {
    let ratio = bytes_below(dir) as f64 / (entities * ENTITY_LEN as u64) as f64;
    println!("space: {ratio:.3} x payload");
}

fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let answer = act();
    (answer, start.elapsed())
}

/// The median of some rounds, with the spread.
fn show(what: &str, each: u64, act: impl Fn()) {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| timed(&act).1).collect();
    times.sort_unstable();
    let median = times[ROUNDS / 2];
    let (low, high) = (times[0], times[ROUNDS - 1]);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = each as f64 / median.as_secs_f64();
    println!("{what}: {median:.2?} ({low:.2?} to {high:.2?}), {rate:.0}/s");
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
