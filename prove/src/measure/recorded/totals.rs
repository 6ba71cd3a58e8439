//! What all recordings came to, as evidence for their claims.

use proofhouse_crash::{Counts, Tier, TierCounts};

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::measure::Measured;
use crate::recorded::explore::Explored;
use crate::verdict::{Evidence, Reason};

pub(super) const KILLS: &str = "AC-02.recorded-kills";
pub(super) const RECOVERY_KILLED: &str = "AC-02.recorded-recovery-killed";
pub(in crate::measure) const CREATION_KILLED: &str = "AC-02.recorded-creation";
pub(super) const ATOMIC: &str = "AC-03.recorded-atomic";
pub(super) const POWER: &str = "AC-04.recorded-power-loss";
pub(super) const EXT4: &str = "AC-04.recorded-ext4";
pub(super) const RECOVERY_POWER: &str = "AC-04.recorded-recovery-loses-power";
pub(super) const CREATION_POWER: &str = "AC-04.recorded-creation";

/// The rule by which most recoveries are not recorded.
const SAMPLED: &str = "recoveries judged but not recorded: every so many-th one is";

/// What all recordings came to.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) first: Explored,
    pub(super) ext4: Explored,
    pub(super) creation: Explored,
    pub(super) nested_kills: TierCounts,
    pub(super) nested_power: TierCounts,
    /// Recordings, and those of them that differ from the other one of the same plan.
    pub(super) recordings: u64,
    pub(super) unstable: u64,
    /// Recoveries that were left out by [`SAMPLED`].
    pub(super) unrecorded: u64,
    /// Kinds of failure that no fresh process showed again.
    pub(super) unconfirmed: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) stopped: Option<(Reason, String)>,
}

impl Totals {
    /// Adds what another run came to.
    pub(super) fn merge(&mut self, other: Self) {
        self.first.merge(other.first);
        self.ext4.merge(other.ext4);
        self.creation.merge(other.creation);
        self.nested_kills.merge(&other.nested_kills);
        self.nested_power.merge(&other.nested_power);
        self.recordings += other.recordings;
        self.unstable += other.unstable;
        self.unrecorded += other.unrecorded;
        self.unconfirmed += other.unconfirmed;
        self.findings.extend(other.findings);
        self.stopped = self.stopped.take().or(other.stopped);
    }

    /// `in_full`: whether recoveries were torn, too, and not only lost whole.
    pub(super) fn show(mut self, in_full: bool) -> Measured {
        if self.unconfirmed > 0 {
            let note = format!("{} kinds of failure not seen in a fresh process", self.unconfirmed);
            self.stopped.get_or_insert((Reason::Skipped, note));
        }
        let kill = |tier| tier == Tier::T0;
        let power = |tier| tier > Tier::T0 && tier < Tier::BadMedia;
        let first = |tiers: fn(Tier) -> bool| evidence(&self.first.counts, "recorded ", tiers);
        let creation = |tiers| evidence(&self.creation.counts, "recorded creation ", tiers);
        let nested = |counts| {
            let mut nested = evidence(counts, "recorded nested ", |_| true);
            // Of T1 only the loss of all that is pending: the name must not promise more.
            if !in_full && let Some(counts) = nested.counts.remove("recorded nested T1") {
                nested.counts.insert("recorded nested all-lost".to_owned(), counts);
            }
            nested.without(SAMPLED, self.unrecorded)
        };
        let mut shown = vec![
            (KILLS, first(kill)),
            (RECOVERY_KILLED, nested(&self.nested_kills)),
            (CREATION_KILLED, creation(kill)),
            (POWER, bad_media(space(first(power), &self.first), &self.first)),
            (EXT4, space(evidence(&self.ext4.counts, "recorded ext4 ", power), &self.ext4)),
            (RECOVERY_POWER, nested(&self.nested_power)),
            (CREATION_POWER, creation(power)),
        ];
        let all = shown.iter().map(|(_, evidence)| (evidence.done, evidence.possible));
        let (done, possible) = all.fold((0, 0), |(done, possible), one| {
            (done + one.0, possible + one.1.unwrap_or_default())
        });
        shown.push((ATOMIC, Evidence::of(done, possible, "states")));
        let mut measured = Measured { findings: self.findings, ..Measured::default() };
        for (claim, mut evidence) in shown {
            evidence.stopped.clone_from(&self.stopped);
            evidence.observed.insert("recordings".to_owned(), self.recordings);
            let unstable = "unstable recordings, each explored".to_owned();
            evidence.observed.insert(unstable, self.unstable);
            measured.show(claim, evidence);
        }
        measured
    }
}

/// Evidence from the tiers chosen; distinct states were possible, checked ones are done.
fn evidence(counts: &TierCounts, prefix: &str, chosen: fn(Tier) -> bool) -> Evidence {
    let counts = counts.iter().filter(|(tier, _)| chosen(*tier));
    let counts: Vec<(String, Counts)> =
        counts.map(|(tier, counts)| (format!("{prefix}{tier}"), counts)).collect();
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(|(_, counts)| of(counts)).sum();
    let evidence = Evidence::of(sum(|one| one.checked), sum(|one| one.distinct), "states");
    Evidence { counts: counts.into_iter().collect(), ..evidence }
}

fn bad_media(evidence: Evidence, explored: &Explored) -> Evidence {
    let seen = explored.bad_media.counts.checked > 0;
    Evidence { bad_media: seen.then(|| explored.bad_media.clone()), ..evidence }
}

fn space(evidence: Evidence, explored: &Explored) -> Evidence {
    Evidence { legal_space_log2: Some(explored.legal_space_log2), ..evidence }
}
