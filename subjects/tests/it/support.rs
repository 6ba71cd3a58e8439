//! A store whose commit `number` writes entity `number`, and the judge of what a crash leaves of it.

use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::{Database, EntityId, IdSource, Options};
use proofhouse_crash::{CrashState, Dedup, Profile, SimDisk, Tiers, Trace, enumerate};
use proofhouse_subjects::SimStorage;

/// No test here draws an identity.
struct NoIds;

impl IdSource for NoIds {
    fn next_id(&mut self) -> std::io::Result<EntityId> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

pub(crate) fn open(disk: &SimDisk) -> entidb_engine::Result<Database> {
    // Room for all: an extension would come before the write that a gate holds back.
    let options = Options { wal_reserve: 8192, max_segment: 4096, ..Options::default() };
    Database::open_with(Arc::new(SimStorage::new(disk.clone())), Box::new(NoIds), options)
}

pub(crate) fn id(number: u8) -> EntityId {
    EntityId::new([number; 16])
}

/// The content of commit `number`: long enough that records cross sectors.
pub(crate) fn content(number: u8) -> Bytes {
    let mut content = vec![0x59, 1, 44];
    content.resize(303, number);
    content.into()
}

/// What is wrong with what a crash has left; the first so many commits, whole, are right.
fn judge(state: &CrashState) -> Result<(), String> {
    let db = open(&SimDisk::from_state(state)).map_err(|error| error.to_string())?;
    let users = db.collection("users").ok_or("the collection is lost")?;
    let shown: Vec<_> = db.scan(users).unwrap().map(Result::unwrap).collect();
    let count = db.sequence();
    let due: Vec<_> = (1..=u8::try_from(count).unwrap()).map(|n| (id(n), content(n))).collect();
    if shown != due {
        return Err(format!("not the first {count} commits"));
    }
    if count < state.acked || count > state.issued {
        let CrashState { acked, issued, .. } = state;
        return Err(format!("{count} commits of {acked} acknowledged and {issued} issued"));
    }
    Ok(())
}

/// How many states were judged, and the first that is wrong.
pub(crate) fn first_wrong(trace: &Trace) -> (usize, Option<String>) {
    let mut seen = Dedup::default();
    let mut judged = 0;
    for state in enumerate(trace, Profile::Posix, Tiers::ALL) {
        if seen.insert(&state) {
            judged += 1;
            if let Err(wrong) = judge(&state) {
                return (judged, Some(format!("{}: {wrong}", trace.explain(&state.choice))));
            }
        }
    }
    (judged, None)
}
