//! `wal_bytes`: the log, and what is torn or corrupt about it.

use std::sync::OnceLock;

use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::names;
use entidb_engine::format::wal::{Body, Stamp, decode, encode};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Error, ErrorClass, OpenMode};

use crate::log::{self, Log};
use crate::store::{self, Files, Shown};
use crate::{Broken, Checked, Under, flagged, reseal};

/// First byte: every record gets the CRC it needs.
pub const RESEAL: u8 = 1;
/// First byte: and the stamp of this log and its own place.
pub const STAMP: u8 = 2;
/// First byte: what a recovery of the log zeroed at its end leaves is opened once more.
pub const TWICE: u8 = 4;

/// The log that the input is: its number, the commit before it, and the collections there are.
/// Those of most vectors.
pub const GENERATION: u32 = 3;
/// See [`GENERATION`].
pub const CUT: u64 = 2;
/// See [`GENERATION`].
pub const COLLECTIONS: [u32; 2] = [1, 2];

/// `wal_bytes`: two bytes of flags and cut, then a log. Invariants:
/// - a second reader, written from the format document, takes the same for torn, for corrupt and
///   for committed: the store shows exactly the complete commits;
/// - an accepted log whose end is zeroed at any place after the first record is never corrupt, and
///   shows a prefix of its commits (unless it quotes records of its own, which none does that the
///   engine wrote);
/// - recovery keeps what it showed: a second open shows the same, and both verify.
///
/// Opens take most of the time: each recovers, and writes a segment, a log and MANIFEST. What the
/// log itself leaves is always opened again; what it leaves with its end zeroed, which would be an
/// input of its own, is opened again if [`TWICE`] asks for it.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let (flags, _) = flagged(input);
    let (mut file, cut) = asked(input);
    let Some(log) = judge(&file, under, true)? else { return Ok(()) };
    if log::count(&file, GENERATION) != log::chained(&file, GENERATION) {
        return Ok(());
    }
    let from = log.begins + (log.broken_at - log.begins) * usize::from(cut) / 255;
    file[from..].fill(0);
    match judge(&file, under, flags & TWICE != 0)? {
        Some(shorter) => require!(
            log.commits.starts_with(&shorter.commits),
            "zeroed from {from}, other commits show"
        ),
        None => require!(false, "zeroed from {from}, it is corrupt"),
    }
    Ok(())
}

/// What most inputs get: each record from the first on is read and written again, until there is
/// none. Whatever was taken for a record is told in the very bytes it was read from. No transaction is
/// looked at, so the fault planted here is another: a reader that believes whatever a record says.
///
/// # Errors
/// What is broken.
pub fn records(input: &[u8], under: Under) -> Checked {
    let (file, _) = asked(input);
    let mut read = file.clone();
    if under == Under::Planted {
        reseal::log(&mut read, None);
    }
    let mut at = 0;
    while let Ok((record, len)) = decode(&read[at..]) {
        let mut again = Vec::with_capacity(len);
        encode(&record.body, record.stamp.as_ref(), &mut again);
        require!(file.get(at..at + len) == Some(&again), "{record:x?} is told otherwise");
        at += len;
    }
    Ok(())
}

/// The log that an input is, and where its end is zeroed, of 255 parts of it.
fn asked(input: &[u8]) -> (Vec<u8>, u8) {
    let (flags, rest) = flagged(input);
    let (cut, bytes) = flagged(rest);
    let mut file = bytes.to_vec();
    if flags & (RESEAL | STAMP) != 0 {
        reseal::log(&mut file, (flags & STAMP != 0).then_some(GENERATION));
    }
    (file, cut)
}

/// Compares the engine's verdict with the second reader's; `None` if both say corrupt. With
/// `twice`, what a recovery leaves is opened once more.
fn judge(file: &[u8], under: Under, twice: bool) -> Result<Option<Log>, Broken> {
    let due = log::read(file, GENERATION, CUT, &COLLECTIONS);
    let storage = place(match (under, &due) {
        (Under::Planted, Ok(log)) => completed(file, log),
        _ => file.to_vec(),
    });
    match (recover(&storage)?, due) {
        (Err(error), Err(_)) if error.class() == ErrorClass::Corrupt => Ok(None),
        (Ok(shown), Ok(log)) => {
            let (last, entities) = (log.last(CUT), log.entities(log.commits.len()));
            require!(shown.sequence == last, "shows {} where {last} is due", shown.sequence);
            require!(shown.entities == entities, "shows {:?} for {entities:?}", shown.entities);
            if twice {
                let again = recover(&storage)?;
                let again = again.map_err(|error| Broken(format!("again: {error}")))?;
                require!(again == shown, "a second open shows {again:?} after {shown:?}");
            }
            Ok(Some(log))
        }
        (got, due) => Err(Broken(format!("the engine says {got:?}, {due:?} is due"))),
    }
}

/// A store whose one log this is.
fn place(file: Vec<u8>) -> MemStorage {
    static MANIFEST: OnceLock<Vec<u8>> = OnceLock::new();
    let manifest = MANIFEST.get_or_init(|| {
        let mut manifest = Manifest::default();
        for id in COLLECTIONS {
            manifest.collections.insert(format!("c{id}"), CollectionId::new(id));
            manifest.next_collection_id = id + 1;
        }
        manifest.last_checkpoint = Some(CUT);
        manifest.trailer.wals = vec![GENERATION];
        manifest.trailer.next_generation = GENERATION + 1;
        manifest.encode()
    });
    MemStorage::restore(&Files::from([
        (names::MANIFEST.to_owned(), manifest.clone()),
        (names::wal(GENERATION), file),
    ]))
}

/// Opens the store and reads and verifies everything; leaves it without a close.
fn recover(storage: &MemStorage) -> Result<Result<Shown, Error>, Broken> {
    let db = match store::open(storage, OpenMode::Existing) {
        Ok(db) => db,
        Err(error) => return Ok(Err(error)),
    };
    let verified = db.verify();
    require!(verified.is_ok(), "recovered, and yet {verified:?}");
    store::read_all(&db)
}

/// The planted fault: a scan that takes a torn transaction for a whole one.
fn completed(file: &[u8], log: &Log) -> Vec<u8> {
    let mut file = file.to_vec();
    if let Some((writes, synced_to)) = &log.open
        && !writes.is_empty()
    {
        let (txid, offset) = (log.last(CUT) + 1, log.broken_at as u64);
        let stamp = Stamp { generation: GENERATION, offset, synced_to: *synced_to };
        let mut record = Vec::new();
        encode(&Body::Commit { txid, sequence: txid }, Some(&stamp), &mut record);
        let end = log.broken_at + record.len();
        file.resize(file.len().max(end), 0);
        file[log.broken_at..end].copy_from_slice(&record);
    }
    file
}
