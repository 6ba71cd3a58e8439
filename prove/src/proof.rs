//! A proof: all that one run of `prove` has to say of a subject.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use proofhouse_crash::Counts;

use crate::explore::BadMedia;
use crate::finding::{self, Exit, Finding};
use crate::profile::Profile;
use crate::share::Shard;
use crate::verdict::{CriterionResult, Evidence, Verdict};

/// The result of one run.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The subject's name.
    pub subject: String,
    /// How much was asked for.
    pub profile: Profile,
    /// The seed that decided everything.
    pub seed: u64,
    /// Nineteen verdicts, in order.
    pub criteria: Vec<CriterionResult>,
    /// What went wrong, first met first.
    pub findings: Vec<Finding>,
    /// The part of the run that this is, unless it is the whole.
    pub shard: Option<Shard>,
    /// What the deliberately flawed subjects came to; empty if they were not run.
    pub self_check: Vec<Caught>,
    /// The time it all took.
    pub took: Duration,
}

/// A deliberately flawed subject and what it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caught {
    /// Its name.
    pub name: &'static str,
    /// Its flaw in one sentence.
    pub flaw: &'static str,
    /// The criteria it must fail.
    pub due: Vec<&'static str>,
    /// The criteria it did fail.
    pub failed: Vec<&'static str>,
}

impl Caught {
    /// Whether it failed what it must, and nothing else.
    pub fn exact(&self) -> bool {
        self.due == self.failed
    }
}

impl Proof {
    /// How the process ends. A flawed subject that is not caught means that the harness is blind:
    /// it is broken.
    pub fn exit(&self, require_all: bool) -> Exit {
        if !self.self_check.iter().all(Caught::exact) {
            return Exit::HarnessBroken;
        }
        let unmeasured = |result: &CriterionResult| result.verdict != Verdict::Pass;
        match finding::exit(self.findings.iter()) {
            Exit::Clean if require_all && self.criteria.iter().any(unmeasured) => Exit::Unmeasured,
            exit => exit,
        }
    }

    /// The evidence of all claims that have any.
    pub fn evidence(&self) -> impl Iterator<Item = (&'static str, &Evidence)> {
        let claims = self.criteria.iter().flat_map(|result| &result.claims);
        claims.filter_map(|result| Some((result.claim.id, result.evidence.as_ref()?)))
    }

    /// Crash states per tier, over all claims.
    pub fn states(&self) -> BTreeMap<String, Counts> {
        let mut states = BTreeMap::<String, Counts>::new();
        for (_, evidence) in self.evidence() {
            for (tier, counts) in &evidence.counts {
                *states.entry(tier.clone()).or_default() += *counts;
            }
        }
        states
    }

    /// The base-two logarithm of the size of the whole legal space behind those states.
    pub fn legal_space_log2(&self) -> Option<f64> {
        self.evidence().filter_map(|(_, evidence)| evidence.legal_space_log2).reduce(f64::max)
    }

    /// What media did that leave garbage, if that was looked at.
    pub fn bad_media(&self) -> Option<BadMedia> {
        let all: Vec<_> = self.evidence().filter_map(|(_, one)| one.bad_media.as_ref()).collect();
        (!all.is_empty()).then(|| BadMedia::total(all.into_iter()))
    }

    /// Cases left out, by rule.
    pub fn excluded(&self) -> BTreeMap<&str, u64> {
        let mut excluded = BTreeMap::new();
        for (_, evidence) in self.evidence() {
            for (rule, count) in &evidence.excluded {
                *excluded.entry(rule.as_str()).or_insert(0) += count;
            }
        }
        excluded
    }

    /// Of the flawed subjects that must fail this criterion: how many did, of how many.
    pub fn caught(&self, criterion: &str) -> (usize, usize) {
        let due: Vec<_> =
            self.self_check.iter().filter(|one| one.due.contains(&criterion)).collect();
        (due.iter().filter(|one| one.failed.contains(&criterion)).count(), due.len())
    }
}
