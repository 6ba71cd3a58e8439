//! The result for programs: `report.json`, described by the JSON Schema [`SCHEMA`].
//!
//! All of it repeats exactly with the same subject, seed and profile, except the object
//! `observed`, where times and the figures of real kills and threads stand, and a run that its
//! budget cut short.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use proofhouse_crash::{Class, Counts, Profile as Medium};
use serde::Serialize;

use crate::explore::BadMedia;
use crate::finding::{Finding, Kind, World};
use crate::proof::Proof;
use crate::share::Shard;
use crate::table::replay_line;
use crate::verdict::{ClaimResult, CriterionResult, Evidence, Reason};

/// The JSON Schema (draft 2020-12) of a report.
pub const SCHEMA: &str = include_str!("report.schema.json");

/// The version of the report's format.
pub const VERSION: u32 = 1;

/// One run, ready to be written as JSON.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    format: &'static str,
    version: u32,
    proofhouse: &'static str,
    subject: &'a str,
    profile: &'static str,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Shard>,
    media: [Medium; 2],
    exit: u8,
    criteria: Vec<CriterionReport<'a>>,
    states: BTreeMap<String, Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_space_log2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_media: Option<BadMediaReport>,
    self_check: Vec<FlawedReport<'a>>,
    observed: Observed<'a>,
}

#[derive(Debug, Serialize)]
struct CriterionReport<'a> {
    id: &'static str,
    title: &'static str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    measured: usize,
    planned: usize,
    claims: Vec<ClaimReport<'a>>,
    evidence: Vec<EvidenceReport<'a>>,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Debug, Serialize)]
struct ClaimReport<'a> {
    id: &'static str,
    text: &'static str,
    method: &'static str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct EvidenceReport<'a> {
    claim: &'static str,
    done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    possible: Option<u64>,
    unit: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    states: &'a BTreeMap<String, Counts>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    excluded: &'a BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct FindingReport<'a> {
    kind: Kind,
    world: World,
    claim: &'static str,
    /// Whether the engine promised otherwise; what it did not fails nothing.
    promised: bool,
    story: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<Medium>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<CauseReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<String>,
}

#[derive(Debug, Serialize)]
struct CauseReport<'a> {
    states: u64,
    #[serde(flatten)]
    class: &'a Class,
}

#[derive(Debug, Serialize)]
struct BadMediaReport {
    states: Counts,
    violations: BTreeMap<Kind, u64>,
}

#[derive(Debug, Serialize)]
struct FlawedReport<'a> {
    subject: &'static str,
    flaw: &'static str,
    must_fail: &'a [&'static str],
    failed: &'a [&'static str],
    exact: bool,
}

#[derive(Debug, Serialize)]
struct Observed<'a> {
    seconds: f64,
    claims: BTreeMap<&'static str, ObservedClaim<'a>>,
}

#[derive(Debug, Serialize)]
struct ObservedClaim<'a> {
    seconds: f64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    figures: &'a BTreeMap<String, u64>,
}

impl<'a> Report<'a> {
    /// The report of a run. `cases` are the case files, as for [`crate::table::render`].
    pub fn of(proof: &'a Proof, require_all: bool, cases: &[Option<PathBuf>]) -> Self {
        let observed = proof.evidence().map(|(claim, evidence)| {
            let seconds = evidence.took.as_secs_f64();
            (claim, ObservedClaim { seconds, figures: &evidence.observed })
        });
        Self {
            format: "proofhouse-report",
            version: VERSION,
            proofhouse: env!("CARGO_PKG_VERSION"),
            subject: &proof.subject,
            profile: proof.profile.name(),
            seed: proof.seed,
            shard: proof.shard,
            media: [Medium::Posix, Medium::Ext4],
            exit: proof.exit(require_all) as u8,
            criteria: proof.criteria.iter().map(|one| criterion(one, proof, cases)).collect(),
            states: proof.states(),
            legal_space_log2: proof.legal_space_log2(),
            bad_media: proof.bad_media().map(bad_media),
            self_check: proof.self_check.iter().map(flawed).collect(),
            observed: Observed { seconds: proof.took.as_secs_f64(), claims: observed.collect() },
        }
    }

    /// The report as indented JSON with a final newline.
    ///
    /// # Errors
    /// None that this type can cause; passed on from the serialiser.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

fn criterion<'a>(
    result: &'a CriterionResult,
    proof: &'a Proof,
    cases: &[Option<PathBuf>],
) -> CriterionReport<'a> {
    let findings = proof.findings.iter().zip(cases);
    CriterionReport {
        id: result.criterion.id,
        title: result.criterion.title,
        verdict: result.verdict.label(),
        reason: result.verdict.reason(),
        measured: result.measured(),
        planned: result.planned(),
        claims: result.claims.iter().map(claim).collect(),
        evidence: result
            .claims
            .iter()
            .filter_map(|one| Some(evidence(one.claim.id, one.evidence.as_ref()?)))
            .collect(),
        findings: findings
            .filter(|(finding, _)| finding.criterion() == result.criterion.id)
            .map(|(finding, case)| FindingReport {
                replay: case.as_deref().map(replay_line),
                ..told(finding)
            })
            .collect(),
    }
}

fn told(finding: &Finding) -> FindingReport<'_> {
    let causes = finding.causes.iter();
    FindingReport {
        kind: finding.kind,
        world: finding.world,
        claim: finding.claim,
        promised: finding.promised,
        story: &finding.story,
        medium: finding.medium,
        causes: causes.map(|one| CauseReport { states: one.states, class: &one.class }).collect(),
        replay: None,
    }
}

fn bad_media(came_to: BadMedia) -> BadMediaReport {
    BadMediaReport { states: came_to.counts, violations: came_to.violations }
}

fn claim(result: &ClaimResult) -> ClaimReport<'_> {
    ClaimReport {
        id: result.claim.id,
        text: result.claim.text,
        method: result.claim.method,
        verdict: result.verdict.label(),
        reason: result.verdict.reason(),
        note: result.note.as_deref(),
    }
}

fn evidence<'a>(claim: &'static str, evidence: &'a Evidence) -> EvidenceReport<'a> {
    EvidenceReport {
        claim,
        done: evidence.done,
        possible: evidence.possible,
        unit: &evidence.unit,
        states: &evidence.counts,
        excluded: &evidence.excluded,
    }
}

fn flawed(caught: &crate::proof::Caught) -> FlawedReport<'_> {
    FlawedReport {
        subject: caught.name,
        flaw: caught.flaw,
        must_fail: &caught.due,
        failed: &caught.failed,
        exact: caught.exact(),
    }
}
