//! Where a subject's store lives.

use std::path::Path;
use std::sync::Arc;

use entidb_engine::storage::{FileStorage, MemStorage, Storage};
use proofhouse_crash::SimDisk;
use proofhouse_model::{About, Refusal, Settings, Store, Subject};

use crate::kill::KillStorage;
use crate::sim::SimStorage;

/// A subject that does all its I/O through the storage seam. It is a [`Subject`] on every place
/// that can be one: the same engine code runs on simulated and on real disks.
pub trait OnStorage: Send + Sync {
    /// Who this is.
    fn about(&self) -> &About;

    /// Opens the store on `storage`, creating it if there is none.
    ///
    /// # Errors
    /// As [`Subject::open`].
    fn open_on(
        &self,
        storage: Arc<dyn Storage>,
        settings: &Settings,
    ) -> Result<Box<dyn Store>, Refusal>;
}

macro_rules! subject_on {
    ($place:ty, $storage:expr) => {
        impl<S: OnStorage> Subject<$place> for S {
            fn about(&self) -> &About {
                OnStorage::about(self)
            }

            fn open(&self, place: &$place, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
                let storage: fn(&$place) -> Arc<dyn Storage> = $storage;
                self.open_on(storage(place), settings)
            }
        }
    };
}

subject_on!(SimDisk, |disk| Arc::new(SimStorage::new(disk.clone())));
subject_on!(Path, |path| Arc::new(FileStorage::new(path)));
subject_on!(MemStorage, |memory| Arc::new(memory.clone()));
subject_on!(KillStorage, |storage| Arc::new(storage.clone()));
