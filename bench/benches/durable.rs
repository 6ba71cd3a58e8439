//! Durable commits against the least any engine could do: a bare write + fdatasync into reserved
//! space, of as many bytes as a commit appends; and by how much threads that share syncs are
//! ahead of one.
//!
//! Turns alternate and last equally long. Were they of equally many commits, the fast ones would be
//! short bursts, which a disk or a busy machine may treat many times better than a long run: the
//! ratio would then exceed what sharing syncs can give. Commits a sync tells what it did give.
//!
//! `cargo bench -p proofhouse-bench --bench durable [-- ROUNDS]`

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use entidb_engine::storage::{FileStorage, OsEntropy};
use entidb_engine::{CollectionId, Database, Options};
use proofhouse_bench::{ENTITY_LEN, entity, id};
use proofhouse_subjects::Watched;

/// How long each turn lasts.
const TURN: Duration = Duration::from_millis(250);
/// Threads that commit at once; the first alone.
const THREADS: [usize; 3] = [1, 8, 32];
/// BEGIN, PUT and COMMIT of one entity: see `docs/format.md`.
const APPEND_LEN: usize = 43 + (68 + ENTITY_LEN) + 51;
/// Sparse, and more than any run fills.
const RESERVED: u64 = 1 << 30;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(20_u32);
    let dir = tempfile::Builder::new().prefix("proofhouse-bench-").tempdir_in(".")?;
    let bare = Bare { file: reserved_file(&dir.path().join("bare"))?, next: AtomicU64::new(0) };
    let engine = Engine::open(&dir.path().join("store"))?;
    let mut bare_rates = Vec::new();
    let mut rates = [const { Vec::new() }; THREADS.len()];
    let mut shared = [const { Vec::new() }; THREADS.len()];
    for _ in 0..rounds {
        bare_rates.push(turn(1, || bare.commit())?);
        for (at, threads) in THREADS.into_iter().enumerate() {
            let before = (engine.db.sequence(), engine.syncs.load(Ordering::Relaxed));
            rates[at].push(turn(threads, || engine.commit())?);
            let commits = engine.db.sequence() - before.0;
            let syncs = engine.syncs.load(Ordering::Relaxed) - before.1;
            shared[at].push(to_f64(commits) / to_f64(syncs));
        }
    }
    engine.db.close()?;
    println!("durable commits/s, {rounds} interleaved rounds of {TURN:?} each");
    println!("  bare write + fdatasync  {}", Spread::of(bare_rates.clone()));
    for (at, threads) in THREADS.into_iter().enumerate() {
        println!("  engine, {threads:>2} threads      {}", Spread::of(rates[at].clone()));
        println!("    commits a sync        {}", Spread::of(shared[at].clone()));
    }
    println!("ratios, round by round");
    println!("  1 thread to bare        {}", Spread::of(ratios(&rates[0], &bare_rates)));
    for (threads, many) in THREADS.into_iter().zip(&rates).skip(1) {
        println!("  {threads:>2} threads to one       {}", Spread::of(ratios(many, &rates[0])));
    }
    Ok(())
}

/// Neighbouring turns met the same disk, so they are compared with each other.
fn ratios(rates: &[f64], to: &[f64]) -> Vec<f64> {
    rates.iter().zip(to).map(|(rate, to)| rate / to).collect()
}

/// A count below 2^32, as all here are.
fn to_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

/// Commits a second of so many threads for one turn.
fn turn<E: Error + Send + 'static>(
    threads: usize,
    commit: impl Fn() -> Result<(), E> + Sync,
) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let commits = thread::scope(|scope| {
        let run = || {
            let mut commits = 0_u64;
            while start.elapsed() < TURN {
                commit()?;
                commits += 1;
            }
            Ok::<_, E>(commits)
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut commits = 0;
        for thread in running {
            commits += thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok::<_, Box<dyn Error>>(commits)
    })?;
    Ok(to_f64(commits) / start.elapsed().as_secs_f64())
}

fn reserved_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.set_len(RESERVED)?;
    file.sync_all()?;
    Ok(file)
}

struct Bare {
    file: File,
    next: AtomicU64,
}

impl Bare {
    fn commit(&self) -> io::Result<()> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) * APPEND_LEN as u64;
        self.file.write_all_at(&[0x5a; APPEND_LEN], at)?;
        self.file.sync_data()
    }
}

struct Engine {
    db: Database,
    collection: CollectionId,
    syncs: Arc<AtomicU64>,
    next: AtomicU64,
}

impl Engine {
    fn open(path: &Path) -> entidb_engine::Result<Self> {
        let syncs = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&syncs);
        let count = move |_: &str| _ = counted.fetch_add(1, Ordering::Relaxed);
        let storage = Watched::new(FileStorage::new(path), count);
        let db = Database::open_with(Arc::new(storage), Box::new(OsEntropy), Options::default())?;
        let collection = db.create_collection("entities")?;
        Ok(Self { db, collection, syncs, next: AtomicU64::new(0) })
    }

    fn commit(&self) -> entidb_engine::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.db.put(self.collection, id(number), entity(number)).map(drop)
    }
}

struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    fn of(mut rates: Vec<f64>) -> Self {
        rates.sort_by(f64::total_cmp);
        let at = |part: usize| rates[(rates.len() - 1) * part / 4];
        Self { median: at(2), low: at(1), high: at(3) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, low, high } = *self;
        let places = if median < 100.0 { 2 } else { 0 };
        write!(f, "{median:>8.places$}  (quartiles {low:.places$} to {high:.places$})")
    }
}
