//! Plans from seeds: a mix of operations over small universes, so that they meet.

use crate::op::{Collection, Id, Op, Slot};
use crate::payload::Payload;
use crate::plan::{Plan, Settings};
use crate::rng::Rng;

/// Contents that are canonical CBOR but no map; the same ones again and again, so that puts
/// without change happen too.
const CANONICAL: [&[u8]; 4] = [&[0xa0], &[0x00], &[0xf6], &[0x61, b'a']];

/// Contents that are not: nothing, a long head, an open end, two items.
const NOT_CANONICAL: [&[u8]; 4] = [&[], &[0x18, 0x01], &[0xff], &[0x00, 0x00]];

/// The longest acceptable content in bytes: longer than a page.
const MAX_PAYLOAD: u32 = 5200;

/// What plans to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateProfile {
    /// The fewest and the most operations after the collections were created.
    pub ops: (u64, u64),
    /// The most collections, at most 255.
    pub collections: u8,
    /// The most identities, at most 255.
    pub ids: u8,
    /// In percent: how often a content is longer than a sector, and than a page.
    pub long: (u64, u64),
    /// The smallest log that is reserved, in bytes; the largest is four times as long.
    pub wal_reserve: u64,
    /// How often each kind of operation is drawn, relative to the others.
    weights: &'static [(Kind, u64)],
    /// What every plan must contain, whatever was drawn.
    crash: bool,
}

/// What an operation is for; which one it becomes also depends on whether a transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Put,
    Insert,
    Delete,
    Get,
    GetMany,
    Scan,
    ScanRange,
    Transaction,
    Snapshot,
    SnapshotGet,
    SnapshotScan,
    SnapshotRelease,
    Checkpoint,
    Compact,
    CompactStep,
    Scrub,
    Reopen,
    Create,
    Faulty,
}

/// The default mix: every read checks the writes before it.
const DIFFERENTIAL: &[(Kind, u64)] = &[
    (Kind::Put, 24),
    (Kind::Insert, 5),
    (Kind::Delete, 9),
    (Kind::Get, 18),
    (Kind::GetMany, 4),
    (Kind::Scan, 4),
    (Kind::ScanRange, 4),
    (Kind::Transaction, 16),
    (Kind::Snapshot, 4),
    (Kind::SnapshotGet, 6),
    (Kind::SnapshotScan, 2),
    (Kind::SnapshotRelease, 1),
    (Kind::Checkpoint, 3),
    (Kind::Compact, 2),
    (Kind::CompactStep, 3),
    (Kind::Scrub, 1),
    (Kind::Reopen, 1),
    (Kind::Create, 1),
    (Kind::Faulty, 3),
];

/// Writes only: a crash is followed by reading everything anyway.
const CRASH: &[(Kind, u64)] = &[
    (Kind::Put, 34),
    (Kind::Insert, 6),
    (Kind::Delete, 10),
    (Kind::Transaction, 32),
    (Kind::Checkpoint, 6),
    (Kind::Reopen, 3),
    (Kind::Create, 3),
    (Kind::Snapshot, 2),
    (Kind::Faulty, 2),
];

impl GenerateProfile {
    /// Hundreds of cheap operations, for comparing outcomes.
    pub const fn differential() -> Self {
        let weights = DIFFERENTIAL;
        Self {
            ops: (200, 400),
            collections: 3,
            ids: 16,
            long: (8, 2),
            wal_reserve: 4096,
            weights,
            crash: false,
        }
    }

    /// About a dozen writes with a checkpoint and a page-crossing commit in each plan and a reopen
    /// in most: short, because every crash state of a plan is visited.
    pub const fn crash() -> Self {
        let weights = CRASH;
        Self {
            ops: (9, 16),
            collections: 2,
            ids: 8,
            long: (20, 6),
            wal_reserve: 4096,
            weights,
            crash: true,
        }
    }

    /// Half as long, for engines that are asked over pipes, and with a log that holds several
    /// commits, so that not each of them ends with a checkpoint and its syncs.
    pub const fn recorded() -> Self {
        Self { ops: (3, 6), wal_reserve: 16_384, ..Self::crash() }
    }
}

/// The plan that a seed stands for. The same in every build and on every machine.
pub fn generate(seed: u64, profile: &GenerateProfile) -> Plan {
    let mut rng = Rng::new(seed);
    let collections = (0..rng.between(2, profile.collections.max(2).into()))
        .filter_map(|n| u8::try_from(n).ok().map(Collection))
        .collect();
    let ids = (0..rng.between(u64::from(profile.ids) / 2, profile.ids.into()))
        .filter_map(|n| u8::try_from(n).ok().map(Id::nth))
        .collect();
    let (kinds, long) = swarm(&mut rng, profile);
    let mut generator =
        Generator { rng, collections, ids, kinds, long, tag: 0, open: false, ops: Vec::new() };
    let settings = generator.settings(profile.wal_reserve);
    generator.create_collections();
    for _ in 0..generator.rng.between(profile.ops.0, profile.ops.1) {
        generator.push();
    }
    if profile.crash {
        generator.ensure_crash_worthy();
    }
    Plan { seed, settings, ops: generator.ops }
}

/// Kinds of operations with their weights.
type Weights = Vec<(Kind, u64)>;

/// Switches features off at random (swarm testing, Groce et al., ISSTA 2012): a bug may need the
/// absence of what would hide it. Long contents go as one feature.
fn swarm(rng: &mut Rng, profile: &GenerateProfile) -> (Weights, (u64, u64)) {
    let snapshots = rng.chance(80);
    let keep = |rng: &mut Rng, kind| match kind {
        Kind::Put | Kind::Get | Kind::Create => true,
        Kind::Snapshot | Kind::SnapshotGet | Kind::SnapshotScan | Kind::SnapshotRelease => {
            snapshots
        }
        _ => rng.chance(80),
    };
    let weights = profile.weights.iter().filter(|(kind, _)| keep(rng, *kind)).copied().collect();
    (weights, if rng.chance(80) { profile.long } else { (0, 0) })
}

struct Generator {
    rng: Rng,
    collections: Vec<Collection>,
    ids: Vec<Id>,
    kinds: Weights,
    long: (u64, u64),
    tag: u32,
    /// Whether a transaction is open, as far as the generator knows: good enough to draw
    /// sensible operations, and never needed for validity.
    open: bool,
    ops: Vec<Op>,
}

impl Generator {
    fn settings(&mut self, wal_reserve: u64) -> Settings {
        let draws = if self.rng.chance(5) { 0 } else { self.rng.between(2, 10) };
        Settings {
            wal_reserve: wal_reserve << self.rng.below(3),
            max_segment: 1024 << self.rng.below(4),
            entropy: (0..draws).map(|_| self.id()).collect(),
            max_payload: MAX_PAYLOAD,
        }
    }

    /// All collections but sometimes the last, which is then created on the way or never.
    fn create_collections(&mut self) {
        let all = self.collections.len();
        let first = if self.rng.chance(50) { all } else { all - 1 };
        let creations = self.collections[..first].iter();
        self.ops
            .extend(creations.map(|collection| Op::CreateCollection { collection: *collection }));
    }

    fn push(&mut self) {
        let total = self.kinds.iter().map(|(_, weight)| weight).sum();
        let mut drawn = self.rng.below(total);
        let kind = self.kinds.iter().find_map(|(kind, weight)| {
            let here = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            here.then_some(*kind)
        });
        let op = self.op(kind.unwrap_or(Kind::Get));
        match op {
            Op::Begin => self.open = true,
            Op::Commit | Op::Abort | Op::Reopen => self.open = false,
            _ => {}
        }
        self.ops.push(op);
    }

    fn op(&mut self, kind: Kind) -> Op {
        match kind {
            Kind::Put => self.put(),
            Kind::Insert => Op::Insert { collection: self.collection(), payload: self.payload() },
            Kind::Delete => Op::Delete { collection: self.collection(), id: self.id() },
            Kind::Get => Op::Get { collection: self.collection(), id: self.id() },
            Kind::GetMany => {
                let ids = (0..self.rng.below(5)).map(|_| self.id()).collect();
                Op::GetMany { collection: self.collection(), ids }
            }
            Kind::Scan => Op::Scan { collection: self.collection() },
            Kind::ScanRange => self.scan_range(),
            Kind::Transaction if !self.open => Op::Begin,
            // Empty transactions are met too, but need not be common.
            Kind::Transaction if self.ops.last() == Some(&Op::Begin) && self.rng.chance(90) => {
                self.put()
            }
            Kind::Transaction if self.rng.chance(80) => Op::Commit,
            Kind::Transaction => Op::Abort,
            Kind::Snapshot => Op::Snapshot { slot: self.slot() },
            Kind::SnapshotGet => {
                Op::SnapshotGet { slot: self.slot(), collection: self.collection(), id: self.id() }
            }
            Kind::SnapshotScan => {
                Op::SnapshotScan { slot: self.slot(), collection: self.collection() }
            }
            Kind::SnapshotRelease => Op::SnapshotRelease { slot: self.slot() },
            // A transaction is first ended: a checkpoint inside one is only misuse.
            Kind::Checkpoint | Kind::Compact | Kind::CompactStep | Kind::Scrub if self.open => {
                Op::Commit
            }
            Kind::Checkpoint => Op::Checkpoint,
            Kind::Compact => Op::Compact,
            Kind::CompactStep => Op::CompactStep,
            Kind::Scrub => Op::Scrub,
            Kind::Reopen => Op::Reopen,
            Kind::Create if self.open => self.put(),
            Kind::Create => Op::CreateCollection { collection: self.collection() },
            Kind::Faulty => self.faulty(),
        }
    }

    fn scan_range(&mut self) -> Op {
        let bound = |generator: &mut Self| generator.rng.chance(70).then(|| generator.id());
        let (from, to) = (bound(self), bound(self));
        let descending = self.rng.chance(50);
        Op::ScanRange { collection: self.collection(), from, to, descending }
    }

    /// An operation that is refused, in many states.
    fn faulty(&mut self) -> Op {
        let (collection, id) = (self.collection(), self.id());
        let unknown = Collection(u8::MAX);
        match self.rng.below(8) {
            0 => Op::Begin,
            1 => Op::Commit,
            2 => Op::Abort,
            3 => Op::Checkpoint,
            4 => Op::Get { collection: unknown, id },
            5 => Op::Put { collection: unknown, id, payload: self.payload() },
            6 => {
                let bytes = self.rng.pick(&NOT_CANONICAL).copied().unwrap_or_default();
                let payload = Payload::Raw { bytes: bytes.into(), canonical: false };
                Op::Put { collection, id, payload }
            }
            _ => {
                let payload = self.entity(u64::from(MAX_PAYLOAD) + 1);
                Op::Put { collection, id, payload }
            }
        }
    }

    fn put(&mut self) -> Op {
        Op::Put { collection: self.collection(), id: self.id(), payload: self.payload() }
    }

    fn payload(&mut self) -> Payload {
        let (sector, page) = self.long;
        let percent = self.rng.below(100);
        let size = if percent < page {
            self.rng.between(4200, MAX_PAYLOAD.into())
        } else if percent < page + sector {
            self.rng.between(500, 1100)
        } else if percent >= 97 {
            let bytes = self.rng.pick(&CANONICAL).copied().unwrap_or_default();
            return Payload::Raw { bytes: bytes.into(), canonical: true };
        } else {
            self.rng.between(8, 120)
        };
        self.entity(size)
    }

    fn entity(&mut self, size: u64) -> Payload {
        self.tag += 1;
        Payload::Entity { tag: self.tag, size: u32::try_from(size).unwrap_or(u32::MAX) }
    }

    fn collection(&mut self) -> Collection {
        self.rng.pick(&self.collections).copied().unwrap_or(Collection(0))
    }

    fn id(&mut self) -> Id {
        self.rng.pick(&self.ids).copied().unwrap_or(Id::nth(0))
    }

    fn slot(&mut self) -> Slot {
        [0, 1, 2][usize::try_from(self.rng.below(3)).unwrap_or_default()]
    }

    /// Adds what chance may have left out: a page-crossing commit, a checkpoint between writes,
    /// mostly a reopen, and often a compaction of two checkpoints, at once or with a commit and a
    /// checkpoint inside it.
    fn ensure_crash_worthy(&mut self) {
        if self.open {
            self.ops.push(Op::Commit);
        }
        let (collection, id) = (Collection(0), self.id());
        let payload = self.entity(4300);
        self.ops.push(Op::Put { collection, id, payload });
        self.ops.push(Op::Checkpoint);
        if self.rng.chance(60) {
            self.ops.push(Op::Reopen);
        }
        let put_more = |generator: &mut Self| {
            let payload = generator.entity(80);
            Op::Put { collection, id: generator.id(), payload }
        };
        let put = put_more(self);
        self.ops.push(put);
        if self.rng.chance(40) {
            // It hides what the first of them sealed.
            let (more, delete) = (put_more(self), Op::Delete { collection, id });
            self.ops.extend([delete, Op::Checkpoint]);
            if self.rng.chance(50) {
                let inside = put_more(self);
                self.ops.extend([Op::CompactStep, inside, Op::CompactStep, Op::Checkpoint]);
            }
            self.ops.extend([Op::Compact, more]);
        }
    }
}

#[cfg(test)]
mod tests;
