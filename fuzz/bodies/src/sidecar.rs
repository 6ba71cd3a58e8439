//! `sidecar_bytes`: the derived file beside a segment, which must never change what is read.

use std::ops::Bound;
use std::sync::OnceLock;

use bytes::Bytes;
use entidb_engine::format::manifest::{Manifest, SegmentInfo};
use entidb_engine::format::names;
use entidb_engine::format::sidecar::{Damaged, Sidecar};
use entidb_engine::storage::MemStorage;
use entidb_engine::{CollectionId, Database, EntityId, Error, ErrorClass, OpenMode};

use crate::store::{self, Files};
use crate::{Broken, Checked, Under, flagged, reseal};

#[cfg(test)]
mod tests;

/// First byte: every block gets the CRC it needs, as only this engine itself could give it.
pub const FORGE: u8 = 1;
/// First byte: the store is opened for writing and scrubbed, too.
pub const SCRUB: u8 = 2;

const BLOCK: usize = 256;
/// Two blocks of slots, and more than one fence.
const ENTITIES: u8 = 40;
const COLLECTION: CollectionId = CollectionId::new(1);
/// What a glance looks up: three that are there and one that is not.
const LOOKED_UP: [u8; 4] = [0, 38, 39, 78];

/// A store with one segment.
pub struct Fixture {
    files: Files,
    /// What the segment holds, in order.
    entities: Vec<(EntityId, Bytes)>,
    /// What MANIFEST says of the segment.
    info: SegmentInfo,
    /// What each block's CRC continues from: the CRC of the segment's digest.
    seed: u32,
    /// What the genuine sidecar leads to.
    leads: Leads,
}

/// What a sidecar leads to, as far as it verifies: under each id of [`LOOKED_UP`], and at each fence.
#[derive(Debug, PartialEq)]
struct Leads {
    entities: Vec<Led>,
    fences: Vec<Result<u32, Damaged>>,
}

type Led = Result<Vec<u32>, Damaged>;

/// The store that every input's sidecar is put into.
///
/// # Errors
/// The engine could not make it.
pub fn fixture() -> Result<&'static Fixture, Broken> {
    static FIXTURE: OnceLock<Result<Fixture, Broken>> = OnceLock::new();
    let make = || {
        let files = filled().map_err(|error| Broken(format!("no fixture: {error}")))?;
        Fixture::of(files).ok_or_else(|| Broken("no fixture: no segment with a sidecar".to_owned()))
    };
    FIXTURE.get_or_init(make).as_ref().map_err(Broken::clone)
}

impl Fixture {
    /// With what these files hold; `None` unless they are a store with one segment.
    fn of(files: Files) -> Option<Self> {
        let manifest = Manifest::decode(files.get(names::MANIFEST)?).ok()?;
        let segments = manifest.trailer.segments;
        let info = *segments.get(&1).filter(|_| segments.len() == 1)?;
        let genuine = files.get(&names::sidecar_path(1))?.clone();
        let leads = Leads::of(&Sidecar::decode(genuine.into(), &info)?);
        Some(Self {
            files,
            entities: entities().collect(),
            info,
            seed: reseal::crc(&info.digest),
            leads,
        })
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

/// The files of a store with [`ENTITIES`] entities, all in one segment.
fn filled() -> Result<Files, Error> {
    let storage = MemStorage::new();
    let db = store::open(&storage, OpenMode::Create)?;
    let collection = db.create_collection("c")?;
    let mut txn = db.begin()?;
    for (id, content) in entities() {
        txn.put(collection, id, content)?;
    }
    txn.commit()?;
    db.close()?;
    Ok(storage.dump())
}

/// What the segment holds, in order.
fn entities() -> impl Iterator<Item = (EntityId, Bytes)> {
    (0..ENTITIES).filter_map(|n| Some((id(2 * n), content(2 * n)?)))
}

/// What is under the n-th id: something under every second one.
fn content(n: u8) -> Option<Bytes> {
    (n.is_multiple_of(2) && n < 2 * ENTITIES).then(|| Bytes::from(vec![0x18, 24 + n / 2]))
}

/// Ids of two bytes.
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
    let asked = asked(input, fixture);
    let forged = fixture.is_forged(&asked);
    let scrub = flagged(input).0 & SCRUB != 0;
    let storage = fixture.with(read(asked, under, fixture));
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

/// What most inputs get: the sidecar alone. As far as it verifies it leads where the genuine one
/// does, and all of it verifies exactly if it is that one. Whether a block was forged, which excuses it,
/// is only asked where it differs.
///
/// # Errors
/// What is broken.
pub fn glance(input: &[u8], under: Under) -> Checked {
    let fixture = fixture()?;
    let asked = asked(input, fixture);
    let found = read(asked.clone(), under, fixture);
    led(&asked, found, fixture)
}

/// Whether what was `found` in the place of the sidecar `asked` for leads where it should.
fn led(asked: &[u8], found: Vec<u8>, fixture: &Fixture) -> Checked {
    let is_genuine = asked == fixture.genuine();
    let Some(sidecar) = Sidecar::decode(found.into(), &fixture.info) else {
        require!(!is_genuine, "the genuine sidecar is taken for another's");
        return Ok(());
    };
    let whole = sidecar.check().is_ok();
    let found = Leads::of(&sidecar);
    let sound = if is_genuine {
        whole && found == fixture.leads
    } else {
        !whole && found.is_part_of(&fixture.leads)
    };
    require!(
        sound || !is_genuine && fixture.is_forged(asked),
        "leads to {found:?}, verifies as a whole: {whole}; due {:?}",
        fixture.leads
    );
    Ok(())
}

impl Leads {
    fn of(sidecar: &Sidecar) -> Self {
        let led = |n| sidecar.offsets(COLLECTION, id(n)).collect();
        let fences = (0..sidecar.fences()).map(|at| sidecar.fence(at)).collect();
        Self { entities: LOOKED_UP.map(led).to_vec(), fences }
    }

    /// Whether all that verifies is so in the other, too.
    fn is_part_of(&self, whole: &Self) -> bool {
        fn all<T: PartialEq>(part: &[Result<T, Damaged>], whole: &[Result<T, Damaged>]) -> bool {
            part.len() == whole.len()
                && part.iter().zip(whole).all(|(one, due)| one.is_err() || one == due)
        }
        all(&self.entities, &whole.entities) && all(&self.fences, &whole.fences)
    }
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
fn read(asked: Vec<u8>, under: Under, fixture: &Fixture) -> Vec<u8> {
    let mut sidecar = asked;
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
        let due = content(n);
        let got = db.get(COLLECTION, id(n)).map_err(told)?;
        require!(got == due, "{}: got {got:?}, due {due:?}", id(n));
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
