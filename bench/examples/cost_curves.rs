//! How costs grow with the number of entities: flat, or not?
//!
//! `cargo run --release -p proofhouse-bench --example cost_curves [-- ENTITIES…]`
//!
//! By CPU time of this thread, so that other work on the machine counts less; memory by the
//! allocator's count, mapped files beside it; bytes written by the system's count of what went
//! to `write`. With `--loop get|commit|recover ENTITIES TIMES` it does one thing only, for a
//! profiler that counts instructions.

#![expect(clippy::expect_used, reason = "a measurement that cannot set up its work must stop")]
#![expect(clippy::cast_precision_loss, reason = "numbers for people")]

use std::path::Path;
use std::time::{Duration, Instant};

use entidb_engine::{AutoCheckpoint, CollectionId, Database, Options};
use proofhouse_bench::{ENTITY_LEN, entity, id, load, on_cpu, peak, store};

#[global_allocator]
static ALLOCATOR: peak::Counted = peak::Counted;

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const ROUNDS: usize = 7;
const GETS: u64 = 50_000;
const COMMITS: u64 = 400;
/// Opens, and at least so many entities of a scan, that are timed together: the system's count of
/// CPU time advances in ticks.
const OPENS: u64 = 100;
const SCANNED: u64 = 200_000;
/// Below this, a compaction is over within a tick or a few.
const TIMED_MIN: u64 = 100_000;
/// Beyond this, only what the curve is asked for: gets and opens.
const WHOLE_MAX: u64 = 1_000_000;
/// Bytes of WAL that a recovery is timed for.
const WAL_BYTES: u64 = 64 << 20;
/// Within how much the costs of a get and of a commit are to stay.
const FLAT: f64 = 2.0;

/// What one size cost. Times are of one call, or of one entity of it.
struct Row {
    entities: u64,
    get: Spread,
    commit: Option<Spread>,
    open: Spread,
    scan: Option<Spread>,
    compact: Option<f64>,
    scan_memory: Option<usize>,
    compaction_memory: Option<usize>,
    held: f64,
    written: [f64; 2],
}

/// Nanoseconds of CPU: the median, the least and the most.
#[derive(Clone, Copy)]
struct Spread([f64; 3]);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "--loop") {
        return one_loop(&args[1], number(&args[2]), number(&args[3]));
    }
    let mut sizes: Vec<u64> = args.iter().map(|arg| number(arg)).collect();
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    println!("{ENTITY_LEN} bytes an entity; ns of CPU time, median (least to most) of {ROUNDS}");
    let rows: Vec<Row> = sizes.into_iter().map(measure).inspect(show).collect();
    flat("get", rows.iter().map(|row| row.get));
    flat("commit", rows.iter().filter_map(|row| row.commit));
    recovery();
}

fn number(arg: &str) -> u64 {
    arg.replace('_', "").parse().expect("a number")
}

fn directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("proofhouse-bench-").tempdir_in(".").expect("a directory")
}

fn measure(entities: u64) -> Row {
    let dir = directory();
    let before = written();
    let (db, collection) = store(dir.path()).expect("a new store");
    load(&db, collection, entities, 10_000.min(entities)).expect("a loaded store");
    // Half of them once more, so that segments overlap and there is something to compact.
    db.checkpoint().expect("a checkpoint");
    load(&db, collection, entities / 2, 10_000.min(entities)).expect("half of them again");
    db.close().expect("a clean close");
    let loaded = written();
    let whole = entities <= WHOLE_MAX;
    let (db, _) = store(dir.path()).expect("an open");
    let (compaction_memory, cpu) = peak::growth(|| timed(|| db.compact().expect("a compaction")));
    db.close().expect("a clean close");
    let put = ((entities + entities / 2) * ENTITY_LEN as u64) as f64;
    let written = [(loaded - before) as f64 / put, (written() - before) as f64 / put];
    let open = Spread::of(OPENS, || {
        for _ in 0..OPENS {
            drop(store(dir.path()).expect("an open"));
        }
    });
    let (held, (db, collection)) = held(|| store(dir.path()).expect("an open"));
    let get = Spread::of(GETS, || gets(&db, collection, entities, GETS));
    let scan = |db: &Database| {
        let mut read = 0;
        for item in db.scan(collection).expect("a scan") {
            item.expect("a read");
            read += 1;
        }
        assert_eq!(read, entities);
    };
    let scan_memory = whole.then(|| peak::growth(|| scan(&db)).0);
    let scans = SCANNED.div_ceil(entities);
    let scan = whole.then(|| Spread::of(scans * entities, || (0..scans).for_each(|_| scan(&db))));
    let commit = whole.then(|| Spread::of(COMMITS, || commits(&db, collection, entities, COMMITS)));
    Row {
        entities,
        get,
        commit,
        open,
        scan,
        compact: (TIMED_MIN..=WHOLE_MAX)
            .contains(&entities)
            .then_some(cpu.as_nanos() as f64 / entities as f64),
        scan_memory,
        compaction_memory: Some(compaction_memory),
        held: held as f64 / entities as f64,
        written,
    }
}

fn show(row: &Row) {
    println!("{} entities", row.entities);
    let line = |what: &str, spread: Option<Spread>| {
        if let Some(Spread([median, low, high])) = spread {
            println!("  {what:<22}{median:>10.0} ({low:.0} to {high:.0})");
        }
    };
    line("get", Some(row.get));
    line("commit of one", row.commit);
    line("open", Some(row.open));
    line("scan, an entity", row.scan);
    if let Some(nanos) = row.compact {
        println!("  {:<22}{nanos:>10.0}", "compact, an entity");
    }
    for (what, bytes) in [("scan", row.scan_memory), ("compaction", row.compaction_memory)] {
        if let Some(bytes) = bytes {
            println!("  memory of a {what}: {} KiB at most", bytes >> 10);
        }
    }
    println!("  held by an open store: {:.3} bytes an entity", row.held);
    let [loaded, compacted] = row.written;
    println!("  bytes written for a byte put: {loaded:.2}, and {compacted:.2} once compacted");
}

fn flat(what: &str, costs: impl Iterator<Item = Spread>) {
    let medians = costs.map(|Spread([median, ..])| median);
    let (least, most) = medians.fold((f64::MAX, 0.0_f64), |(a, b), it| (a.min(it), b.max(it)));
    if least >= most {
        return println!("{what}: of fewer than two sizes, no curve");
    }
    let said = if most <= FLAT * least { "flat" } else { "NOT flat" };
    println!("{what}: {said} within {FLAT} x, {:.2} x from least to most", most / least);
}

/// Random reads by Knuth's generator (MMIX); its high bits are the good ones.
fn gets(db: &Database, collection: CollectionId, entities: u64, times: u64) {
    let mut random = 1_u64;
    for _ in 0..times {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        let found = db.get(collection, id((random >> 20) % entities)).expect("a read");
        assert!(found.is_some());
    }
}

/// Replaces entities far from each other, one in a transaction.
fn commits(db: &Database, collection: CollectionId, entities: u64, times: u64) {
    for number in 0..times {
        let number = number.wrapping_mul(7_919) % entities;
        db.put(collection, id(number), entity(number)).expect("a commit");
    }
}

fn one_loop(what: &str, entities: u64, times: u64) {
    let dir = directory();
    if what == "recover" {
        return recover(dir.path(), entities, times);
    }
    let (db, collection) = store(dir.path()).expect("a new store");
    load(&db, collection, entities, 10_000.min(entities)).expect("a loaded store");
    db.compact().expect("a compaction");
    db.close().expect("a clean close");
    let (db, collection) = store(dir.path()).expect("an open");
    match what {
        "get" => gets(&db, collection, entities, times),
        "commit" => commits(&db, collection, entities, times),
        other => println!("no loop {other}: get, commit or recover"),
    }
}

/// Opens a store so many times whose last life left its entities in the WAL.
fn recover(dir: &Path, entities: u64, times: u64) {
    let options = Options { auto_checkpoint: AutoCheckpoint::Never, ..Options::default() };
    let db = Database::open(dir, options).expect("a new store");
    let collection = db.create_collection("entities").expect("a collection");
    load(&db, collection, entities, 100.min(entities)).expect("a loaded store");
    drop(db);
    for _ in 0..times {
        let db = Database::open(dir, options).expect("a recovery");
        assert!(db.sequence() > 0);
    }
}

/// An open after a kill that left [`WAL_BYTES`] of live WAL.
fn recovery() {
    let mut times = Vec::new();
    let mut commits = 0;
    for _ in 0..ROUNDS {
        let dir = directory();
        let options = Options { auto_checkpoint: AutoCheckpoint::Never, ..Options::default() };
        let db = Database::open(dir.path(), options).expect("a new store");
        let collection = db.create_collection("entities").expect("a collection");
        let before = written();
        while written() - before < WAL_BYTES {
            let mut txn = db.begin().expect("a transaction");
            for number in commits * 100..(commits + 1) * 100 {
                txn.put(collection, id(number), entity(number)).expect("a put");
            }
            txn.commit().expect("a commit");
            commits += 1;
        }
        let sequence = db.sequence();
        drop(db);
        let (start, cpu) = (Instant::now(), on_cpu());
        let db = Database::open(dir.path(), options).expect("a recovery");
        times.push((start.elapsed(), on_cpu().saturating_sub(cpu)));
        assert_eq!(db.sequence(), sequence);
        db.close().expect("a clean close");
    }
    times.sort_unstable();
    let [low, median, high] = [0, ROUNDS / 2, ROUNDS - 1].map(|at| times[at]);
    println!(
        "recovery of {} MiB of live WAL: {:.2?} ({:.2?} to {:.2?}), of it {:.2?} of CPU",
        WAL_BYTES >> 20,
        median.0,
        low.0,
        high.0,
        median.1
    );
}

fn held<T>(act: impl FnOnce() -> T) -> (usize, T) {
    let before = peak::held();
    let answer = act();
    (peak::held().saturating_sub(before), answer)
}

fn timed(act: impl FnOnce()) -> Duration {
    let before = on_cpu();
    act();
    on_cpu().saturating_sub(before)
}

impl Spread {
    fn of(each: u64, act: impl Fn()) -> Self {
        let mut times: Vec<Duration> = (0..ROUNDS).map(|_| timed(&act)).collect();
        times.sort_unstable();
        Self([ROUNDS / 2, 0, ROUNDS - 1].map(|at| times[at].as_nanos() as f64 / each as f64))
    }
}

/// Bytes that this process handed to `write` so far (proc(5): `wchar` of `io`).
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").expect("the system's count");
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|bytes| bytes.parse().ok()).expect("the system's count")
}
