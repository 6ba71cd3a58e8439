//! Directories that nobody needs afterwards: gone when dropped, and when the process is told to end.
//!
//! Whoever ends the process by a signal calls `remove_all` before it does. From then on no new
//! directory can be made, and nothing may be concluded: what lost its files will fail. So whatever
//! writes results calls `halt_if_interrupted` first.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::{fs, thread};

use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;

/// Every directory there is.
static PLACES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A directory that is gone when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    dir: Option<TempDir>,
}

impl Scratch {
    /// A new one in the directory `below`; never, if the process was told to end.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn below(below: &Path) -> io::Result<Self> {
        halt_if_interrupted();
        let mut places = PLACES.lock();
        let dir = tempfile::Builder::new().prefix("proofhouse-").tempdir_in(below)?;
        let path = dir.path().to_path_buf();
        places.insert(path.clone());
        Ok(Self { path, dir: Some(dir) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // As long as it is there it is known.
        drop(self.dir.take());
        PLACES.lock().remove(&self.path);
    }
}

/// What is set in the moment in which the process is told to end.
pub(crate) fn interrupted() -> Arc<AtomicBool> {
    Arc::clone(&INTERRUPTED)
}

/// Stays here for ever if the process was told to end.
pub(crate) fn halt_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// Removes every directory there is. As long as the answer lives there will be no other.
pub(crate) fn remove_all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    let mut places = PLACES.lock();
    places.retain(|place| {
        // Fails where somebody still writes there.
        let removed = fs::remove_dir_all(place);
        removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
    });
    places
}

#[cfg(test)]
mod tests;
