//! The engine over its public API, on media in memory and on real files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod ahead;
mod bad_input;
mod checkpoint;
mod compaction;
mod determinism;
mod directory;
mod entidb;
mod extremes;
mod group_commit;
mod lifecycle;
mod poison;
mod recovery;
mod scans;
mod scrub;
mod sidecars;
mod snapshots;
mod storage;
mod support;
mod transactions;
mod versions;

#[global_allocator]
static ALLOCATOR: support::memory::Noting = support::memory::Noting;
