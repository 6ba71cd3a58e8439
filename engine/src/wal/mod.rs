//! The write-ahead log: one file a generation, commits appended and synced batch by batch.

mod scan;
mod window;
mod writer;

pub(crate) use scan::scan;
pub(crate) use writer::{Commit, Wal, Write};
