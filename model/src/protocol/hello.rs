//! Who a driver says it is: what its engine can do, and what it promises to keep.

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::subject::{About, Capabilities, Kept, Promises};

/// A driver's answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version that the driver speaks.
    pub protocol: u32,
    /// What the engine is called in reports.
    pub name: String,
    /// What it can do. Never several clients: version 0 has one at a time.
    pub capabilities: Capabilities,
    /// What it promises to keep.
    pub promises: EventPromises,
}

impl Hello {
    /// What a subject in this process would say through the protocol.
    pub fn of(about: &About) -> Self {
        Self {
            protocol: VERSION,
            name: about.name.clone(),
            capabilities: Capabilities { clients: false, ..about.capabilities },
            promises: about.promises.into(),
        }
    }

    /// What the harness makes of it.
    pub fn about(&self) -> About {
        About {
            name: self.name.clone(),
            capabilities: self.capabilities,
            promises: self.promises.into(),
            is_entidb: false,
        }
    }
}

/// What is kept of the commits that were acknowledged when an event was, per event.
///
/// Fields that are not given promise nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventPromises {
    /// When a commit was acknowledged.
    pub commit: Keeps,
    /// When an explicit sync (a checkpoint) was acknowledged.
    pub sync: Keeps,
    /// When a clean close was acknowledged.
    pub close: Keeps,
    /// When an open has shown them, acknowledged before or not.
    pub open: Keeps,
    /// After a crash a transaction is there as a whole or not at all.
    pub atomic: bool,
    /// After a crash no commit is there without those before it.
    pub ordered: bool,
}

/// What is kept, per kind of crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keeps {
    /// After the process was killed.
    #[serde(with = "KeptName")]
    pub kill: Kept,
    /// After power was lost.
    #[serde(with = "KeptName")]
    pub power_loss: Kept,
}

impl Keeps {
    /// The same after both kinds of crash.
    pub const fn both(kept: Kept) -> Self {
        Self { kill: kept, power_loss: kept }
    }
}

impl Default for Keeps {
    fn default() -> Self {
        Self::both(Kept::Nothing)
    }
}

/// How [`Kept`] is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Kept", rename_all = "snake_case")]
enum KeptName {
    Nothing,
    Prefix,
    UpToSync,
    AllAcknowledged,
}

/// The promises by which verdicts are found: the most that follows for each kind of crash.
impl From<EventPromises> for Promises {
    fn from(events: EventPromises) -> Self {
        let EventPromises { commit, sync, open, atomic, ordered, .. } = events;
        Self {
            after_kill: judged(commit.kill, sync.kill, ordered),
            after_power_loss: judged(commit.power_loss, sync.power_loss, ordered),
            atomic,
            shown_after_kill: open.kill == Kept::AllAcknowledged,
            shown_after_power_loss: open.power_loss == Kept::AllAcknowledged,
        }
    }
}

/// Where a sync keeps all, a prefix reaches at least as far as the last one. Without order there
/// is no rule to judge what lies beyond a sync, so only keeping all acknowledged can be judged.
fn judged(commit: Kept, sync: Kept, ordered: bool) -> Kept {
    match commit {
        Kept::Prefix if sync == Kept::AllAcknowledged && ordered => Kept::UpToSync,
        Kept::Prefix | Kept::UpToSync if !ordered => Kept::Nothing,
        kept => kept,
    }
}

/// A subject's promises, said event by event. Clean closes are said to keep what syncs keep.
impl From<Promises> for EventPromises {
    fn from(promises: Promises) -> Self {
        let Promises {
            after_kill,
            after_power_loss,
            atomic,
            shown_after_kill,
            shown_after_power_loss,
        } = promises;
        let synced = |kept| match kept {
            Kept::UpToSync => Kept::AllAcknowledged,
            kept => kept,
        };
        let sync = Keeps { kill: synced(after_kill), power_loss: synced(after_power_loss) };
        let shown = |all| if all { Kept::AllAcknowledged } else { Kept::Nothing };
        let open =
            Keeps { kill: shown(shown_after_kill), power_loss: shown(shown_after_power_loss) };
        Self {
            commit: Keeps { kill: after_kill, power_loss: after_power_loss },
            sync,
            close: sync,
            open,
            atomic,
            ordered: true,
        }
    }
}

/// A capability's name; one that is not named is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Capability {
    Transactions,
    Snapshots,
    Checkpoint,
    Compaction,
    Ranges,
    Scrub,
    Insert,
    Sequences,
    CanonicalPayloads,
}

pub(super) fn names(capabilities: Capabilities) -> Vec<Capability> {
    let Capabilities {
        transactions,
        snapshots,
        clients: _,
        checkpoint,
        compaction,
        ranges,
        scrub,
        insert,
        sequences,
        canonical_payloads,
    } = capabilities;
    let all = [
        (transactions, Capability::Transactions),
        (snapshots, Capability::Snapshots),
        (checkpoint, Capability::Checkpoint),
        (compaction, Capability::Compaction),
        (ranges, Capability::Ranges),
        (scrub, Capability::Scrub),
        (insert, Capability::Insert),
        (sequences, Capability::Sequences),
        (canonical_payloads, Capability::CanonicalPayloads),
    ];
    all.into_iter().filter_map(|(has, name)| has.then_some(name)).collect()
}

pub(super) fn capabilities(names: &[Capability]) -> Capabilities {
    let has = |name| names.contains(&name);
    Capabilities {
        transactions: has(Capability::Transactions),
        snapshots: has(Capability::Snapshots),
        clients: false,
        checkpoint: has(Capability::Checkpoint),
        compaction: has(Capability::Compaction),
        ranges: has(Capability::Ranges),
        scrub: has(Capability::Scrub),
        insert: has(Capability::Insert),
        sequences: has(Capability::Sequences),
        canonical_payloads: has(Capability::CanonicalPayloads),
    }
}
