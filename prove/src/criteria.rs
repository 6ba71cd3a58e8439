//! The nineteen criteria as data: what each states, which claims it consists of, how each claim is
//! measured, what it needs from a subject, and whether the measurement exists today.
//!
//! `docs/criteria.md` is generated from this data ([`page::page`]); a test keeps the two equal.

mod measured;
pub mod page;
mod planned;
#[cfg(test)]
mod tests;

use proofhouse_model::{About, Kept};

/// One of the nineteen criteria.
#[derive(Debug)]
pub struct Criterion {
    /// `AC-01` … `AC-19`.
    pub id: &'static str,
    /// A few words for a table row.
    pub title: &'static str,
    /// The criterion in one sentence.
    pub statement: &'static str,
    /// What usually breaks it, and where to look first.
    pub advice: &'static str,
    /// What it consists of, measured claims first.
    pub claims: &'static [Claim],
}

/// One claim of a criterion: what is measured as a whole, or not at all.
#[derive(Debug)]
pub struct Claim {
    /// The criterion's id, a dot, and a name: `AC-02.kill-boundaries`.
    pub id: &'static str,
    /// What is claimed.
    pub text: &'static str,
    /// How it is measured.
    pub method: &'static str,
    /// What it asks of a subject, beyond being one.
    pub needs: &'static [Need],
    /// Whether the measurement exists.
    pub status: Status,
}

/// Whether a claim can be measured today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is measured.
    Exists,
    /// It waits for the named work.
    Planned(&'static str),
}

/// What a claim asks of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Multi-operation transactions.
    Transactions,
    /// Snapshots that outlive later commits.
    Snapshots,
    /// Several clients at once.
    Clients,
    /// An explicit compaction.
    Compaction,
    /// Identities of the engine's choosing.
    Insert,
    /// Dense commit sequence numbers.
    Sequences,
    /// A promise of atomic transactions.
    Atomicity,
    /// A promise of what is kept through a process kill, however little of it.
    KillPromise,
    /// A promise of what is kept through a power loss, however little of it.
    PowerPromise,
    /// A promise that what an open has shown counts as acknowledged if a kill follows.
    ShownKillPromise,
    /// A promise that what an open has shown counts as acknowledged if a power loss follows.
    ShownPowerPromise,
    /// The subject is `EntiDB`: the claim is about it and no other engine.
    EntiDb,
}

/// Why a need is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// The subject cannot do it.
    Capability,
    /// The subject never promised it.
    Promise,
}

impl Need {
    /// The need in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Snapshots => "snapshots",
            Self::Clients => "several clients",
            Self::Compaction => "compaction",
            Self::Insert => "engine-chosen identities",
            Self::Sequences => "commit sequence numbers",
            Self::Atomicity => "the promise of atomic transactions",
            Self::KillPromise => "a promise for process kills",
            Self::PowerPromise => "a promise for power losses",
            Self::ShownKillPromise => "the promise to keep what an open has shown through a kill",
            Self::ShownPowerPromise => {
                "the promise to keep what an open has shown through a power loss"
            }
            Self::EntiDb => "EntiDB",
        }
    }

    /// Whether a subject meets this need, and in which sense it does not.
    pub fn unmet_by(self, about: &About) -> Option<Unmet> {
        let (can, promises) = (about.capabilities, about.promises);
        let (met, otherwise) = match self {
            Self::Transactions => (can.transactions, Unmet::Capability),
            Self::Snapshots => (can.snapshots, Unmet::Capability),
            Self::Clients => (can.clients, Unmet::Capability),
            Self::Compaction => (can.compaction, Unmet::Capability),
            Self::Insert => (can.insert, Unmet::Capability),
            Self::Sequences => (can.sequences, Unmet::Capability),
            Self::Atomicity => (promises.atomic, Unmet::Promise),
            Self::KillPromise => (promises.after_kill != Kept::Nothing, Unmet::Promise),
            Self::PowerPromise => (promises.after_power_loss != Kept::Nothing, Unmet::Promise),
            Self::ShownKillPromise => (promises.shown_after_kill, Unmet::Promise),
            Self::ShownPowerPromise => (promises.shown_after_power_loss, Unmet::Promise),
            Self::EntiDb => (about.is_entidb, Unmet::Promise),
        };
        (!met).then_some(otherwise)
    }
}

impl Criterion {
    /// The claims whose measurement exists today.
    pub fn existing(&self) -> impl Iterator<Item = &'static Claim> {
        self.claims.iter().filter(|claim| claim.status == Status::Exists)
    }
}

impl Claim {
    /// The id of the criterion it belongs to.
    pub fn criterion(&self) -> &'static str {
        criterion_of(self.id)
    }
}

/// All nineteen, in order.
pub static ALL: [&Criterion; 19] = [
    &measured::DETERMINISM,
    &measured::CRASH_SAFETY,
    &measured::NO_PARTIAL_STATE,
    &measured::DURABILITY,
    &measured::STORAGE_INDEPENDENCE,
    &measured::SNAPSHOTS,
    &measured::COMMIT_ORDER,
    &measured::IDENTITY,
    &measured::COLLECTION_ISOLATION,
    &planned::INDEXES,
    &planned::SCANS,
    &measured::CANONICAL_CBOR,
    &planned::FEED,
    &planned::SYNC,
    &planned::BINDINGS,
    &planned::NO_QUERIES,
    &planned::WEB,
    &planned::BYTE_STORE,
    &planned::NOTHING_FORBIDDEN,
];

/// The criterion with this id.
pub fn find(id: &str) -> Option<&'static Criterion> {
    ALL.iter().copied().find(|criterion| criterion.id == id)
}

/// The claim with this id.
pub fn claim(id: &str) -> Option<&'static Claim> {
    find(criterion_of(id))?.claims.iter().find(|claim| claim.id == id)
}

/// The id of a claim that there is. (Spelt as a reference, serde would want to borrow it.)
pub type ClaimId = &'static str;

/// Reads the id of a claim that there is.
pub(crate) fn claim_id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ClaimId, D::Error> {
    let id: String = serde::Deserialize::deserialize(from)?;
    let found = claim(&id).map(|claim| claim.id);
    found.ok_or_else(|| serde::de::Error::custom(format!("no claim {id:?}")))
}

/// The criterion part of a claim's id.
pub fn criterion_of(claim: &str) -> &str {
    claim.split_once('.').map_or(claim, |(criterion, _)| criterion)
}
