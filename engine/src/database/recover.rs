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
use crate::fetch::{fetch, fetch_one};
use crate::ids::Key;
use crate::memtable::{Newest, Version};
use crate::options::Options;
use crate::storage::Storage;
use crate::wal::{self, Wal, Write};

use super::core::{Published, Writer};

pub(super) fn recover(
    storage: &dyn Storage,
    options: &Options,
    writer: &mut Writer,
    published: &mut Published,
) -> Result<Option<Wal>> {
    let mut log = Recovered::default();
    let catalog = Arc::clone(&published.catalog);
    let known = |id| catalog.contains(id);
    let mut last = published.sequence;
    for generation in &writer.manifest.trailer.wals {
        last = wal::scan(storage, *generation, last, &known, &mut |sequence, writes| {
            log.push(sequence, writes);
        })?;
    }
    log.order.sort_unstable();
    // Without a number for a WAL there is none, and no commit; but all that is there shows.
    let live = writer.has_wal_number();
    let prepared = writer.prepare_checkpoint(storage, options, [&log], last, live)?;
    writer.install(storage, prepared, published)
}

/// How far ahead of the version that is sealed memory is asked for: in key order it is anywhere.
const AHEAD: usize = 8;

/// What the WALs hold. It is read once, in key order: to sort it once costs less than to keep it
/// sorted on the way, as a memtable does.
#[derive(Default)]
struct Recovered {
    /// In the order of their commits.
    versions: Vec<Version>,
    /// Every write's key, and which of the versions is its.
    order: Vec<(Key, usize)>,
}

impl Recovered {
    fn push(&mut self, sequence: u64, writes: Vec<Write>) {
        for (key, content) in writes {
            self.order.push((key, self.versions.len()));
            self.versions.push(Version { sequence, content });
        }
    }
}

impl Newest for Recovered {
    fn try_for_each_newest<E>(
        &self,
        mut each: impl FnMut(&Key, &Version) -> Result<(), E>,
    ) -> Result<(), E> {
        let version = |at: usize| self.order.get(at).map(|(_, version)| &self.versions[*version]);
        for (at, (key, own)) in self.order.iter().enumerate() {
            if let Some(version) = version(at + 2 * AHEAD) {
                fetch_one(version);
            }
            if let Some(Version { content: Some(content), .. }) = version(at + AHEAD) {
                fetch(content, 0);
            }
            if self.order.get(at + 1).is_none_or(|(next, _)| next != key) {
                each(key, &self.versions[*own])?;
            }
        }
        Ok(())
    }
}
