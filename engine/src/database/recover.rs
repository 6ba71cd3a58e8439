//! Recovery after an unclean end, which is a checkpoint.
//!
//! What was read from the WAL may be cached bytes that a failed sync has marked clean, so syncing
//! the WAL again would prove nothing. The accepted commits are written anew, into a segment, and
//! MANIFEST is published with a fresh WAL before anything is shown: what an open has shown is
//! acknowledged from then on.
//!
//! The MANIFEST that recovery reads may itself be a rename which the life before never synced. It
//! does no harm if power loss takes it back: commits enter a WAL only after the directory sync of
//! the MANIFEST that names it returned, so there is either nothing to recover, or the older
//! MANIFEST names a live WAL too.

use std::sync::Arc;

use crate::error::Result;
use crate::memtable::{Memtable, Version};
use crate::options::Options;
use crate::storage::Storage;
use crate::wal::{self, Wal};

use super::core::{Published, Writer};

pub(super) fn recover(
    storage: &dyn Storage,
    options: &Options,
    writer: &mut Writer,
    published: &mut Published,
) -> Result<Option<Wal>> {
    let mut log = Vec::new();
    let catalog = Arc::clone(&published.catalog);
    let known = |id| catalog.contains(id);
    let mut last = published.sequence;
    for generation in &writer.manifest.trailer.wals {
        last = wal::scan(storage, *generation, last, &known, &mut |sequence, writes| {
            log.extend(
                writes.into_iter().map(|(key, content)| (key, Version { sequence, content })),
            );
        })?;
    }
    let memtable = Memtable::replay(log);
    let prepared = writer.prepare_checkpoint(storage, options, [&memtable], last, true)?;
    writer.install(storage, prepared, published)
}
