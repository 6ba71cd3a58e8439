//! `manifest_bytes`: the file that names everything else.

use entidb_engine::format::manifest::{Manifest, NoManifest};

use crate::{Checked, Under, flagged, reseal};

/// First byte: the CRC at the end is made right.
pub const RESEAL: u8 = 1;

/// `manifest_bytes`. Invariants:
/// - what is accepted encodes to the very bytes it was read from;
/// - its numbers are below those that come next, and it names at most two logs;
/// - its body alone is foreign: `EntiDB`'s own, to be adopted, not opened; of a newer minor version,
///   which has a CRC, it is damaged;
/// - damage is told within the file, a newer version is above the one known.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let (flags, bytes) = flagged(input);
    let mut bytes = bytes.to_vec();
    if flags & RESEAL != 0 {
        reseal::whole(&mut bytes);
    }
    let answer = match under {
        Under::Sound => Manifest::decode(&bytes),
        Under::Planted => unended(&bytes),
    };
    match answer {
        Ok(manifest) => {
            require!(manifest.encode() == bytes, "{manifest:?} encodes otherwise");
            let trailer = &manifest.trailer;
            let collections = manifest.collections.values();
            let below = collections.clone().all(|id| id.get() < manifest.next_collection_id)
                && manifest.indexes.keys().all(|id| *id < manifest.next_index_id)
                && trailer.segments.keys().all(|id| *id < trailer.next_segment_id)
                && trailer.wals.iter().all(|wal| *wal < trailer.next_generation);
            require!(below, "a number that is not below the next one: {manifest:?}");
            let ids: std::collections::BTreeSet<_> = collections.collect();
            require!(ids.len() == manifest.collections.len(), "a collection's number twice");
            require!(trailer.wals.len() <= 2, "more than two logs");
            let body = Manifest::decode(&manifest.encode_body());
            let due = match manifest.newer {
                None => body == Err(NoManifest::Foreign),
                Some(_) => matches!(body, Err(NoManifest::Corrupt { .. })),
            };
            require!(due, "the body alone is {body:?}");
        }
        Err(NoManifest::Corrupt { offset, what }) => {
            require!(offset <= bytes.len(), "{what} at {offset}, past the end");
        }
        Err(NoManifest::Newer { found, known, .. }) => {
            require!(found > known, "{found} is not newer than {known}");
        }
        Err(NoManifest::Foreign) => {
            require!(bytes.starts_with(b"EMFN"), "foreign without EntiDB's magic");
        }
    }
    Ok(())
}

/// The planted fault: a reader that ignores what follows the trailer.
fn unended(bytes: &[u8]) -> Result<Manifest, NoManifest> {
    let answer = Manifest::decode(bytes);
    let shorter = (1..=16).filter_map(|more| bytes.get(..bytes.len().checked_sub(more)?));
    let found = shorter.map(Manifest::decode).find(Result::is_ok);
    if answer.is_err() { found.unwrap_or(answer) } else { answer }
}
