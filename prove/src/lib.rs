//! Proofhouse: takes a storage engine and returns a verdict on nineteen criteria, with evidence.
//!
//! Here the other parts meet: plans and the oracle of `proofhouse-model`, the disks and kills of
//! `proofhouse-crash`, the engines of `proofhouse-subjects`, the vectors of `proofhouse-golden`.
//!
//! - [`criteria`] is what is claimed; [`measure`] measures it, [`verdict`] judges it.
//! - A [`finding`] is what went wrong, for a few [`cause`]s; a [`case`] file shows it again, by
//!   [`replay`].
//! - A [`story`] tells a crash step by step.
//! - A [`proof`] is all of one run: a [`table`] for people, a [`report`] for programs.
//! - [`mutate`] leaves out syncs and renames, to see which bear load.
//! - [`scripts`] of the vectors are run against any driver; [`release`] checks what is published.
//! - A [`share`] of a run is what one of several shards answers.
//! - [`selfcheck`] puts the harness itself on trial, with deliberately flawed subjects.
//!
//! One seed decides everything that is generated; results do not depend on threads or time,
//! except where the budget ends a run and in what a report keeps apart as *observed*.
//!
//! Without the feature `cli`, which is on by default, only what a finding is remains: its kinds,
//! causes and claims, its case file, and what is due of a run. Fuzz targets build this much.

pub mod case;
pub mod cause;
#[cfg(feature = "cli")]
pub mod cli;
pub mod criteria;
pub mod driving;
pub mod due;
#[cfg(feature = "cli")]
pub mod explore;
pub mod finding;
#[cfg(feature = "cli")]
pub mod measure;
#[cfg(feature = "cli")]
pub mod mutate;
#[cfg(feature = "cli")]
pub mod parallel;
#[cfg(feature = "cli")]
pub mod process;
pub mod profile;
#[cfg(feature = "cli")]
pub mod proof;
#[cfg(feature = "cli")]
pub mod recorded;
#[cfg(feature = "cli")]
pub mod release;
#[cfg(feature = "cli")]
pub mod replay;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod scratch;
#[cfg(feature = "cli")]
pub mod scripts;
#[cfg(feature = "cli")]
pub mod selfcheck;
#[cfg(feature = "cli")]
pub mod share;
#[cfg(feature = "cli")]
pub mod story;
#[cfg(feature = "cli")]
pub mod subject;
#[cfg(feature = "cli")]
pub mod table;
#[cfg(feature = "cli")]
pub mod verdict;
#[cfg(feature = "cli")]
pub mod windowed;
