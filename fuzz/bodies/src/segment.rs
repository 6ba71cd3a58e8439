//! `segment_bytes`: sealed records, and what MANIFEST says of them.

use std::collections::BTreeMap;

use entidb_engine::format::manifest::{Manifest, SegmentInfo};
use entidb_engine::format::names;
use entidb_engine::format::segment::{decode, encode};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, EntityId, Error, ErrorClass, OpenMode};
use sha2::{Digest, Sha256};

use crate::store::{self, Files};
use crate::{Broken, Checked, Under, flagged, reseal};

/// First byte: every record gets the CRC it needs.
pub const RESEAL: u8 = 1;
/// First byte: MANIFEST lists another digest.
pub const FOREIGN_DIGEST: u8 = 2;
/// First byte: MANIFEST lists another number of records.
pub const MISCOUNTED: u8 = 4;

/// The last commit in segments: that of most vectors.
pub const LAST_CHECKPOINT: u64 = 9;

/// Collections that MANIFEST lists; records of others are not shown.
const COLLECTIONS: [u32; 3] = [1, 2, 3];

type Entities = BTreeMap<(u32, [u8; 16]), Option<Vec<u8>>>;

/// `segment_bytes`. Invariants:
/// - a segment verifies exactly if a second reader, written from the format document, finds every
///   record sound, in order, of a commit in range, and all of them as MANIFEST lists them;
/// - what verifies shows exactly these entities, by each way of reading;
/// - what does not is refused by `verify` as corrupt, and no read of it shows anything but a
///   record that is there.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let (flags, _) = flagged(input);
    let mut file = asked(input);
    let due = second_reader(&file).filter(|_| flags & (FOREIGN_DIGEST | MISCOUNTED) == 0);
    if under == Under::Planted {
        // A reader that believes whatever a record says.
        reseal::segment(&mut file);
    }
    let info = listed(&file, flags);
    let possible = info.records > 0 && info.len >= info.records.saturating_mul(37);
    let storage = place(file.clone(), info);
    let db = match store::open(&storage, OpenMode::ReadOnly) {
        Ok(db) => db,
        Err(error) => {
            require!(error.class() == ErrorClass::Corrupt, "refused as {error}");
            require!(!possible || due.is_none(), "refused, though sound: {error}");
            return Ok(());
        }
    };
    let shown = store::read_all(&db)?;
    match (db.verify(), due) {
        (Ok(verified), Some(due)) => {
            require!(verified.records == due.len() as u64, "{verified:?} of {}", due.len());
            let shown = shown.map_err(|error| Broken(format!("sound, and yet {error}")))?;
            let listed = |(key, content): (&(u32, [u8; 16]), &Option<Vec<u8>>)| {
                content.clone().filter(|_| COLLECTIONS.contains(&key.0)).map(|it| (*key, it))
            };
            let due: BTreeMap<_, _> = due.iter().filter_map(listed).collect();
            require!(shown.entities == due, "shows {:?} for {due:?}", shown.entities);
        }
        (Err(error), None) => {
            require!(error.class() == ErrorClass::Corrupt, "refused as {error}");
            shows_records_only(&db, &file)?;
        }
        (got, due) => return Err(Broken(format!("verifies as {got:?}, due is {due:?}"))),
    }
    Ok(())
}

/// What most inputs get: each record from the first on is read and written again, until there is
/// none. Whatever was taken for a record is told in the very bytes it was read from.
///
/// # Errors
/// What is broken.
pub fn records(input: &[u8], under: Under) -> Checked {
    let file = asked(input);
    let mut read = file.clone();
    if under == Under::Planted {
        // A reader that believes whatever a record says.
        reseal::segment(&mut read);
    }
    let mut at = 0;
    while let Ok((record, len)) = decode(&read[at..]) {
        let mut again = Vec::with_capacity(len);
        encode(&record, &mut again);
        require!(file.get(at..at + len) == Some(&again), "{record:x?} is told otherwise");
        at += len;
    }
    Ok(())
}

/// The segment that an input is.
fn asked(input: &[u8]) -> Vec<u8> {
    let (flags, bytes) = flagged(input);
    let mut file = bytes.to_vec();
    if flags & RESEAL != 0 {
        reseal::segment(&mut file);
    }
    file
}

/// What a damaged segment still shows stands in a sound record of it.
fn shows_records_only(db: &entidb_engine::Database, file: &[u8]) -> Checked {
    let records = reseal::segment_records(file);
    for &(start, end) in records.iter().take(32) {
        let record = &file[start..end];
        let (Some((collection, entity)), content) = (key(record), &record[33..record.len() - 4])
        else {
            continue;
        };
        let id = CollectionId::new(collection);
        let got: Result<_, Error> = db.get(id, EntityId::new(entity));
        if let Ok(Some(got)) = got {
            let sound = |(start, end): &(usize, usize)| {
                let record = &file[*start..*end];
                is_sound(record)
                    && key(record) == Some((collection, entity))
                    && record[33..record.len() - 4] == got[..]
            };
            require!(records.iter().any(sound), "{entity:x?}: {got:x?}, the file has {content:x?}");
        }
    }
    Ok(())
}

fn key(record: &[u8]) -> Option<(u32, [u8; 16])> {
    let collection = record.get(4..)?.first_chunk().copied().map(u32::from_le_bytes)?;
    Some((collection, *record.get(8..)?.first_chunk()?))
}

fn is_sound(record: &[u8]) -> bool {
    let (covered, sum) = record.split_at(record.len() - 4);
    reseal::crc(covered).to_le_bytes() == sum
}

/// The records by `docs/format.md` §3, if all is well with them.
fn second_reader(file: &[u8]) -> Option<Entities> {
    let records = reseal::segment_records(file);
    if records.last().map(|(_, end)| *end) != Some(file.len()) {
        return None;
    }
    let mut entities = Entities::new();
    for (start, end) in records {
        let record = &file[start..end];
        let (key, payload) = (key(record)?, &record[33..record.len() - 4]);
        let sequence = record[25..].first_chunk().copied().map(u64::from_le_bytes)?;
        let content = match record[24] {
            0 => Some(payload.to_vec()),
            1 if payload.is_empty() => None,
            _ => return None,
        };
        let ascends = entities.last_key_value().is_none_or(|(last, _)| *last < key);
        if !is_sound(record) || !ascends || !(1..=LAST_CHECKPOINT).contains(&sequence) {
            return None;
        }
        entities.insert(key, content);
    }
    Some(entities)
}

/// What MANIFEST says of the file.
fn listed(file: &[u8], flags: u8) -> SegmentInfo {
    let records = reseal::segment_records(file);
    let mut digest = Sha256::new();
    for (_, end) in &records {
        digest.update(&file[end - 4..*end]);
    }
    let mut info = SegmentInfo {
        len: file.len() as u64,
        records: records.len() as u64,
        digest: digest.finalize().into(),
    };
    if flags & FOREIGN_DIGEST != 0 {
        info.digest[0] ^= 1;
    }
    if flags & MISCOUNTED != 0 {
        info.records += 1;
    }
    info
}

fn place(file: Vec<u8>, info: SegmentInfo) -> MemStorage {
    let mut manifest = Manifest::default();
    for id in COLLECTIONS {
        manifest.collections.insert(format!("c{id}"), CollectionId::new(id));
        manifest.next_collection_id = id + 1;
    }
    manifest.last_checkpoint = Some(LAST_CHECKPOINT);
    manifest.trailer.segments.insert(1, info);
    manifest.trailer.next_segment_id = 2;
    MemStorage::restore(&Files::from([
        (names::MANIFEST.to_owned(), manifest.encode()),
        (names::segment_path(1), file),
    ]))
}
