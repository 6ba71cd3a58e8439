//! A record of a commit that MANIFEST does not know of yet, in a segment without a sidecar.
//!
//! Such a record is damage: reads refuse it. But recovery, and every checkpoint, publishes a MANIFEST
//! of a later commit, beside which the same record looks right. So the first open of a store that
//! had ended uncleanly refused to read it, `verify` of that very handle passed it, and the second
//! open showed it. Found by fuzzing `directory_open`. Now an open for writing refuses such a store
//! before it publishes anything, as it always did where a sidecar told of the record.

use entidb_engine::ErrorClass;
use entidb_engine::format::manifest::Manifest;
use entidb_engine::format::{names, segment};
use entidb_engine::storage::MemStorage;
use sha2::{Digest, Sha256};

use crate::support::{EXISTING, Files, crashed_store, is_sidecar, try_contents, try_open};

/// The first record of the first segment says that commit `sequence` wrote it, with all checksums
/// right.
fn rewritten(mut files: Files, sequence: u64) -> Files {
    let path = names::segment_path(1);
    let (old, mut new, mut digest) = (files[&path].clone(), Vec::new(), Sha256::new());
    let mut rest = &old[..];
    while let Ok((mut record, len)) = segment::decode(rest) {
        if new.is_empty() {
            record.sequence = sequence;
        }
        digest.update(segment::encode(&record, &mut new).to_le_bytes());
        rest = &rest[len..];
    }
    files.insert(path, new);
    let mut manifest = Manifest::decode(&files[names::MANIFEST]).unwrap();
    manifest.trailer.segments.get_mut(&1).unwrap().digest = digest.finalize().into();
    files.insert(names::MANIFEST.into(), manifest.encode());
    files.retain(|name, _| !is_sidecar(name));
    files
}

#[test]
fn recovery_does_not_make_a_record_of_a_later_commit_look_right() {
    let last = Manifest::decode(&crashed_store()[names::MANIFEST]).unwrap().last_checkpoint;
    let last = last.unwrap();
    let storage = MemStorage::restore(&rewritten(crashed_store(), last + 1));
    for attempt in 1..=2 {
        let refused = try_open(storage.clone(), EXISTING).err().map(|error| error.class());
        assert_eq!(refused, Some(ErrorClass::Corrupt), "attempt {attempt}");
    }
    let storage = MemStorage::restore(&rewritten(crashed_store(), last));
    let db = try_open(storage, EXISTING).unwrap();
    db.verify().unwrap();
    try_contents(&db).unwrap();
}
