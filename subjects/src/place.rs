//! Where a subject's store lives.

use std::path::Path;
use std::sync::Arc;

use entidb_engine::storage::{FileStorage, MemStorage, Storage};
use proofhouse_crash::SimDisk;
use proofhouse_model::{About, Refusal, Settings, Store, Subject};

use crate::kill::KillStorage;
use crate::sim::SimStorage;
use crate::watched::Watched;

/// A subject that does all its I/O through the storage seam; [`Placed`] opens it on every place
/// that can be one, so the same engine code runs on simulated and on real disks.
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

/// A subject that opens on a simulated disk, on real files and in memory.
#[derive(Clone)]
pub struct Placed(Arc<dyn OnStorage>);

impl Placed {
    /// Opens `subject` on places.
    pub fn new(subject: impl OnStorage + 'static) -> Self {
        Self(Arc::new(subject))
    }

    /// Who this is.
    pub fn about(&self) -> &About {
        self.0.about()
    }
}

macro_rules! place {
    ($place:ty, $storage:expr) => {
        impl Subject<$place> for Placed {
            fn about(&self) -> &About {
                self.0.about()
            }

            fn open(&self, place: &$place, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
                let storage: fn(&$place) -> Arc<dyn Storage> = $storage;
                self.0.open_on(storage(place), settings)
            }
        }
    };
}

place!(SimDisk, |disk| Arc::new(SimStorage::new(disk.clone())));
place!(Path, |path| Arc::new(FileStorage::new(path)));
place!(MemStorage, |memory| Arc::new(memory.clone()));
place!(Watched<MemStorage>, |watched| Arc::new(watched.clone()));
place!(KillStorage, |storage| Arc::new(storage.clone()));
