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

pub mod case;
pub mod cause;
pub mod cli;
pub mod criteria;
pub mod due;
pub mod explore;
pub mod finding;
pub mod measure;
pub mod mutate;
pub mod parallel;
pub mod process;
pub mod profile;
pub mod proof;
pub mod recorded;
pub mod release;
pub mod replay;
pub mod report;
pub mod scripts;
pub mod selfcheck;
pub mod share;
pub mod story;
pub mod subject;
pub mod table;
pub mod verdict;
pub mod windowed;
