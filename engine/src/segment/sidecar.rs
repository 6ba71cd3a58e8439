//! Sidecars on the medium, beside their segments.

use std::io;
use std::sync::Arc;

use crate::format::manifest::SegmentInfo;
use crate::format::names;
use crate::format::sidecar::{BLOCK_LEN, Header, Sidecar};
use crate::storage::{File, Storage, SyncKind};

impl Sidecar {
    /// Opens the stored sidecar of a segment; `None` if there is none, or it is not this
    /// segment's, or the medium refuses it: a sidecar is never needed.
    pub(crate) fn open(storage: &dyn Storage, id: u64, info: &SegmentInfo) -> Option<Self> {
        let file = storage.open(&names::sidecar_path(id)).ok()?;
        let mut block = [0; BLOCK_LEN];
        file.read_at(0, &mut block).ok()?;
        let len = file.len().ok()?;
        let header = Header::of_file(&block, len, info)?;
        Some(Self::new(header, info, file.view(0..len).ok()?))
    }

    /// Writes and syncs a sidecar, in place of one that may be there, and answers the same one
    /// read from the medium. Its name is not synced yet.
    ///
    /// # Errors
    /// The medium's; what was written is removed.
    pub(super) fn store(&self, storage: &dyn Storage, id: u64) -> io::Result<Self> {
        let name = names::sidecar_path(id);
        let stored = create(storage, &name).and_then(|file| {
            file.write_at(0, self.data())?;
            file.sync(SyncKind::Data)?;
            file.view(0..self.data().len() as u64)
        });
        if stored.is_err() {
            // The error that matters is in `stored`; a file left behind does not verify.
            let _ = storage.remove(&name);
        }
        stored.map(|data| self.with_data(data))
    }
}

/// Creates a sidecar's file, whatever is there.
fn create(storage: &dyn Storage, name: &str) -> io::Result<Arc<dyn File>> {
    match storage.create(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => storage.create_dir(names::INDEX)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => storage.remove(name)?,
        created => return created,
    }
    storage.create(name)
}

/// Makes the names of new sidecars durable. If that fails, a power loss may take them, and the
/// next open makes them anew.
pub(crate) fn sync_sidecars(storage: &dyn Storage) {
    let _ = storage.sync_dir(names::INDEX);
}
