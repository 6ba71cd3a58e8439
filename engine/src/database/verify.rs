//! Verification: everything MANIFEST vouches for, read from the medium.

use crate::error::Result;
use crate::ids::CollectionId;
use crate::segment::Segment;
use crate::wal;

use super::core::Permit;
use super::open::read_manifest;

/// What [`crate::Database::verify`] read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Sealed segments.
    pub segments: usize,
    /// Records in them.
    pub records: usize,
    /// Commits in the live WAL.
    pub wal_commits: u64,
}

impl Permit {
    pub(super) fn verify(&self) -> Result<Verified> {
        let storage = &*self.core.storage;
        let manifest = read_manifest(storage)?;
        let last_checkpoint = manifest.last_checkpoint.unwrap_or(0);
        let mut verified = Verified { segments: 0, records: 0, wal_commits: 0 };
        for (id, info) in &manifest.trailer.segments {
            verified.records += Segment::open(storage, *id, info, last_checkpoint)?.records();
            verified.segments += 1;
        }
        let known = |id: CollectionId| manifest.collections.values().any(|known| *known == id);
        let mut last = last_checkpoint;
        for generation in &manifest.trailer.wals {
            last = wal::scan(storage, *generation, last, &known, &mut |_, _| {})?.last;
        }
        verified.wal_commits = last - last_checkpoint;
        Ok(verified)
    }
}
