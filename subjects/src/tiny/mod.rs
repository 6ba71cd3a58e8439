//! A tiny store: the smallest thing that keeps every promise a subject can make, with a switch
//! for each way to break one.
//!
//! One log file of checksummed records. A commit is one append and one sync, then it is visible.
//! A checkpoint, a compaction, and every open, writes the whole store into a new log and renames it into place.
//! Everything is in memory; a snapshot is a clone.

mod client;
mod data;
mod flaws;
mod log;
mod record;
mod store;

use std::sync::Arc;

use entidb_engine::storage::{PARENT, ROOT, Storage};
use proofhouse_model::{About, Capabilities, Kept, Promises, Refusal, Settings, Store};

pub use flaws::Flaws;

use crate::place::OnStorage;
use data::Data;
use log::{Log, refusal};
use store::TinyStore;

/// The tiny store as a subject.
#[derive(Debug, Clone)]
pub struct Tiny {
    about: About,
    flaws: Flaws,
}

impl Tiny {
    /// Without any flaw.
    pub fn sound() -> Self {
        Self::flawed("tiny", Flaws::NONE)
    }

    /// With some flaws. The promises stay the same: that is what makes them flaws.
    pub fn flawed(name: &str, flaws: Flaws) -> Self {
        let about = About {
            name: name.to_owned(),
            capabilities: Capabilities {
                canonical_payloads: false,
                scrub: false,
                ..Capabilities::ALL
            },
            promises: Promises {
                after_kill: Kept::AllAcknowledged,
                after_power_loss: Kept::AllAcknowledged,
                atomic: true,
                shown_after_kill: true,
                shown_after_power_loss: true,
            },
            is_entidb: false,
        };
        Self { about, flaws }
    }
}

impl OnStorage for Tiny {
    fn about(&self) -> &About {
        &self.about
    }

    fn open_on(
        &self,
        storage: Arc<dyn Storage>,
        settings: &Settings,
    ) -> Result<Box<dyn Store>, Refusal> {
        let prepare = || {
            storage.create_dir(ROOT)?;
            storage.sync_dir(PARENT)?;
            storage.lock("LOCK")
        };
        let lock = prepare().map_err(|error| refusal(&error))?;
        let mut data = Data::default();
        let log = Log::open(storage, self.flaws, &mut data)?;
        Ok(Box::new(TinyStore::new(log, lock, data, self.flaws, settings)))
    }
}

#[cfg(test)]
mod tests;
