//! `directory_open`: any files at all, as a store's directory.

use entidb_engine::format::names;
use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, Error, ErrorClass, OpenMode, Verified};

use crate::store::{self, Files, Shown};
use crate::{Broken, Checked, Under, flagged, reseal};

/// First byte: MANIFEST, logs and segments get the checksums they need.
pub const RESEAL: u8 = 1;

/// Names by one byte; any higher byte is followed by a name of the input's own.
const NAMES: [&str; 14] = [
    "MANIFEST",
    "MANIFEST.tmp",
    "LOCK",
    "wal.log",
    "wal-000001.log",
    "wal-000002.log",
    "wal-000003.log",
    "SEGMENTS/seg-000001.dat",
    "SEGMENTS/seg-000002.dat",
    "SEGMENTS/seg-000003.dat",
    "INDEX/seg-000001.idx",
    "INDEX/seg-000002.idx",
    "INDEX/seg-000003.idx",
    "SEGMENTS",
];

/// The input that stands for these files: for each a name's byte, the length as u16, the content.
pub fn pack(flags: u8, files: &Files) -> Vec<u8> {
    let mut input = vec![flags];
    for (name, content) in files {
        let known = NAMES.iter().position(|known| known == name);
        if let Some(byte) = known.and_then(|at| u8::try_from(at).ok()) {
            input.push(byte);
        } else {
            input.push(u8::MAX);
            push(&mut input, name.as_bytes());
        }
        push(&mut input, content);
    }
    input
}

fn push(input: &mut Vec<u8>, bytes: &[u8]) {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    input.extend(len.to_le_bytes());
    input.extend(&bytes[..usize::from(len)]);
}

/// The files of an input, which may end anywhere.
pub fn unpack(mut rest: &[u8]) -> Files {
    let mut files = Files::new();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let name = match NAMES.get(usize::from(*byte)) {
            Some(name) => (*name).to_owned(),
            None => String::from_utf8_lossy(pull(&mut rest)).into_owned(),
        };
        let content = pull(&mut rest).to_vec();
        files.insert(name, content);
    }
    files
}

fn pull<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let len = rest.first_chunk().copied().map_or(0, u16::from_le_bytes);
    let after = rest.get(2..).unwrap_or_default();
    let (taken, left) = after.split_at(usize::from(len).min(after.len()));
    *rest = left;
    taken
}

/// `directory_open`: a byte of flags, then files. Invariants:
/// - an open succeeds or says what is wrong: damaged, foreign, newer, or in the way;
/// - a refused open changes nothing that the next one would say;
/// - what verifies can be read, by every way alike: `verify` is never laxer than a read;
/// - a second open shows the same, and so does one after a clean close, which may be read-only.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let (flags, rest) = flagged(input);
    let mut files = unpack(rest);
    if flags & RESEAL != 0 {
        for (name, content) in &mut files {
            reseal_file(name, content);
        }
    }
    let storage = MemStorage::restore(&files);
    let db = match store::open(&storage, OpenMode::Create) {
        Ok(db) => db,
        Err(error) => return refused_again(&storage, &error),
    };
    let shown = sound(&db, under)?;
    drop(db);
    let db = reopen(&storage, OpenMode::Existing)?;
    let again = sound(&db, under)?;
    require!(again == shown, "a second open shows {again:?} after {shown:?}");
    if shown.is_none() {
        return Ok(());
    }
    db.close().map_err(|error| Broken(format!("shown, but not closed: {error}")))?;
    let closed = sound(&reopen(&storage, OpenMode::ReadOnly)?, under)?;
    require!(closed == shown, "after a close {closed:?} shows, {shown:?} before");
    Ok(())
}

fn refused_again(storage: &MemStorage, error: &Error) -> Checked {
    let known = [ErrorClass::Corrupt, ErrorClass::Foreign, ErrorClass::NewerVersion];
    // A file where a directory is needed, and the other way round, is the medium's to report.
    let known = known.contains(&error.class()) || error.class() == ErrorClass::Io;
    // Numbers that are used up are told as such.
    require!(known || error.class() == ErrorClass::Invalid, "refused as {error}");
    match store::open(storage, OpenMode::Create) {
        Err(again) => {
            require!(again.class() == error.class(), "refused as {error}, then as {again}");
            Ok(())
        }
        Ok(_) => Err(Broken(format!("opens after it was refused as {error}"))),
    }
}

fn reopen(storage: &MemStorage, mode: OpenMode) -> Result<Database, Broken> {
    store::open(storage, mode).map_err(|error| Broken(format!("opened once, then {error}")))
}

/// What a store shows; `None` if reading it meets damage, which `verify` must report, too.
fn sound(db: &Database, under: Under) -> Result<Option<Shown>, Broken> {
    let verified = match under {
        Under::Sound => db.verify(),
        // A verification that looks at nothing.
        Under::Planted => Ok(Verified { segments: 0, records: 0, wal_commits: 0 }),
    };
    match (store::read_all(db)?, verified) {
        (Ok(shown), _) => Ok(Some(shown)),
        (Err(error), Err(_)) if error.class() == ErrorClass::Corrupt => Ok(None),
        (Err(error), verified) => Err(Broken(format!("{error}, and yet {verified:?}"))),
    }
}

fn reseal_file(name: &str, content: &mut [u8]) {
    if name == names::MANIFEST {
        reseal::whole(content);
    } else if name.starts_with("wal-") {
        reseal::log(content, None);
    } else if name.starts_with("SEGMENTS/") {
        reseal::segment(content);
    }
}
