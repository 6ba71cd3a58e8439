//! Verification: everything MANIFEST vouches for, read from the medium.

use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::names;
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
    pub records: u64,
    /// Commits in the live WAL.
    pub wal_commits: u64,
}

impl Permit {
    pub(super) fn verify(&self) -> Result<Verified> {
        self.core.health.require_writable()?;
        self.core.flush()?;
        let storage = &*self.core.storage;
        let manifest = read_manifest(storage)?;
        if manifest != self.core.writer.lock().manifest {
            let what = "a valid MANIFEST, but not the one this handle works with";
            return Err(Error::corrupt(names::MANIFEST, 0_u64, what));
        }
        let last_checkpoint = manifest.last_checkpoint.unwrap_or(0);
        let mut verified = Verified { segments: 0, records: 0, wal_commits: 0 };
        for (id, info) in &manifest.trailer.segments {
            verified.records += Segment::open(storage, &manifest, *id, info)?.verify()?;
            verified.segments += 1;
        }
        let catalog = self.core.catalog();
        let known = |id| catalog.contains(id);
        let mut last = last_checkpoint;
        for generation in &manifest.trailer.wals {
            last = wal::scan(storage, *generation, last, &known, &mut |_, _| {})?;
        }
        self.require_all_commits(&manifest, last)?;
        verified.wal_commits = last - last_checkpoint;
        Ok(verified)
    }

    /// A WAL whose last commits are damaged looks like one with a torn tail. This handle knows
    /// better: whatever it shows was synced.
    fn require_all_commits(&self, manifest: &Manifest, last: u64) -> Result<()> {
        let (_, shown) = self.core.current();
        if last == shown {
            return Ok(());
        }
        let file =
            manifest.trailer.wals.last().map_or(names::MANIFEST.into(), |wal| names::wal(*wal));
        let what = format!("holds commits up to {last} where {shown} was acknowledged");
        Err(Error::corrupt(file, 0_u64, what))
    }
}
