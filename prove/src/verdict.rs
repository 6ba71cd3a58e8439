//! Verdicts: of a claim, and of a criterion from its claims.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use proofhouse_crash::Counts;
use proofhouse_model::About;
use serde::{Deserialize, Serialize};

use crate::criteria::{Claim, Criterion, Status, Unmet};
use crate::explore::BadMedia;
use crate::finding::{Finding, Kind};

/// Why something was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The subject cannot do what the claim is about.
    NoCapability,
    /// The subject does not promise it.
    NotPromised,
    /// No plan reached the mechanism.
    NotReached,
    /// The time given ran out first.
    Budget,
    /// The measurement does not exist yet.
    Planned,
    /// Equal runs gave different traces.
    UnstableTrace,
    /// The subject writes through a shared memory map, which no recorder sees.
    WritableMapping,
    /// The subject writes through `io_uring`, which no recorder sees.
    IoUring,
    /// A tool is not installed.
    MissingTool,
    /// It was not asked for, or the harness could not go on.
    Skipped,
    /// Only an engine in this process can be looked into so.
    InProcess,
    /// Other shards of the run measure it, or the rest of it.
    Shard,
}

impl Reason {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoCapability => "no capability",
            Self::NotPromised => "not promised",
            Self::NotReached => "not reached",
            Self::Budget => "budget",
            Self::Planned => "planned",
            Self::UnstableTrace => "unstable trace",
            Self::WritableMapping => "writable mapping",
            Self::IoUring => "io_uring",
            Self::MissingTool => "missing tool",
            Self::Skipped => "skipped",
            Self::InProcess => "in process only",
            Self::Shard => "shard",
        }
    }
}

/// What is said of a claim or a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// All of it was measured and held.
    Pass,
    /// A finding is attributed to it.
    Fail,
    /// Neither: something of it was not measured.
    NotMeasured(Reason),
}

impl Verdict {
    /// `PASS`, `FAIL` or `NOT MEASURED`, as reports have it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotMeasured(_) => "NOT MEASURED",
        }
    }

    /// The reason, if it was not measured.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::NotMeasured(reason) => Some(reason),
            Self::Pass | Self::Fail => None,
        }
    }
}

/// What a measurement has to show for one claim.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Cases checked: plans, states, kills, vectors; `unit` says which.
    pub done: u64,
    /// How many there were to check; `None` if they have no natural end (threads, random kills).
    pub possible: Option<u64>,
    /// What a case is, in the plural.
    pub unit: String,
    /// Crash states per tier.
    pub counts: BTreeMap<String, Counts>,
    /// The base-two logarithm of the number of all legal crash states of the plans.
    pub legal_space_log2: Option<f64>,
    /// States of a medium that leaves garbage; they decide nothing.
    pub bad_media: Option<BadMedia>,
    /// Cases left out, by rule.
    pub excluded: BTreeMap<String, u64>,
    /// Figures that need not repeat exactly in the next run.
    pub observed: BTreeMap<String, u64>,
    /// What stopped the measurement, and a word on it.
    pub stopped: Option<(Reason, String)>,
    /// The time it took.
    pub took: Duration,
}

/// A claim, measured or not.
#[derive(Debug, Clone)]
pub struct ClaimResult {
    /// The claim.
    pub claim: &'static Claim,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why it was not measured, in plain words.
    pub note: Option<String>,
    /// What was checked, if anything was.
    pub evidence: Option<Evidence>,
}

/// A criterion, judged.
#[derive(Debug, Clone)]
pub struct CriterionResult {
    /// The criterion.
    pub criterion: &'static Criterion,
    /// What is said of it.
    pub verdict: Verdict,
    /// All its claims, in order.
    pub claims: Vec<ClaimResult>,
}

/// Judges one claim from its evidence and the findings booked on it. `served` says whether there
/// is a measurement of it for such an engine.
///
/// A finding fails it whatever else is true. A claim whose harness broke was not measured, and one
/// that stopped early or checked nothing is not green: 0 of 0 proves nothing.
pub fn judge_claim(
    claim: &'static Claim,
    about: &About,
    served: bool,
    evidence: Option<Evidence>,
    findings: &[Finding],
) -> ClaimResult {
    let kinds = || findings.iter().filter(|f| f.fails(claim.id)).map(|f| f.kind);
    let failed = kinds().any(|kind| kind != Kind::HarnessBroken);
    let broken = kinds()
        .any(|kind| kind == Kind::HarnessBroken)
        .then(|| (Reason::Skipped, "the harness broke".to_owned()));
    let unserved = || {
        let note = "looks into an engine in this process; commands are recorded instead";
        (!served).then(|| (Reason::InProcess, note.to_owned()))
    };
    let unmeasured = broken
        .or_else(|| unmeasurable(claim, about))
        .or_else(unserved)
        .or_else(|| incomplete(evidence.as_ref()));
    let (verdict, note) = match unmeasured {
        _ if failed => (Verdict::Fail, None),
        Some((reason, note)) => (Verdict::NotMeasured(reason), Some(note)),
        None => (Verdict::Pass, None),
    };
    ClaimResult { claim, verdict, note, evidence }
}

/// Why a claim cannot be measured on this subject, whatever one does.
pub fn unmeasurable(claim: &Claim, about: &About) -> Option<(Reason, String)> {
    if let Some((unmet, need)) =
        claim.needs.iter().find_map(|need| Some((need.unmet_by(about)?, need.words())))
    {
        return Some(match unmet {
            Unmet::Capability => (Reason::NoCapability, format!("needs {need}")),
            Unmet::Promise => (Reason::NotPromised, format!("asks for {need}")),
        });
    }
    match claim.status {
        Status::Planned(work) => Some((Reason::Planned, format!("comes with {work}"))),
        Status::Exists => None,
    }
}

fn incomplete(evidence: Option<&Evidence>) -> Option<(Reason, String)> {
    let Some(evidence) = evidence else {
        return Some((Reason::Skipped, "not asked for".to_owned()));
    };
    if let Some(stopped) = &evidence.stopped {
        return Some(stopped.clone());
    }
    match evidence.possible {
        Some(possible) if evidence.done < possible => Some((
            Reason::Budget,
            format!("{} of {possible} {} checked", evidence.done, evidence.unit),
        )),
        _ if evidence.done == 0 => Some((Reason::NotReached, "no plan reached it".to_owned())),
        _ => None,
    }
}

/// Judges a criterion from its claims: it fails with any of them, passes if every claim that
/// exists was measured, and else says why not, by its first existing claim that was not.
///
/// Two reasons leave no gap, as long as another claim was measured: what was never promised, as
/// a subject is judged by its own promise; and what only an engine in this process can be asked,
/// as recordings have claims of their own for the same.
pub fn judge(criterion: &'static Criterion, claims: Vec<ClaimResult>) -> CriterionResult {
    let is_gap = |result: &&ClaimResult| {
        let aside = [Some(Reason::NotPromised), Some(Reason::InProcess)];
        result.claim.status == Status::Exists
            && result.verdict != Verdict::Pass
            && !aside.contains(&result.verdict.reason())
    };
    let verdict = if claims.iter().any(|result| result.verdict == Verdict::Fail) {
        Verdict::Fail
    } else if let Some(gap) = claims.iter().find(is_gap) {
        gap.verdict
    } else if claims.iter().any(|result| result.verdict == Verdict::Pass) {
        Verdict::Pass
    } else {
        claims.first().map_or(Verdict::NotMeasured(Reason::Planned), |result| result.verdict)
    };
    CriterionResult { criterion, verdict, claims }
}

impl CriterionResult {
    /// Claims measured, passed or failed.
    pub fn measured(&self) -> usize {
        self.claims.iter().filter(|result| result.verdict.reason().is_none()).count()
    }

    /// Claims that wait for later work.
    pub fn planned(&self) -> usize {
        self.claims.iter().filter(|result| result.claim.status != Status::Exists).count()
    }

    /// Existing claims that were left aside for this reason.
    pub fn aside(&self, reason: Reason) -> usize {
        let exists = self.claims.iter().filter(|result| result.claim.status == Status::Exists);
        exists.filter(|result| result.verdict.reason() == Some(reason)).count()
    }

    /// Cases done and, unless some claim has no natural end, possible; of its measured claims.
    pub fn cases(&self) -> (u64, Option<u64>) {
        let evidence = || self.claims.iter().filter_map(|result| result.evidence.as_ref());
        let done = evidence().map(|evidence| evidence.done).sum();
        let possible = evidence().map(|evidence| evidence.possible.or(Some(evidence.done)));
        (done, possible.sum())
    }

    /// Time spent on its claims.
    pub fn took(&self) -> Duration {
        self.claims.iter().filter_map(|result| Some(result.evidence.as_ref()?.took)).sum()
    }
}
