//! Recovery after an unclean end, which is a checkpoint.
//!
//! What was read from the WAL may be cached bytes that a failed sync has marked clean, so syncing
//! the WAL again would prove nothing. The accepted commits are written anew, into a segment, and
//! MANIFEST is published with a fresh WAL before anything is shown: what an open has shown is
//! acknowledged from then on.

use std::sync::Arc;

use crate::error::{IoContext, Result};
use crate::memtable::Memtable;
use crate::options::Options;
use crate::storage::{ROOT, Storage};
use crate::wal;

use super::core::{Published, Writer};

pub(super) fn recover(
    storage: &dyn Storage,
    options: &Options,
    writer: &mut Writer,
    published: &mut Published,
) -> Result<()> {
    // The MANIFEST read here may be a rename that the last life never synced. If power loss took
    // it back after a segment was created, an older MANIFEST would stand beside a newer segment.
    storage.sync_dir(ROOT).at("sync directory", ROOT)?;
    let memtable = Memtable::default();
    let catalog = Arc::clone(&published.catalog);
    let known = |id| catalog.contains(id);
    let mut last = published.sequence;
    for generation in &writer.manifest.trailer.wals {
        last = wal::scan(storage, *generation, last, &known, &mut |sequence, writes| {
            memtable.apply(sequence, writes, &[]);
        })?;
    }
    let prepared = writer.prepare_checkpoint(storage, options, &memtable, last, true)?;
    writer.install(storage, prepared, published)
}
