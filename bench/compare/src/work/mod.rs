//! The workloads.

pub mod commits;
pub mod kill;
pub mod load;
pub mod memory;
pub mod reads;
pub mod space;
pub mod sync_calls;
pub mod ycsb;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::results::Row;
use crate::store::{Peer, Result, Store};

/// What every workload is told.
pub struct Setting {
    /// Entities in a loaded store.
    pub entities: u64,
    /// Rounds, each of one turn of every peer.
    pub rounds: usize,
    /// How long a turn lasts.
    pub turn: Duration,
    /// Decides what is read and written, and in which order.
    pub seed: u64,
    /// Where stores are.
    pub dir: PathBuf,
    /// Who is measured.
    pub peers: Vec<&'static Peer>,
}

/// A loaded store, open.
pub struct Loaded {
    /// Whose it is.
    pub peer: &'static Peer,
    /// The open store.
    pub store: Box<dyn Store>,
}

impl Setting {
    /// Where a peer's store is in one part of the run.
    pub fn place(&self, part: &str, peer: &Peer) -> PathBuf {
        self.dir.join(part).join(peer.name)
    }

    /// The peers, each round another one first, so that none is always the one after another.
    pub fn turns(&self) -> impl Iterator<Item = usize> + use<> {
        self.turns_of(self.rounds)
    }

    /// As [`Setting::turns`], of so many rounds.
    pub fn turns_of(&self, rounds: usize) -> impl Iterator<Item = usize> + use<> {
        let peers = self.peers.len();
        (0..rounds).flat_map(move |round| (0..peers).map(move |at| (round + at) % peers))
    }
}

/// Opens a store in a directory that is made for it.
///
/// # Errors
/// The peer's; those of the file system.
pub fn open(peer: &Peer, path: &Path) -> Result<Box<dyn Store>> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    (peer.open)(path).map_err(|error| format!("{}: {error}", peer.name).into())
}

/// Says on standard error what is going on.
pub fn say(what: &str) {
    eprintln!("compare: {what}");
}

/// Rows as workloads make them.
pub type Rows = Vec<Row>;
