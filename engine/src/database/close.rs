//! Clean close.

use std::sync::Arc;

use crate::error::{IoContext, Result};
use crate::format::names::SEGMENTS;
use crate::storage::ROOT;

use super::core::{Core, Permit};
use super::files;

pub(super) fn close(core: &Arc<Core>) -> Result<()> {
    let _alone = core.maintaining()?;
    let permit = Core::admission(core)?;
    core.abandon_compaction();
    let closed = core.health.require_writable().and_then(|()| permit.settle());
    core.health.close();
    core.log.close();
    // The lock goes last: nobody else may open before the directory is at rest.
    *core.lock.lock() = None;
    closed
}

impl Permit {
    /// Leaves a store that needs no recovery: no WAL, no unlisted file, everything synced.
    fn settle(&self) -> Result<()> {
        let core = &*self.core;
        if !core.log.is_begun() {
            return Ok(());
        }
        self.seal_all()?;
        let storage = &*core.storage;
        files::sweep(storage, &core.writer.lock().manifest)?;
        storage.sync_dir(SEGMENTS).at("sync directory", SEGMENTS)?;
        storage.sync_dir(ROOT).at("sync directory", ROOT)
    }
}
