//! Profiles: how much a run does.

use serde::{Deserialize, Serialize};

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Every measurement, briefly: at most 20 s on two cores.
    Quick,
    /// What a change must pass: at most two minutes on two cores.
    Standard,
    /// As much as is useful on one machine; nested crashes in all tiers.
    Deep,
}

/// Which promise to judge an engine by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What it declares.
    #[default]
    Own,
    /// Everything acknowledged is kept, as well: what breaks only this fails nothing.
    All,
}

/// The numbers behind a profile. Each is a count of cases, not of time: the same profile and seed
/// do the same work on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Plans run beside the oracle.
    pub differential_plans: u64,
    /// Plans run beside the oracle in an engine behind the line protocol.
    pub command_plans: u64,
    /// Plans run twice in one process.
    pub determinism_plans: u64,
    /// Plans run once more in another process.
    pub process_plans: u64,
    /// Plans whose crash states are enumerated.
    pub crash_plans: u64,
    /// Whether crashes of a recovery are enumerated in all tiers, not only T0 and all-lost.
    pub nested_in_full: bool,
    /// Whether pairs of losses are enumerated (T3).
    pub pairs: bool,
    /// Random subsets of losses drawn at each crash point (T4).
    pub random_losses: u32,
    /// Whether media that leave garbage are looked at.
    pub bad_media: bool,
    /// Plans whose syncs and renames are mutated.
    pub mutated_plans: u64,
    /// Plans recorded on real files, whose crash states are enumerated.
    pub recorded_plans: u64,
    /// Recoveries of each such plan that are recorded and crashed again.
    pub recorded_recoveries: u64,
    /// Plans killed before and after each of their storage calls, on real files.
    pub kill_plans: u64,
    /// Kills at random moments, on real files.
    pub random_kills: u64,
    /// Plans during whose storage calls a reader looks on.
    pub gated_plans: u64,
    /// Rounds of each measurement with real threads.
    pub thread_rounds: u64,
    /// Generated identities that must be distinct.
    pub generated_ids: u64,
    /// CBOR values generated for the round trip.
    pub cbor_values: u64,
    /// Trials granted to shrink one finding.
    pub shrink_trials: usize,
}

impl Profile {
    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Deep => "deep",
        }
    }

    /// Its numbers.
    pub fn scale(self) -> Scale {
        match self {
            Self::Quick => Scale {
                differential_plans: 500,
                command_plans: 40,
                determinism_plans: 200,
                process_plans: 10,
                crash_plans: 8,
                nested_in_full: false,
                pairs: false,
                random_losses: 0,
                bad_media: false,
                mutated_plans: 3,
                recorded_plans: 1,
                recorded_recoveries: 6,
                kill_plans: 1,
                random_kills: 40,
                gated_plans: 20,
                thread_rounds: 5,
                generated_ids: 100_000,
                cbor_values: 10_000,
                shrink_trials: 300,
            },
            Self::Standard => Scale {
                differential_plans: 5_000,
                command_plans: 400,
                determinism_plans: 1_000,
                process_plans: 50,
                crash_plans: 100,
                nested_in_full: false,
                pairs: false,
                random_losses: 4,
                bad_media: true,
                mutated_plans: 12,
                recorded_plans: 4,
                recorded_recoveries: 40,
                kill_plans: 6,
                random_kills: 300,
                gated_plans: 100,
                thread_rounds: 30,
                generated_ids: 100_000,
                cbor_values: 100_000,
                shrink_trials: 1_000,
            },
            Self::Deep => Scale {
                differential_plans: 50_000,
                command_plans: 4_000,
                determinism_plans: 10_000,
                process_plans: 200,
                crash_plans: 300,
                nested_in_full: true,
                pairs: true,
                random_losses: 16,
                bad_media: true,
                mutated_plans: 60,
                recorded_plans: 20,
                recorded_recoveries: 400,
                kill_plans: 40,
                random_kills: 2_000,
                gated_plans: 500,
                thread_rounds: 200,
                generated_ids: 1_000_000,
                cbor_values: 1_000_000,
                shrink_trials: 3_000,
            },
        }
    }
}

impl Scale {
    /// Just enough for each deliberately flawed subject to fail, and for a sound one to pass.
    pub fn self_check() -> Self {
        Self {
            differential_plans: 60,
            command_plans: 0,
            determinism_plans: 10,
            process_plans: 0,
            crash_plans: 4,
            nested_in_full: false,
            pairs: false,
            random_losses: 0,
            bad_media: false,
            mutated_plans: 1,
            recorded_plans: 0,
            recorded_recoveries: 0,
            kill_plans: 0,
            random_kills: 0,
            gated_plans: 40,
            thread_rounds: 1,
            generated_ids: 1_000,
            cbor_values: 100,
            shrink_trials: 600,
        }
    }
}
