//! Engines as they run on real files: a command over the line protocol is recorded once, call by
//! call; then every state that a crash of that run could leave is made again, opened by a process
//! of the same command, and judged by what the engine promises.
//!
//! - [`drive`] runs something in a recorded process and marks what was issued and acknowledged.
//! - [`judge`] recovers one state and says what is wrong with it.
//! - [`explore`] goes through the states of a recording, and of recorded recoveries.
//! - [`kills`] ends real processes at the calls that were recorded.
//! - [`mutants`] leaves out or moves syncs and renames of a recording.
//! - [`replay`] makes one crash again from a case file.

pub mod drive;
pub mod explore;
pub mod judge;
pub mod kills;
pub mod mutants;
pub mod replay;
