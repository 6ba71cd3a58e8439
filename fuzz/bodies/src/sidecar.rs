//! `sidecar_bytes`: the derived file beside a segment, which must never change what is read.

use std::ops::Bound;
use std::sync::OnceLock;

use bytes::Bytes;
use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::names;
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Error, ErrorClass, OpenMode};

use crate::store::{self, Files};
use crate::{Broken, Checked, Under, flagged, reseal};

/// First byte: every block gets the CRC it needs, as only this engine itself could give it.
pub const FORGE: u8 = 1;
/// First byte: the store is opened for writing and scrubbed, too.
pub const SCRUB: u8 = 2;

const BLOCK: usize = 256;
/// Two blocks of slots, and more than one fence.
const ENTITIES: u8 = 40;
const COLLECTION: CollectionId = CollectionId::new(1);

/// A store with one segment.
pub struct Fixture {
    files: Files,
    /// What the segment holds, in order.
    entities: Vec<(EntityId, Bytes)>,
    /// What each block's CRC continues from: the CRC of the segment's digest.
    seed: u32,
}

/// The store that every input's sidecar is put into.
///
/// # Errors
/// The engine could not make it.
pub fn fixture() -> Result<&'static Fixture, Broken> {
    static FIXTURE: OnceLock<Result<Fixture, Broken>> = OnceLock::new();
    FIXTURE
        .get_or_init(|| Fixture::make().map_err(|error| Broken(format!("no fixture: {error}"))))
        .as_ref()
        .map_err(Broken::clone)
}

impl Fixture {
    fn make() -> Result<Self, Error> {
        let storage = MemStorage::new();
        let db = store::open(&storage, OpenMode::Create)?;
        let collection = db.create_collection("c")?;
        let mut txn = db.begin()?;
        let mut entities = Vec::new();
        for n in 0..ENTITIES {
            let content = Bytes::from(vec![0x18, 24 + n]);
            txn.put(collection, id(2 * n), content.clone())?;
            entities.push((id(2 * n), content));
        }
        txn.commit()?;
        db.close()?;
        let files = storage.dump();
        let manifest = files.get(names::MANIFEST).and_then(|it| Manifest::decode(it).ok());
        let segments = manifest.map(|manifest| manifest.trailer.segments).unwrap_or_default();
        let seed = segments.get(&1).map_or(0, |info| reseal::crc(&info.digest));
        Ok(Self { files, entities, seed })
    }

    /// The store as the engine left it.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The sidecar that the engine made.
    pub fn genuine(&self) -> &[u8] {
        self.files.get(&names::sidecar_path(1)).map_or(&[], Vec::as_slice)
    }

    /// The store with this sidecar in the place of the genuine one.
    fn with(&self, sidecar: Vec<u8>) -> MemStorage {
        let mut files = self.files.clone();
        files.insert(names::sidecar_path(1), sidecar);
        MemStorage::restore(&files)
    }

    /// What is under the n-th id.
    fn content(&self, n: u8) -> Option<&Bytes> {
        let found = self.entities.get(usize::from(n / 2)).filter(|_| n.is_multiple_of(2));
        found.map(|(_, content)| content)
    }

    fn sum(&self, number: usize, covered: &[u8]) -> [u8; 4] {
        // A sidecar of an input has few blocks.
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let mut hasher = crc32fast::Hasher::new_with_initial(self.seed ^ number);
        hasher.update(covered);
        hasher.finalize().to_le_bytes()
    }

    fn forge(&self, sidecar: &mut [u8]) {
        for (number, block) in sidecar.chunks_exact_mut(BLOCK).enumerate() {
            let sum = self.sum(number, &block[..BLOCK - 4]);
            block[BLOCK - 4..].copy_from_slice(&sum);
        }
    }

    /// Whether a block verifies that the engine never made.
    fn is_forged(&self, sidecar: &[u8]) -> bool {
        let blocks = sidecar.chunks_exact(BLOCK).zip(self.genuine().chunks_exact(BLOCK));
        blocks.enumerate().any(|(number, (block, genuine))| {
            block != genuine && self.sum(number, &block[..BLOCK - 4]) == block[BLOCK - 4..]
        })
    }
}

/// Ids of two bytes: every second one is there.
fn id(n: u8) -> EntityId {
    let mut bytes = [0; 16];
    bytes[0] = n / 16;
    bytes[15] = n % 16;
    EntityId::new(bytes)
}

/// `sidecar_bytes`: a byte of flags, then a sidecar. Invariants:
/// - no damage to a sidecar changes any answer: of what is there, of what is not, of walks both
///   ways, of ranges; the store opens and verifies;
/// - after a scrub the genuine sidecar is on the medium, byte for byte;
/// - even a forged one, with right checksums, makes no read show a content that is not there.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let fixture = fixture()?;
    let forged = fixture.is_forged(&asked(input, fixture));
    let scrub = flagged(input).0 & SCRUB != 0;
    let storage = fixture.with(read(input, under, fixture));
    let mode = if scrub { OpenMode::Existing } else { OpenMode::ReadOnly };
    match store::open(&storage, mode) {
        Err(error) if forged => corrupt(&error),
        Err(error) => refused(&error),
        Ok(db) if forged => plausible(&db, fixture),
        Ok(db) => {
            exact(&db, fixture)?;
            if scrub {
                mended(&db, &storage, fixture)?;
            }
            Ok(())
        }
    }
}

/// What most inputs get: a few answers of the store, which opens. Whether a block was forged, which
/// excuses it, is only asked where an answer is wrong.
///
/// # Errors
/// What is broken.
pub fn glance(input: &[u8], under: Under) -> Checked {
    let fixture = fixture()?;
    let is_forged = || fixture.is_forged(&asked(input, fixture));
    let db = match store::open(&fixture.with(read(input, under, fixture)), OpenMode::ReadOnly) {
        Err(error) if is_forged() => return corrupt(&error),
        Err(error) => return refused(&error),
        Ok(db) => db,
    };
    for n in [0, 39, 78] {
        let due = fixture.content(n);
        match db.get(COLLECTION, id(n)) {
            Ok(got) if got.as_ref() == due => {}
            Ok(got) => {
                let hidden = got.is_none() && is_forged();
                require!(hidden, "{}: got {got:?}, due {due:?}", id(n));
            }
            Err(error) if is_forged() => corrupt(&error)?,
            Err(error) => return Err(told(&error)),
        }
    }
    Ok(())
}

/// The sidecar that an input is.
fn asked(input: &[u8], fixture: &Fixture) -> Vec<u8> {
    let (flags, bytes) = flagged(input);
    let mut sidecar = bytes.to_vec();
    if flags & FORGE != 0 {
        fixture.forge(&mut sidecar);
    }
    sidecar
}

/// The sidecar that is read: the one asked for, unless the fault is planted of a reader that does not
/// look at the checksums.
fn read(input: &[u8], under: Under, fixture: &Fixture) -> Vec<u8> {
    let mut sidecar = asked(input, fixture);
    if under == Under::Planted {
        fixture.forge(&mut sidecar);
    }
    sidecar
}

fn refused(error: &Error) -> Checked {
    Err(Broken(format!("a sidecar keeps a store from opening: {error}")))
}

fn told(error: &Error) -> Broken {
    Broken(format!("a damaged sidecar shows: {error}"))
}

/// Every answer is as if there were no sidecar.
fn exact(db: &Database, fixture: &Fixture) -> Checked {
    let told = |error: Error| told(&error);
    for n in 0..2 * ENTITIES {
        let due = fixture.content(n);
        let got = db.get(COLLECTION, id(n)).map_err(told)?;
        require!(got.as_ref() == due, "{}: got {got:?}, due {due:?}", id(n));
    }
    let forwards = walk(db.scan(COLLECTION).map_err(told)?).map_err(told)?;
    require!(forwards == fixture.entities, "a scan shows {forwards:?}");
    let mut backwards = walk(db.scan(COLLECTION).map_err(told)?.rev()).map_err(told)?;
    backwards.reverse();
    require!(backwards == fixture.entities, "a scan backwards shows {backwards:?}");
    for low in [0, 17, 50, 79] {
        let range = (Bound::Excluded(id(low)), Bound::Included(id(low + 20)));
        let found = walk(db.scan_range(COLLECTION, range).map_err(told)?).map_err(told)?;
        let inside = |(at, _): &&(EntityId, Bytes)| *at > id(low) && *at <= id(low + 20);
        let due: Vec<_> = fixture.entities.iter().filter(inside).cloned().collect();
        require!(found == due, "from {} on: {found:?}, due {due:?}", id(low));
    }
    let verified = db.verify();
    require!(verified.is_ok(), "{verified:?}");
    Ok(())
}

fn walk(
    scan: impl Iterator<Item = Result<(EntityId, Bytes), Error>>,
) -> Result<Vec<(EntityId, Bytes)>, Error> {
    scan.collect()
}

/// Whatever is shown is there; an error says that something is corrupt.
fn plausible(db: &Database, fixture: &Fixture) -> Checked {
    for n in 0..2 * ENTITIES {
        match db.get(COLLECTION, id(n)) {
            Ok(Some(got)) => {
                require!(fixture.entities.contains(&(id(n), got.clone())), "{}: {got:?}", id(n));
            }
            Ok(None) => {}
            Err(error) => corrupt(&error)?,
        }
    }
    let scan = db.scan(COLLECTION).map_err(|error| Broken(error.to_string()))?;
    for item in scan {
        match item {
            Ok(found) => require!(fixture.entities.contains(&found), "a scan shows {found:?}"),
            Err(error) => return corrupt(&error),
        }
    }
    Ok(())
}

fn corrupt(error: &Error) -> Checked {
    require!(error.class() == ErrorClass::Corrupt, "refused as {error}");
    Ok(())
}

fn mended(db: &Database, storage: &MemStorage, fixture: &Fixture) -> Checked {
    let mut scrub = db.scrub().map_err(|error| Broken(error.to_string()))?;
    while scrub.step(1 << 20).map_err(|error| Broken(error.to_string()))? {}
    let files = storage.dump();
    let found = files.get(&names::sidecar_path(1));
    require!(found.map(Vec::as_slice) == Some(fixture.genuine()), "a scrub left {found:x?}");
    exact(db, fixture)
}
