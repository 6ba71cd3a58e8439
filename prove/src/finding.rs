//! Findings: what a subject did wrong, in kinds; which criterion each belongs to; how a run ends.

#[cfg(test)]
mod tests;

use proofhouse_crash::Profile as Medium;
use proofhouse_model::ViolationKind;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::cause::Cause;
use crate::criteria::{self, ClaimId};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An outcome differs from the oracle's, or an audit from its list.
    Divergence,
    /// An acknowledged commit is gone after a crash.
    Lost,
    /// A state shown that is no whole number of commits.
    Partial,
    /// A commit shown that was never issued.
    Ahead,
    /// Two ways to read the same thing disagree.
    PathsDisagree,
    /// A legal crash state cannot be opened.
    RecoveryFailed,
    /// A second open shows something else than the first.
    Unstable,
    /// The subject panicked.
    Panic,
    /// The subject did not answer in time.
    Hang,
    /// Equal runs left different bytes.
    NonDeterminism,
    /// Damage was read as data.
    SilentCorruption,
    /// The harness contradicted itself: nothing it says of this run can be trusted.
    HarnessBroken,
}

/// What the world did before the finding showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// Nothing: an undisturbed run.
    Undisturbed,
    /// The process was killed; the page cache survived.
    ProcessKill,
    /// Power was lost.
    PowerLoss,
}

/// One thing a subject did wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What went wrong.
    pub kind: Kind,
    /// What the world had done.
    pub world: World,
    /// The claim that fails by it.
    #[serde(deserialize_with = "criteria::claim_id")]
    pub claim: ClaimId,
    /// What was due and what was shown, in one or a few lines.
    pub story: String,
    /// The strongest medium that still shows it; `None` if no power loss is needed.
    pub medium: Option<Medium>,
    /// What made crash states fail, most frequent first; the case shows the first of them.
    pub causes: Vec<Cause>,
    /// Whether the engine promised otherwise: what it never promised fails nothing.
    pub promised: bool,
    /// How to see it again, where that is possible.
    pub case: Option<Box<Case>>,
}

/// How a run ends; the process exits with the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Nothing failed.
    Clean = 0,
    /// The call or its surroundings are wrong; nothing was judged.
    Usage = 1,
    /// An outcome, a state or an audit differs.
    Divergence = 10,
    /// An acknowledged commit was lost.
    Lost = 11,
    /// Damage was read as data.
    SilentCorruption = 12,
    /// A legal crash state could not be opened, or not twice alike.
    RecoveryFailed = 13,
    /// The subject did not answer in time.
    Hang = 14,
    /// Equal runs left different bytes.
    NonDeterminism = 15,
    /// The harness contradicted itself.
    HarnessBroken = 16,
    /// Nothing failed, but `--require-all` was given and not all was measured.
    Unmeasured = 17,
}

/// Exits by what outranks what, most telling first. A broken harness puts every other finding in
/// doubt; then come findings by what they cost the owner of the data.
const PRECEDENCE: [Exit; 7] = [
    Exit::HarnessBroken,
    Exit::Lost,
    Exit::SilentCorruption,
    Exit::RecoveryFailed,
    Exit::Hang,
    Exit::Divergence,
    Exit::NonDeterminism,
];

/// The claim that single power losses do no harm, whatever the medium.
const POWER_LOSS: &str = "AC-04.power-loss";

/// Claims about power loss on any medium, each with the same claim about ext4.
const ON_EXT4: [[&str; 2]; 2] =
    [[POWER_LOSS, "AC-04.ext4"], ["AC-04.recorded-power-loss", "AC-04.recorded-ext4"]];

impl Kind {
    /// The exit a finding of this kind asks for.
    pub fn exit(self) -> Exit {
        match self {
            Self::Divergence | Self::Partial | Self::Ahead | Self::PathsDisagree | Self::Panic => {
                Exit::Divergence
            }
            Self::Lost => Exit::Lost,
            Self::RecoveryFailed | Self::Unstable => Exit::RecoveryFailed,
            Self::Hang => Exit::Hang,
            Self::NonDeterminism => Exit::NonDeterminism,
            Self::SilentCorruption => Exit::SilentCorruption,
            Self::HarnessBroken => Exit::HarnessBroken,
        }
    }

    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Divergence => "divergence",
            Self::Lost => "lost acknowledged commit",
            Self::Partial => "partial state",
            Self::Ahead => "commit never issued",
            Self::PathsDisagree => "access paths disagree",
            Self::RecoveryFailed => "recovery failed",
            Self::Unstable => "recovery unstable",
            Self::Panic => "panic",
            Self::Hang => "hang",
            Self::NonDeterminism => "non-determinism",
            Self::SilentCorruption => "silent corruption",
            Self::HarnessBroken => "harness broken",
        }
    }
}

/// The criterion a finding belongs to, so that one flaw does not redden everything.
///
/// Crash findings are attributed by what was lost and to what; all others belong to the claim
/// under test (for a divergence beside the oracle, the differential measurement has chosen it by
/// what the shrunk plan needs).
pub fn criterion(kind: Kind, world: World, under_test: &'static str) -> &'static str {
    let crash = match world {
        World::Undisturbed => return criteria::criterion_of(under_test),
        World::ProcessKill => "AC-02",
        World::PowerLoss => "AC-04",
    };
    match kind {
        Kind::Partial | Kind::Ahead => "AC-03",
        Kind::PathsDisagree => "AC-08",
        Kind::NonDeterminism => "AC-01",
        Kind::Divergence
        | Kind::Lost
        | Kind::RecoveryFailed
        | Kind::Unstable
        | Kind::Panic
        | Kind::Hang
        | Kind::SilentCorruption
        | Kind::HarnessBroken => crash,
    }
}

/// The claim a finding is booked on: the one under test if its criterion is the finding's, else
/// the one claim of that criterion that such findings are kept for.
pub fn claim(kind: Kind, world: World, under_test: &'static str) -> &'static str {
    match criterion(kind, world, under_test) {
        own if own == criteria::criterion_of(under_test) => under_test,
        "AC-01" => "AC-01.same-process",
        "AC-02" => "AC-02.kill-boundaries",
        "AC-03" if under_test.contains(".recorded-") => "AC-03.recorded-atomic",
        "AC-03" => "AC-03.crash-atomic",
        "AC-04" => POWER_LOSS,
        _ => "AC-08.differential",
    }
}

impl Finding {
    /// A finding met while measuring `under_test`, booked where it belongs.
    pub fn new(kind: Kind, world: World, under_test: &'static str, story: String) -> Self {
        let claim = claim(kind, world, under_test);
        let (medium, causes, case) = (None, Vec::new(), None);
        Self { kind, world, claim, story, medium, causes, promised: true, case }
    }

    /// The same, shown by this medium and none stronger.
    pub fn on(self, medium: Medium) -> Self {
        Self { medium: Some(medium), ..self }
    }

    /// The same, for these causes.
    pub fn because(self, causes: Vec<Cause>) -> Self {
        Self { causes, ..self }
    }

    /// Whether a claim fails by it: its own, and what a power loss does on every medium it does on
    /// ext4, too. What was never promised fails nothing.
    pub fn fails(&self, claim: &str) -> bool {
        let on_ext4 = self.medium == Some(Medium::Ext4);
        let everywhere = |pair: &[&str; 2]| on_ext4 && [self.claim, claim] == *pair;
        self.promised && (self.claim == claim || ON_EXT4.iter().any(everywhere))
    }

    /// The same, with the case that shows it again.
    pub fn with_case(mut self, case: Case) -> Self {
        self.case = Some(Box::new(case));
        self
    }

    /// The same, with one more line to its story, unless it has it; so does its case.
    pub fn adding(mut self, line: &str) -> Self {
        if self.story.lines().all(|told| told != line) {
            self.story = format!("{}\n{line}", self.story);
            if let Some(case) = &mut self.case {
                case.story.push(line.to_owned());
            }
        }
        self
    }

    /// The criterion it fails.
    pub fn criterion(&self) -> &'static str {
        criteria::criterion_of(self.claim)
    }
}

/// The exit of a run with these findings.
pub fn exit<'a>(findings: impl Iterator<Item = &'a Finding>) -> Exit {
    let promised = findings.filter(|finding| finding.promised);
    let asked: Vec<_> = promised.map(|finding| finding.kind.exit()).collect();
    PRECEDENCE.into_iter().find(|exit| asked.contains(exit)).unwrap_or(Exit::Clean)
}

impl From<ViolationKind> for Kind {
    fn from(kind: ViolationKind) -> Self {
        match kind {
            ViolationKind::Lost => Self::Lost,
            ViolationKind::Ahead => Self::Ahead,
            ViolationKind::Partial => Self::Partial,
            ViolationKind::PathsDisagree => Self::PathsDisagree,
            ViolationKind::Refused => Self::RecoveryFailed,
            ViolationKind::Unstable => Self::Unstable,
            ViolationKind::Panicked => Self::Panic,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
