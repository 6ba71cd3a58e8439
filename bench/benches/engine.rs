//! The engine alone: recovery, reads, and commits without a disk.
//!
//! `cargo bench -p proofhouse-bench --bench engine`

#![expect(clippy::expect_used, reason = "a benchmark that cannot set up its work must stop")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use entidb_engine::storage::{MemStorage, OsEntropy};
use entidb_engine::{Database, Options};
use proofhouse_bench::{entity, id, load, store};

const ENTITIES: u64 = 100_000;

/// Opening after a kill: 100,000 records of 150 bytes in the WAL, the new segment included.
fn recover(c: &mut Criterion) {
    let dir = tempfile::tempdir_in(".").expect("a directory for the stores");
    let killed = dir.path().join("killed");
    let (db, collection) = store(&killed).expect("a new store");
    load(&db, collection, ENTITIES, 100).expect("a loaded store");
    drop(db);
    let mut group = c.benchmark_group("recover");
    group.throughput(Throughput::Elements(ENTITIES)).sample_size(10);
    group.bench_function("100000 records of 150 bytes", |b| {
        b.iter_batched(
            || {
                let copy = tempfile::tempdir_in(dir.path()).expect("a directory for the copy");
                copy_store(&killed, copy.path());
                copy
            },
            |copy| {
                let db = Database::open(copy.path(), Options::default()).expect("recovery");
                assert_eq!(db.sequence(), ENTITIES / 100);
                (copy, db)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn copy_store(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("SEGMENTS")).expect("a directory");
    for dir in ["", "SEGMENTS"] {
        for entry in std::fs::read_dir(from.join(dir)).expect("a listing") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_file() {
                let target = to.join(dir).join(entry.file_name());
                std::fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }
}

/// Reads from sealed segments and from the memtable.
fn get(c: &mut Criterion) {
    let storage = Arc::new(MemStorage::new());
    let db =
        Database::open_with(storage, Box::new(OsEntropy), Options::default()).expect("a store");
    let collection = db.create_collection("entities").expect("a collection");
    load(&db, collection, ENTITIES, 1000).expect("a loaded store");
    let mut group = c.benchmark_group("get");
    group.throughput(Throughput::Elements(1));
    for place in ["memtable", "segment"] {
        let mut number = 0;
        group.bench_function(place, |b| {
            b.iter(|| {
                number = (number + 7919) % ENTITIES;
                black_box(db.get(collection, id(number)).expect("a read"))
            });
        });
        db.checkpoint().expect("a checkpoint");
    }
    group.throughput(Throughput::Elements(ENTITIES));
    group.bench_function("scan", |b| {
        b.iter(|| assert_eq!(db.scan(collection).expect("a scan").count() as u64, ENTITIES));
    });
    group.finish();
}

/// What a commit costs beside its sync.
fn commit(c: &mut Criterion) {
    let storage = Arc::new(MemStorage::new());
    let db =
        Database::open_with(storage, Box::new(OsEntropy), Options::default()).expect("a store");
    let collection = db.create_collection("entities").expect("a collection");
    let mut group = c.benchmark_group("commit");
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    group.bench_function("single put, no disk", |b| {
        b.iter(|| {
            number = (number + 1) % ENTITIES;
            db.put(collection, id(number), entity(number)).expect("a commit")
        });
    });
    group.finish();
}

criterion_group!(benches, recover, get, commit);
criterion_main!(benches);
