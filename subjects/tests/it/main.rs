//! The reference engine with several threads, on simulated disks that lose power.

#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod checkpoint;
mod group_commit;
mod reference;
mod support;
