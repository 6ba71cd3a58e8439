//! The subject: any embedded storage engine, opened on some place and driven by operations.

use serde::{Deserialize, Serialize};

use crate::op::Op;
use crate::outcome::{ErrorClass, Outcome};
use crate::plan::Settings;

/// What a subject can do. A plan uses only what its subject can do; a claim that needs more is
/// `NOT MEASURED` with reason *no capability*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent abilities, not states of a machine")]
pub struct Capabilities {
    /// Multi-operation write transactions with read-your-writes and abort.
    pub transactions: bool,
    /// Snapshots that outlive later commits.
    pub snapshots: bool,
    /// Several clients at once (from several threads).
    pub clients: bool,
    /// An explicit checkpoint.
    pub checkpoint: bool,
    /// An explicit compaction.
    pub compaction: bool,
    /// Reads of a range of identities, forwards and backwards.
    pub ranges: bool,
    /// A look at everything stored.
    pub scrub: bool,
    /// Engine-chosen identities from an injected entropy list.
    pub insert: bool,
    /// Dense commit sequence numbers in outcomes.
    pub sequences: bool,
    /// Payloads must be canonical CBOR; others are refused as `Invalid`.
    pub canonical_payloads: bool,
}

impl Capabilities {
    /// Everything there is.
    pub const ALL: Self = Self {
        transactions: true,
        snapshots: true,
        clients: true,
        checkpoint: true,
        compaction: true,
        ranges: true,
        scrub: true,
        insert: true,
        sequences: true,
        canonical_payloads: true,
    };

    /// Whether a subject with these capabilities can be asked `op`.
    pub fn offer(self, op: &Op) -> bool {
        match op {
            Op::Begin | Op::Commit | Op::Abort => self.transactions,
            Op::Snapshot { .. }
            | Op::SnapshotGet { .. }
            | Op::SnapshotScan { .. }
            | Op::SnapshotRelease { .. } => self.snapshots,
            Op::Insert { .. } => self.insert,
            Op::Checkpoint => self.checkpoint,
            Op::Compact | Op::CompactStep => self.compaction,
            Op::ScanRange { .. } => self.ranges,
            Op::Scrub => self.scrub,
            Op::CreateCollection { .. }
            | Op::Put { .. }
            | Op::Delete { .. }
            | Op::Get { .. }
            | Op::GetMany { .. }
            | Op::Scan { .. }
            | Op::Reopen => true,
        }
    }
}

/// How much of what was acknowledged a subject promises to keep, from less to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing is promised.
    Nothing,
    /// An ordered prefix of the acknowledged commits.
    Prefix,
    /// Everything up to the last explicit sync.
    UpToSync,
    /// Everything acknowledged.
    AllAcknowledged,
}

impl Kept {
    /// How many of the `acknowledged` events must be there, if the last sync covered `synced` of
    /// them; `None` if nothing is promised, so that no state can be wrong.
    pub fn floor(self, acknowledged: u64, synced: u64) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Prefix => Some(0),
            Self::UpToSync => Some(synced.min(acknowledged)),
            Self::AllAcknowledged => Some(acknowledged),
        }
    }
}

/// What a subject promises of each acknowledged event, per kind of crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// After the process was killed.
    pub after_kill: Kept,
    /// After power was lost.
    pub after_power_loss: Kept,
    /// Transactions are all or nothing.
    pub atomic: bool,
    /// What an open has shown counts as acknowledged if the process is killed then.
    pub shown_after_kill: bool,
    /// What an open has shown counts as acknowledged if power is lost then.
    pub shown_after_power_loss: bool,
}

/// Who a subject is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name by which a command line selects it.
    pub name: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it promises.
    pub promises: Promises,
    /// Whether claims about EntiDB itself (dependencies, CBOR) apply.
    pub is_entidb: bool,
}

/// Why a store could not be opened or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{class}: {message}")]
pub struct Refusal {
    /// The class, for judging.
    pub class: ErrorClass,
    /// The engine's own words, for people; never compared.
    pub message: String,
}

/// An engine that can be opened on places of type `P` (a simulated disk, a directory).
pub trait Subject<P: ?Sized>: Send + Sync {
    /// Who this is.
    fn about(&self) -> &About;

    /// Opens the store at `place`, creating it if there is none. Draws for inserts start at the
    /// beginning of `settings.entropy`: who reopens passes [`Settings::after_draws`].
    ///
    /// # Errors
    /// A [`Refusal`]: under a legal crash state this is itself a finding.
    fn open(&self, place: &P, settings: &Settings) -> Result<Box<dyn Store>, Refusal>;
}

/// An open store.
pub trait Store: Send + Sync {
    /// A new client: its own transaction and snapshots.
    fn client(&self) -> Box<dyn Client + '_>;

    /// Closes cleanly. The clients are gone by then (they borrow the store).
    ///
    /// # Errors
    /// A [`Refusal`] if the close failed; what was acknowledged must survive all the same.
    fn close(self: Box<Self>) -> Result<(), Refusal>;
}

/// One client of an open store; used by one thread.
pub trait Client {
    /// Carries out one operation. [`Op::Reopen`] is not for clients: it answers
    /// `Failed(Unsupported)`, the runner closes and opens the store.
    fn apply(&mut self, op: &Op) -> Outcome;
}

#[cfg(test)]
mod tests;
