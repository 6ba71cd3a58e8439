//! Publication: MANIFEST is the only switch.

use std::io;

use crate::error::{Error, IoContext, Result};
use crate::format::manifest::{LEN_MAX, Manifest};
use crate::format::names::{MANIFEST, MANIFEST_TMP};
use crate::storage::{ROOT, Storage, SyncKind};

/// Writes and syncs the next MANIFEST beside the current one. Until [`switch`], nothing happened.
///
/// # Errors
/// `TooLarge` if no open would read it; the medium's. The temporary file is abandoned.
pub(super) fn prepare(storage: &dyn Storage, next: &Manifest) -> Result<()> {
    let bytes = next.encode();
    debug_assert_eq!(Manifest::decode(&bytes).as_ref(), Ok(next), "what is named can be read");
    if bytes.len() > LEN_MAX {
        let (len, limit) = (bytes.len() as u64, LEN_MAX as u64);
        return Err(Error::TooLarge { what: "MANIFEST", len, limit });
    }
    match storage.remove(MANIFEST_TMP) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        removed => removed.at("remove", MANIFEST_TMP)?,
    }
    let file = storage.create(MANIFEST_TMP).at("create", MANIFEST_TMP)?;
    file.write_at(0, &bytes).at("write", MANIFEST_TMP)?;
    file.sync(SyncKind::Full).at("sync", MANIFEST_TMP)
}

/// Makes the prepared MANIFEST the current one, durably.
///
/// # Errors
/// The medium's; which MANIFEST is current is unknown then.
pub(super) fn switch(storage: &dyn Storage) -> Result<()> {
    storage.rename(MANIFEST_TMP, MANIFEST).at("rename to MANIFEST", MANIFEST_TMP)?;
    storage.sync_dir(ROOT).at("sync directory", ROOT)
}
