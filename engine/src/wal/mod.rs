//! The write-ahead log: one file a generation, commits appended and synced one by one.

mod scan;
mod window;
mod writer;

pub(crate) use scan::scan;
pub(crate) use writer::{Wal, Write};
