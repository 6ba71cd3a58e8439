//! Commits and checkpoints at once, round after round: does anything get lost?
//!
//! Two threads commit one entity after another while a third checkpoints. A round is a checkpoint
//! with a commit beside it, one that began and returned within: the sync of its segment lets the
//! writers go first for a while. A checkpoint without one is not counted. Every checkpoint adds a segment, so a store
//! lives for a number of rounds, is verified, left without a close and opened again; then the next
//! store takes over.
//!
//! `cargo run --release -p proofhouse-bench --example checkpoint_rounds [-- ROUNDS]`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use entidb_engine::storage::{MemStorage, OsEntropy, Storage};
use entidb_engine::{AutoCheckpoint, CollectionId, Database, Options};
use proofhouse_bench::{entity, id};
use proofhouse_subjects::Watched;

/// Rounds in the life of a store, and the most checkpoints that may be made for them.
const LIFE: u64 = 100;
const ATTEMPTS: u64 = 10 * LIFE;
const WRITERS: u64 = 2;
/// Commits of a writer in one checkpoint, or between two: more would only take time.
const SHARE: u64 = 4;
/// How often a sync lets others go first.
const PATIENCE: u32 = 10_000;

/// What a store has seen, or all of them.
#[derive(Default)]
struct Tally {
    rounds: u64,
    checkpoints: u64,
    commits: u64,
    /// Commits that ran beside a checkpoint.
    beside: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(2_000_u64);
    let mut all = Tally::default();
    let mut stores = 0;
    while all.rounds < rounds {
        let one = live().map_err(|story| format!("store {stores}: {story}"))?;
        all.rounds += one.rounds;
        all.checkpoints += one.checkpoints;
        all.commits += one.commits;
        all.beside += one.beside;
        stores += 1;
    }
    let Tally { rounds, checkpoints, commits, beside } = all;
    println!("{rounds} rounds in {stores} stores: {checkpoints} checkpoints, {commits} commits");
    println!("{beside} of them beside a checkpoint; none lost");
    Ok(())
}

fn open(medium: impl Storage + 'static) -> entidb_engine::Result<Database> {
    let options =
        Options { wal_reserve: 4096, auto_checkpoint: AutoCheckpoint::Never, ..Options::default() };
    Database::open_with(Arc::new(medium), Box::new(OsEntropy), options)
}

/// Holds the sync of a segment back until a commit has passed, or none wants to.
fn let_commits_pass(beside: &Arc<AtomicU64>) -> impl Fn(&str) + Send + Sync + 'static {
    let beside = Arc::clone(beside);
    move |file| {
        if file.starts_with("SEGMENTS/") {
            let before = beside.load(Ordering::SeqCst);
            for _ in 0..PATIENCE {
                if beside.load(Ordering::SeqCst) > before {
                    return;
                }
                thread::yield_now();
            }
        }
    }
}

/// The life of one store.
fn live() -> Result<Tally, Box<dyn Error>> {
    let medium = MemStorage::new();
    let beside = Arc::new(AtomicU64::new(0));
    let db = open(Watched::new(medium.clone(), let_commits_pass(&beside)))?;
    let collection = db.create_collection("entities")?;
    let (tally, written) = run(&db, collection, &beside)?;
    db.verify()?;
    drop(db);
    let db = open(medium)?;
    if db.sequence() != tally.commits {
        return Err(format!("{} commits of {} are left", db.sequence(), tally.commits).into());
    }
    for (writer, count) in (0..).zip(written) {
        for round in 0..count {
            let number = round * WRITERS + writer;
            if db.get(collection, id(number))? != Some(entity(number)) {
                return Err(format!("entity {number} is lost").into());
            }
        }
    }
    Ok(tally)
}

/// Checkpoints until there were enough rounds, and answers how much each writer has written.
fn run(
    db: &Database,
    collection: CollectionId,
    beside: &AtomicU64,
) -> Result<(Tally, Vec<u64>), Box<dyn Error>> {
    // Odd while a checkpoint runs.
    let phase = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let write = |writer: u64| {
        let (mut count, mut last, mut share) = (0, 0, 0);
        while !done.load(Ordering::SeqCst) {
            let number = count * WRITERS + writer;
            let before = phase.load(Ordering::SeqCst);
            share = if before == last { share + 1 } else { 1 };
            last = before;
            if share > SHARE {
                thread::yield_now();
                continue;
            }
            db.put(collection, id(number), entity(number))?;
            count += 1;
            if before % 2 == 1 && phase.load(Ordering::SeqCst) == before {
                beside.fetch_add(1, Ordering::SeqCst);
            }
        }
        Ok::<_, entidb_engine::Error>(count)
    };
    let checkpoint = || {
        let mut tally = Tally::default();
        let mut sealed = 0;
        while tally.rounds < LIFE && tally.checkpoints < ATTEMPTS {
            if db.sequence() == sealed {
                // Nothing to seal is no checkpoint.
                thread::yield_now();
                continue;
            }
            sealed = db.sequence();
            let before = beside.load(Ordering::SeqCst);
            phase.fetch_add(1, Ordering::SeqCst);
            let checkpointed = db.checkpoint();
            phase.fetch_add(1, Ordering::SeqCst);
            tally.checkpoints += 1;
            tally.rounds += u64::from(beside.load(Ordering::SeqCst) > before);
            checkpointed?;
        }
        Ok::<_, entidb_engine::Error>(tally)
    };
    thread::scope(|scope| {
        let write = &write;
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        let tally = checkpoint();
        done.store(true, Ordering::SeqCst);
        let mut written = Vec::new();
        for writer in writers {
            written.push(writer.join().map_err(|_| "a writer panicked")??);
        }
        let mut tally = tally?;
        tally.commits = written.iter().sum();
        tally.beside = beside.load(Ordering::SeqCst);
        if tally.rounds == 0 {
            return Err("no commit ever ran beside a checkpoint".into());
        }
        Ok((tally, written))
    })
}
