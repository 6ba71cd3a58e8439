//! What the world can do to a store: kill its process, cut its power.
//!
//! This crate knows disks, not engines: it does not know what the bytes mean.
//!
//! 1. A program runs on a [`SimDisk`] and marks the events it issues and acknowledges.
//! 2. [`SimDisk::trace`] tells what happened, as a [`Trace`] of [`MicroOp`]s.
//! 3. [`enumerate()`] yields every [`CrashState`] that the chosen [`Tiers`] ask for under the rules
//!    of a [`Profile`]; [`Dedup`] and [`TierCounts`] keep the books.
//! 4. [`SimDisk::from_state`] is the disk the next life finds; that life can be recorded and
//!    crashed again.
//! 5. A [`Choice`] rebuilds its state from the trace, for replay; [`Trace::classify`] says which
//!    sync was missing, [`Trace::legal_under`] which other medium could leave it, [`minimise`] what
//!    of it mattered.
//! 6. [`mutations()`] leaves out or moves the syncs and renames of a trace: would a judge notice?
//!
//! Real processes are run and killed by [`run_child`]. What we assume of a medium stands in
//! `docs/media.md`.
//!
//! ```
//! use proofhouse_crash::{Mark, Profile, SimDisk, SyncKind, Tiers, enumerate};
//!
//! let disk = SimDisk::new();
//! let file = disk.create("data")?;
//! disk.mark(Mark::Issue(1));
//! file.write_at(0, b"one")?;
//! file.sync(SyncKind::Data)?;
//! disk.mark(Mark::Ack(1));
//!
//! // The directory was never synced: power loss can take the file after its acknowledgement.
//! let trace = disk.trace();
//! let lost = enumerate(&trace, Profile::Posix, Tiers::ALL)
//!     .find(|state| state.acked == 1 && state.visible().file("data").is_none())
//!     .map(|state| trace.explain(&state.choice).to_string());
//! assert_eq!(lost.as_deref(), Some("power loss (posix) before #5: lost all pending"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod content;
mod disk;
mod enumerate;
mod media;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod recorder;
mod supervisor;
mod trace;
mod tracefile;
mod tree;

pub use content::{Content, PAGE, SECTOR};
pub use disk::{Call, CallKind, Hook, SimDisk, SimFile, SimLock};
pub use enumerate::{
    BadChoice, Choice, Class, Counts, CrashKind, CrashState, Dedup, Enumeration, Exception,
    Explained, Fared, Fate, Missing, Part, PowerLoss, Random, Rest, Site, Tier, TierCounts, Tiers,
    enumerate, minimise,
};
pub use media::Profile;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use recorder::{
    CallInfo, Difference, KillAt, Killer, Marker, NotMeasured, OnStdout, RecordCommand, RecordEnd,
    RecordOptions, Recorded, Session, When, Why, record,
};
pub use supervisor::{ChildEnd, ChildRun, KillAfter, Limits, run_child};
pub use trace::{
    Change, Described, Mark, MicroOp, Misgrafted, Mutation, SyncKind, Trace, mutations,
};
pub use tracefile::{TraceFileError, read_trace, write_trace};
pub use tree::{Ino, Name, Tree};
