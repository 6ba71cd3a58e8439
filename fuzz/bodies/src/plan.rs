//! Plans as bytes: every input is a plan, and a change of a byte is a small change of the plan.

use arbitrary::Unstructured;
use proofhouse_model::{Collection, Id, Op, Payload, Plan, Settings};

/// Collections and identities are few, so that operations meet.
const COLLECTIONS: u8 = 4;
const IDS: u8 = 16;
const SLOTS: u8 = 3;

/// The longest content, and the bytes that stand for lengths: short ones, longer than a sector,
/// longer than a page.
const MAX_PAYLOAD: u32 = 5200;
const SECTOR: u8 = 200;
const PAGE: u8 = 240;
const RAW: u8 = 250;

/// Contents that stand for themselves, and whether each is canonical.
const RAWS: [(&[u8], bool); 6] = [
    (&[0xa0], true),
    (&[0xf6], true),
    (&[0x18, 0x01], false),
    (&[], false),
    (&[0xff], false),
    (&[0x00, 0x00], false),
];

/// The plan of an input, of at most so many operations.
pub fn read(input: &[u8], ops_max: usize) -> Plan {
    let mut source = Unstructured::new(input);
    let sizes = byte(&mut source);
    let draws = byte(&mut source) % 6;
    let settings = Settings {
        wal_reserve: 512 << (sizes & 3),
        max_segment: 512 << (sizes >> 2 & 3),
        entropy: (0..draws).map(|_| id(&mut source)).collect(),
        max_payload: MAX_PAYLOAD,
    };
    let mut ops = Vec::new();
    while !source.is_empty() && ops.len() < ops_max {
        let op = op(&mut source, ops.len());
        ops.push(op);
    }
    Plan { seed: 0, settings, ops }
}

/// The input that stands for a plan, as nearly as there is one.
pub fn write(plan: &Plan) -> Vec<u8> {
    let power = |size: u64| (size / 512).max(1).ilog2().min(3).to_le_bytes()[0];
    let entropy = &plan.settings.entropy[..plan.settings.entropy.len().min(5)];
    let mut input = vec![
        power(plan.settings.wal_reserve) | power(plan.settings.max_segment) << 2,
        entropy.len().to_le_bytes()[0],
    ];
    input.extend(entropy.iter().map(number));
    plan.ops.iter().for_each(|op| write_op(op, &mut input));
    input
}

fn byte(source: &mut Unstructured<'_>) -> u8 {
    source.arbitrary().unwrap_or_default()
}

fn collection(source: &mut Unstructured<'_>) -> Collection {
    Collection(byte(source) % COLLECTIONS)
}

fn id(source: &mut Unstructured<'_>) -> Id {
    Id::nth(byte(source) % IDS)
}

/// An end of a range: open, or at an identity.
fn bound(source: &mut Unstructured<'_>) -> Option<Id> {
    let n = byte(source) % (IDS + 1);
    (n < IDS).then(|| Id::nth(n))
}

/// The number of an identity in [`Id::nth`].
fn number(id: &Id) -> u8 {
    id.0[15].wrapping_mul(4).wrapping_add(id.0[0])
}

fn op(source: &mut Unstructured<'_>, tag: usize) -> Op {
    match byte(source) % 24 {
        0 => Op::CreateCollection { collection: collection(source) },
        1 => Op::Begin,
        2 => Op::Commit,
        3 => Op::Abort,
        5 => Op::Insert { collection: collection(source), payload: payload(source, tag) },
        6 => Op::Delete { collection: collection(source), id: id(source) },
        7 => Op::Get { collection: collection(source), id: id(source) },
        8 => {
            let collection = collection(source);
            Op::GetMany { collection, ids: (0..byte(source) % 4).map(|_| id(source)).collect() }
        }
        9 => Op::Scan { collection: collection(source) },
        10 => Op::Snapshot { slot: byte(source) % SLOTS },
        11 => Op::SnapshotGet {
            slot: byte(source) % SLOTS,
            collection: collection(source),
            id: id(source),
        },
        12 => Op::SnapshotScan { slot: byte(source) % SLOTS, collection: collection(source) },
        13 => Op::SnapshotRelease { slot: byte(source) % SLOTS },
        14 => Op::Checkpoint,
        15 => Op::Compact,
        16 => Op::Reopen,
        17 => Op::ScanRange {
            collection: collection(source),
            from: bound(source),
            to: bound(source),
            descending: byte(source) % 2 == 1,
        },
        18 => Op::CompactStep,
        19 => Op::Scrub,
        _ => Op::Put {
            collection: collection(source),
            id: id(source),
            payload: payload(source, tag),
        },
    }
}

fn payload(source: &mut Unstructured<'_>, tag: usize) -> Payload {
    let kind = byte(source);
    // Tags make contents unique; plans are short.
    let tag = u32::try_from(tag).unwrap_or(u32::MAX);
    let size = match kind {
        RAW.. => {
            let (bytes, canonical) = RAWS[usize::from(kind - RAW)];
            return Payload::Raw { bytes: bytes.into(), canonical };
        }
        PAGE.. => 4100 + u32::from(kind - PAGE) * 150,
        SECTOR.. => 480 + u32::from(kind - SECTOR) * 20,
        _ => kind.into(),
    };
    Payload::Entity { tag, size }
}

fn within(collection: Collection) -> u8 {
    collection.0 % COLLECTIONS
}

fn write_op(op: &Op, input: &mut Vec<u8>) {
    match op {
        Op::CreateCollection { collection } => input.extend([0, within(*collection)]),
        Op::Begin => input.push(1),
        Op::Commit => input.push(2),
        Op::Abort => input.push(3),
        Op::Put { collection, id, payload } => {
            input.extend([4, within(*collection), number(id), kind(payload)]);
        }
        Op::Insert { collection, payload } => input.extend([5, within(*collection), kind(payload)]),
        Op::Delete { collection, id } => input.extend([6, within(*collection), number(id)]),
        Op::Get { collection, id } => input.extend([7, within(*collection), number(id)]),
        Op::GetMany { collection, ids } => {
            let ids = &ids[..ids.len().min(3)];
            input.extend([8, within(*collection), ids.len().to_le_bytes()[0]]);
            input.extend(ids.iter().map(number));
        }
        Op::Scan { collection } => input.extend([9, within(*collection)]),
        Op::Snapshot { slot } => input.extend([10, *slot]),
        Op::SnapshotGet { slot, collection, id } => {
            input.extend([11, *slot, within(*collection), number(id)]);
        }
        Op::SnapshotScan { slot, collection } => input.extend([12, *slot, within(*collection)]),
        Op::SnapshotRelease { slot } => input.extend([13, *slot]),
        Op::Checkpoint => input.push(14),
        Op::Compact => input.push(15),
        Op::Reopen => input.push(16),
        Op::ScanRange { collection, from, to, descending } => {
            let [from, to] = [from, to].map(|id| id.as_ref().map_or(IDS, number));
            input.extend([17, within(*collection), from, to, u8::from(*descending)]);
        }
        Op::CompactStep => input.push(18),
        Op::Scrub => input.push(19),
    }
}

/// The byte that stands for a content of about this length.
fn kind(payload: &Payload) -> u8 {
    match payload {
        Payload::Entity { size, .. } => match size {
            0..200 => size.to_le_bytes()[0],
            200..1280 => SECTOR + (size.saturating_sub(480) / 20).to_le_bytes()[0].min(39),
            _ => PAGE + (size.saturating_sub(4100) / 150).to_le_bytes()[0].min(9),
        },
        Payload::Raw { bytes, .. } => {
            let at = RAWS.iter().position(|(raw, _)| raw == bytes).unwrap_or(0);
            RAW + at.to_le_bytes()[0]
        }
    }
}
