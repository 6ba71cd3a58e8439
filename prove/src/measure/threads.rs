//! Real threads on one store: writers move amounts between accounts and stamp each commit,
//! readers look on. One workload serves four claims, and on slow syncs a fifth.

pub(super) mod group_commit;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use bytes::Bytes;
use entidb_engine::storage::MemStorage;
use proofhouse_model::rng::Rng;
use proofhouse_model::{
    Capabilities, Client, Collection, Entities, Id, Op, Outcome, Payload, Settings, Store, Subject,
    panic_message,
};
use proofhouse_subjects::Placed;

use super::{Context, Measured, Room, small};
use crate::finding::{Finding, Kind, World};
use crate::verdict::{Evidence, Reason};

/// What threads do to each other.
pub(super) const ROOM: Room = Room {
    name: "real threads",
    claims: &["AC-01.concurrent", "AC-03.transfers", "AC-06.threads", "AC-07.visibility"],
    split: false,
    measure,
};

/// All entities share a collection: one scan shows accounts and stamps as of one moment.
const COLLECTION: Collection = Collection(0);

const SCAN: Op = Op::Scan { collection: COLLECTION };

/// Accounts, and what each holds at first.
const HOLDERS: u8 = 6;
const DEPOSIT: u16 = 2_000;

/// What every commit overwrites with the number of its stamp. Transfers commute, so the accounts
/// alone are the same in any order of commits; this entity shows which commit came last.
const LAST: Id = Id([0xfe; 16]);

const WRITERS: u8 = 3;
const READERS: usize = 2;

/// Commits of each writer in a round.
const COMMITS: u16 = 300;

/// The claims judged by what readers saw; `AC-01.concurrent` is judged by what a round left.
const LOOKED_AT: [&str; 4] =
    ["AC-03.transfers", "AC-06.threads", "AC-07.visibility", "AC-07.group-commit"];

/// Readings between commits, per round on average, below which the readers have hardly met the
/// writers. Threads meet by chance: an idle machine of two cores gives some hundred.
const READINGS: u64 = 10;

/// One writer's commit: the account that gave, the one that took, the number of its stamp, and its
/// sequence.
#[derive(Debug, Clone, Copy)]
struct Commit {
    from: u8,
    to: u8,
    number: u16,
    sequence: Option<u64>,
}

/// How much the writers of a round do.
#[derive(Debug, Clone, Copy)]
struct Work {
    /// Seeds are drawn by it.
    name: &'static str,
    /// Commits of each writer.
    commits: u16,
}

/// What a round left to judge.
struct Round {
    commits: Vec<Commit>,
    /// The stamps that each read saw.
    reads: Vec<BTreeSet<Id>>,
    /// The accounts and the last writer's mark, after all commits.
    left: Entities,
    /// Two-operation transfers that were seen half, snapshots that changed.
    torn: Option<String>,
    moved: Option<String>,
}

/// What all rounds came to.
#[derive(Debug, Default)]
struct Tally {
    /// Rounds asked for, and rounds run.
    rounds: u64,
    run: u64,
    commits: u64,
    /// All readings, and those that fell between the commits of their round.
    reads: u64,
    between: u64,
}

/// What went wrong so that a round could not be judged.
type Failed = String;

fn measure(context: &Context) -> Measured {
    let capabilities = context.subject.about().capabilities;
    if !capabilities.transactions || !capabilities.clients {
        return Measured::default();
    }
    let work = Work { name: "threads", commits: COMMITS };
    let once = |number| round(context, &MemStorage::new(), work, number);
    let judge = |round: &Round| judge(round, capabilities).collect();
    let (tally, mut measured) = rounds(context, "AC-03.transfers", once, judge);
    for claim in ROOM.claims {
        measured.show(claim, tally.evidence(claim));
    }
    measured
}

/// Runs and judges all rounds. One that cannot be judged is held against the claim `broken`.
fn rounds(
    context: &Context,
    broken: &'static str,
    once: impl Fn(u64) -> Result<Round, Failed>,
    judge: impl Fn(&Round) -> Vec<Finding>,
) -> (Tally, Measured) {
    let mut tally = Tally { rounds: context.scale.thread_rounds, ..Tally::default() };
    let mut found = Vec::new();
    for number in 0..tally.rounds {
        if context.budget.is_spent() {
            break;
        }
        match once(number) {
            Ok(round) => {
                tally.add(&round);
                found.extend(judge(&round));
            }
            Err(story) => found.push(finding(broken, story)),
        }
        tally.run += 1;
    }
    let findings = found.into_iter().map(|finding| context.with_measurement(finding)).collect();
    (tally, Measured { findings, ..Measured::default() })
}

impl Tally {
    fn add(&mut self, round: &Round) {
        self.commits += round.commits.len() as u64;
        self.reads += round.reads.len() as u64;
        self.between += round.between() as u64;
    }

    fn evidence(&self, claim: &str) -> Evidence {
        let Self { rounds, run, commits, reads, between } = *self;
        let least = run * READINGS;
        let stopped = if run < rounds {
            Some((Reason::Budget, format!("{run} of {rounds} rounds run")))
        } else if LOOKED_AT.contains(&claim) && between < least {
            let note = format!("{between} readings between commits, at least {least} are due");
            Some((Reason::NotReached, note))
        } else {
            None
        };
        Evidence {
            done: commits,
            unit: "commits".to_owned(),
            observed: BTreeMap::from([
                ("commits".to_owned(), commits),
                ("reads".to_owned(), reads),
                ("reads between commits".to_owned(), between),
            ]),
            stopped,
            ..Evidence::default()
        }
    }
}

impl Round {
    /// Readings that show some commits and not all: only those fell into the writers' work for
    /// certain, whatever the scheduler did.
    fn between(&self) -> usize {
        let all = self.commits.len();
        self.reads.iter().filter(|seen| !seen.is_empty() && seen.len() < all).count()
    }
}

fn finding(claim: &'static str, story: String) -> Finding {
    Finding::new(Kind::Divergence, World::Undisturbed, claim, story)
}

fn judge(round: &Round, capabilities: Capabilities) -> impl Iterator<Item = Finding> {
    let torn = round.torn.clone().map(|story| finding("AC-03.transfers", story));
    let moved = round.moved.clone().map(|story| finding("AC-06.threads", story));
    let ordered = capabilities.sequences.then_some(round);
    let order = ordered.and_then(misordered).map(|story| finding("AC-07.visibility", story));
    // Commits without an order cannot be replayed in it.
    let ordered = ordered.filter(|_| order.is_none());
    let replayed =
        ordered.and_then(differs_from_replay).map(|story| finding("AC-01.concurrent", story));
    [torn, moved, order, replayed].into_iter().flatten()
}

/// Sequences are dense, and a read that shows a commit shows all with smaller sequences.
fn misordered(round: &Round) -> Option<String> {
    let stamped = |commit: &Commit| Some((commit.sequence?, stamp(commit.number)));
    let mut order: Vec<_> = round.commits.iter().filter_map(stamped).collect();
    order.sort_unstable();
    if order.len() != round.commits.len() {
        return Some("a commit answered no sequence".to_owned());
    }
    let gap = order.windows(2).find(|pair| pair[0].0 + 1 != pair[1].0);
    if let Some(pair) = gap {
        return Some(format!("sequence {} is followed by {}", pair[0].0, pair[1].0));
    }
    round.reads.iter().find_map(|seen| {
        let first = order.iter().position(|(_, stamp)| !seen.contains(stamp))?;
        let beyond = order[first..].iter().find(|(_, stamp)| seen.contains(stamp))?;
        Some(format!("a read shows commit {} but not {}", beyond.0, order[first].0))
    })
}

/// The accounts and the last writer's mark are what the commits make of them one by one, in commit
/// order.
fn differs_from_replay(round: &Round) -> Option<String> {
    let mut order = round.commits.clone();
    order.sort_by_key(|commit| commit.sequence);
    let mut due: BTreeMap<Id, u16> =
        (0..HOLDERS).map(|holder| (Id::nth(holder), DEPOSIT)).collect();
    for Commit { from, to, number, .. } in order {
        *due.entry(Id::nth(from)).or_default() -= 1;
        *due.entry(Id::nth(to)).or_default() += 1;
        due.insert(LAST, number);
    }
    let found: BTreeMap<Id, u16> =
        round.left.iter().map(|(id, bytes)| (*id, amount(bytes))).collect();
    (found != due).then(|| format!("entities hold {found:?}, replayed one by one {due:?}"))
}

fn round<P>(context: &Context, place: &P, work: Work, number: u64) -> Result<Round, Failed>
where
    Placed: Subject<P>,
{
    let settings = Settings {
        wal_reserve: 1 << 16,
        max_segment: 1 << 14,
        entropy: Vec::new(),
        max_payload: 5200,
    };
    let store = Subject::open(context.subject, place, &settings).map_err(|no| no.to_string())?;
    set_up(store.client().as_mut())?;
    let (written, read) = run_threads(context, work, store.as_ref(), number);
    let mut round = Round {
        commits: Vec::new(),
        reads: Vec::new(),
        left: split(scan(store.client().as_mut(), &SCAN)?).0,
        torn: None,
        moved: None,
    };
    for commits in written {
        round.commits.extend(commits?);
    }
    for seen in read {
        let seen = seen?;
        round.reads.extend(seen.stamps);
        round.torn = round.torn.or(seen.torn);
        round.moved = round.moved.or(seen.moved);
    }
    Ok(round)
}

/// What the writers and the readers of a round bring back.
type Brought = (Vec<Result<Vec<Commit>, Failed>>, Vec<Result<Seen, Failed>>);

/// All threads at once.
fn run_threads(context: &Context, work: Work, store: &dyn Store, number: u64) -> Brought {
    let capabilities = context.subject.about().capabilities;
    let running = AtomicUsize::new(WRITERS.into());
    let start = Barrier::new(usize::from(WRITERS) + READERS);
    let (running, start) = (&running, &start);
    thread::scope(|scope| {
        let writer = |writer: u8| {
            let case = number * u64::from(WRITERS) + u64::from(writer);
            let rng = Rng::new(context.seed_of(work.name, case));
            scope.spawn(move || {
                start.wait();
                let _leaving = Leaving(running);
                write(store, writer, work.commits, rng)
            })
        };
        let reader = |_| {
            scope.spawn(move || {
                start.wait();
                read(store, capabilities, running)
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(writer).collect();
        let readers: Vec<_> = (0..READERS).map(reader).collect();
        let written = writers.into_iter().map(|thread| joined(thread));
        let read = readers.into_iter().map(|thread| joined(thread));
        (written.collect(), read.collect())
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Failed>>) -> Result<T, Failed> {
    thread.join().unwrap_or_else(|panic| Err(panic_message(panic.as_ref())))
}

/// A writer that leaves, be it by a panic: readers must not wait for it.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn set_up(client: &mut dyn Client) -> Result<(), Failed> {
    ask(client, &Op::CreateCollection { collection: COLLECTION })?;
    for holder in 0..HOLDERS {
        ask(client, &put(Id::nth(holder), DEPOSIT))?;
    }
    Ok(())
}

/// Moves one unit per commit, and leaves its stamp twice: as an entity of its own, and in the
/// entity that all commits overwrite. No account can fall below zero: all commits of a round together take
/// less than a deposit.
fn write(store: &dyn Store, writer: u8, count: u16, mut rng: Rng) -> Result<Vec<Commit>, Failed> {
    let mut client = store.client();
    let mut commits = Vec::new();
    for number in 0..count {
        let from = small(rng.below(HOLDERS.into()));
        let to = (from + 1 + small(rng.below(u64::from(HOLDERS) - 1))) % HOLDERS;
        let number = u16::from(writer) * count + number;
        ask(client.as_mut(), &Op::Begin)?;
        for (holder, change) in [(from, -1), (to, 1)] {
            let id = Id::nth(holder);
            let held = match ask(client.as_mut(), &Op::Get { collection: COLLECTION, id })? {
                Outcome::Value(Some(bytes)) => amount(&bytes),
                other => return Err(format!("account {id} answers {other}")),
            };
            ask(client.as_mut(), &put(id, held.saturating_add_signed(change)))?;
        }
        ask(client.as_mut(), &put(LAST, number))?;
        ask(client.as_mut(), &put(stamp(number), 0))?;
        let Outcome::Committed { sequence } = ask(client.as_mut(), &Op::Commit)? else {
            return Err("a commit was answered otherwise".to_owned());
        };
        commits.push(Commit { from, to, number, sequence });
    }
    Ok(commits)
}

#[derive(Default)]
struct Seen {
    stamps: Vec<BTreeSet<Id>>,
    torn: Option<String>,
    moved: Option<String>,
}

/// Reads until the writers are done, and once more: through snapshots if there are any.
fn read(
    store: &dyn Store,
    capabilities: Capabilities,
    running: &AtomicUsize,
) -> Result<Seen, Failed> {
    let mut client = store.client();
    let mut seen = Seen::default();
    loop {
        let last = running.load(Ordering::SeqCst) == 0;
        let (others, stamps) = split(scan(client.as_mut(), &SCAN)?);
        seen.torn = seen.torn.or(not_constant(&others));
        seen.stamps.push(stamps);
        if capabilities.snapshots {
            let moved = snapshot_moves(client.as_mut())?;
            seen.moved = seen.moved.or(moved);
        }
        if last {
            return Ok(seen);
        }
    }
}

fn snapshot_moves(client: &mut dyn Client) -> Result<Option<String>, Failed> {
    ask(client, &Op::Snapshot { slot: 0 })?;
    let op = Op::SnapshotScan { slot: 0, collection: COLLECTION };
    let first = scan(client, &op)?;
    for _ in 0..3 {
        if scan(client, &op)? != first {
            return Ok(Some("a snapshot's scan changed while it was held".to_owned()));
        }
    }
    Ok(not_constant(&split(first).0).map(|story| format!("through a snapshot, {story}")))
}

/// `others` are what stands beside the stamps; the accounts among them are added up.
fn not_constant(others: &Entities) -> Option<String> {
    let accounts = others.iter().filter(|(id, _)| *id != LAST);
    let sum: u32 = accounts.map(|(_, bytes)| u32::from(amount(bytes))).sum();
    let due = u32::from(HOLDERS) * u32::from(DEPOSIT);
    (sum != due).then(|| format!("the accounts add up to {sum} instead of {due}"))
}

/// The identity of a commit's stamp: none of an account's, and not the last writer's mark.
fn stamp(number: u16) -> Id {
    let mut id = [0xff; 16];
    id[14..].copy_from_slice(&number.to_be_bytes());
    Id(id)
}

/// Accounts and the last writer's mark, and the stamps that stand beside them.
fn split(entities: Entities) -> (Entities, BTreeSet<Id>) {
    let (others, stamps): (Entities, Entities) =
        entities.into_iter().partition(|(id, _)| id.0[0] != 0xff);
    (others, stamps.into_iter().map(|(id, _)| id).collect())
}

fn put(id: Id, amount: u16) -> Op {
    // Canonical CBOR of an unsigned integer (RFC 8949 §3, major type 0).
    let bytes = match amount {
        0..24 => vec![amount.to_be_bytes()[1]],
        24..256 => vec![0x18, amount.to_be_bytes()[1]],
        _ => [vec![0x19], amount.to_be_bytes().to_vec()].concat(),
    };
    Op::Put {
        collection: COLLECTION,
        id,
        payload: Payload::Raw { bytes: bytes.into(), canonical: true },
    }
}

fn amount(bytes: &Bytes) -> u16 {
    match bytes.as_ref() {
        [0x18, low] => u16::from(*low),
        [0x19, high, low] => u16::from_be_bytes([*high, *low]),
        [only] => u16::from(*only),
        _ => u16::MAX,
    }
}

fn ask(client: &mut dyn Client, op: &Op) -> Result<Outcome, Failed> {
    match client.apply(op) {
        Outcome::Failed(class) => Err(format!("{op} failed: {class:?}")),
        outcome => Ok(outcome),
    }
}

fn scan(client: &mut dyn Client, op: &Op) -> Result<Entities, Failed> {
    match ask(client, op)? {
        Outcome::Entities(entities) => Ok(entities),
        other => Err(format!("{op} answered {other}")),
    }
}
