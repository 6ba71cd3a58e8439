//! Durable commits against the least any engine could do: a bare write + fdatasync into reserved
//! space, of as many bytes as a commit appends. Rounds alternate, so both meet the same disk.
//!
//! `cargo bench -p proofhouse-bench --bench durable [-- ROUNDS]`

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use entidb_engine::{CollectionId, Database};
use proofhouse_bench::{ENTITY_LEN, entity, id, store};

/// Commits a round.
const COMMITS: u32 = 500;
/// BEGIN, PUT and COMMIT of one entity: see `docs/format.md`.
const APPEND_LEN: usize = 43 + (68 + ENTITY_LEN) + 51;
const RESERVED: u64 = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(20_u32);
    let dir = tempfile::Builder::new().prefix("proofhouse-bench-").tempdir_in(".")?;
    let bare = reserved_file(&dir.path().join("bare"))?;
    let (db, collection) = store(&dir.path().join("store"))?;
    let (mut bare_rates, mut engine_rates) = (Vec::new(), Vec::new());
    for round in 0..u64::from(rounds) {
        bare_rates.push(rate(|| bare_round(&bare, round))?);
        engine_rates.push(rate(|| engine_round(&db, collection, round))?);
    }
    db.close()?;
    // Neighbouring rounds met the same disk, so they are compared with each other.
    let ratios = engine_rates.iter().zip(&bare_rates).map(|(engine, bare)| engine / bare);
    let ratio = Spread::of(ratios.collect());
    let (bare, engine) = (Spread::of(bare_rates), Spread::of(engine_rates));
    println!("durable commits/s, one writer, {rounds} interleaved rounds of {COMMITS}");
    println!("  bare write + fdatasync  {bare}");
    println!("  engine put              {engine}");
    println!(
        "  ratio, round by round   {:>8.3}  (quartiles {:.3} to {:.3})",
        ratio.median, ratio.low, ratio.high
    );
    Ok(())
}

fn reserved_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.set_len(RESERVED)?;
    file.sync_all()?;
    Ok(file)
}

fn bare_round(file: &File, round: u64) -> Result<(), Box<dyn Error>> {
    let data = [0x5a; APPEND_LEN];
    for commit in numbers(round) {
        file.write_all_at(&data, commit * APPEND_LEN as u64)?;
        file.sync_data()?;
    }
    Ok(())
}

fn engine_round(db: &Database, collection: CollectionId, round: u64) -> Result<(), Box<dyn Error>> {
    for number in numbers(round) {
        db.put(collection, id(number), entity(number))?;
    }
    Ok(())
}

/// The numbers of a round's commits; no two rounds share one.
fn numbers(round: u64) -> std::ops::Range<u64> {
    let commits = u64::from(COMMITS);
    round * commits..(round + 1) * commits
}

/// Commits per second of one round.
fn rate(round: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    round()?;
    Ok(f64::from(COMMITS) / start.elapsed().as_secs_f64())
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
        write!(f, "{:>8.0}  (quartiles {:.0} to {:.0})", self.median, self.low, self.high)
    }
}
