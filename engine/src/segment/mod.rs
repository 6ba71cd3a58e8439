//! Sealed segments: immutable files of records in (collection, entity) order, each with a sidecar
//! that says where they are.

mod build;
mod cursor;
mod inspect;
mod reader;
mod shared;
mod sidecar;
mod writer;

pub(crate) use cursor::{Backward, Forward};
pub(crate) use inspect::Inspection;
pub(crate) use reader::{Found, Segment};
pub(crate) use sidecar::sync_sidecars;
pub(crate) use writer::{
    RECORDS_MAX, Sealed, Sealer, fit_together, numbers_used_up, seal, sync_names,
};
