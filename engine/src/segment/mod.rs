//! Sealed segments: immutable files of records in (collection, entity) order.

mod reader;
mod writer;

pub(crate) use reader::Segment;
pub(crate) use writer::seal;
