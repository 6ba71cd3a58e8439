//! Inspection: a segment read from end to end, with the sidecar that lies on the medium.

use std::sync::Arc;

use crate::error::Result;
use crate::format::sidecar::{Damaged, STRIDE, Sidecar};
use crate::storage::Storage;

use super::cursor::Forward;
use super::reader::{Found, Segment};

/// A segment being read, record by record. At its end the segment's digest was checked, and
/// whether its sidecar leads to every record.
pub(crate) struct Inspection {
    segment: Arc<Segment>,
    walk: Forward,
    records: usize,
    /// The sidecar on the medium, as long as nothing is wrong with it.
    sidecar: Option<Sidecar>,
}

impl Inspection {
    pub(crate) fn new(storage: &dyn Storage, segment: Arc<Segment>) -> Self {
        let sidecar = Sidecar::open(storage, segment.id(), segment.info());
        let sidecar = sidecar.filter(|sidecar| sidecar.check().is_ok());
        Self { segment, walk: Forward::whole(), records: 0, sidecar }
    }

    /// Reads the next record and answers its length in bytes; `None` at the end.
    ///
    /// # Errors
    /// `Corrupt` if the segment is not what MANIFEST lists.
    pub(crate) fn read(&mut self) -> Result<Option<u64>> {
        let at = self.walk.at();
        let Some(found) = self.walk.read(&self.segment)? else { return Ok(None) };
        let leads = |sidecar: &Sidecar| leads_to(sidecar, &found, at, self.records) == Ok(true);
        if !self.sidecar.as_ref().is_some_and(leads) {
            self.sidecar = None;
        }
        self.records += 1;
        Ok(Some(found.len as u64))
    }

    /// Whether the sidecar led to every record so far.
    pub(crate) fn is_sidecar_sound(&self) -> bool {
        self.sidecar.is_some()
    }

    pub(crate) fn into_segment(self) -> Arc<Segment> {
        self.segment
    }
}

/// Whether a sidecar leads to record `number`, which is at an offset: by its key, and by its fence
/// if it has one.
fn leads_to(sidecar: &Sidecar, found: &Found, at: usize, number: usize) -> Result<bool, Damaged> {
    if number.is_multiple_of(STRIDE) && sidecar.fence(number / STRIDE)? as usize != at {
        return Ok(false);
    }
    // The record was read already: there is nothing to fetch ahead.
    for slot in sidecar.candidates(&found.key, &[]) {
        if slot?.offset as usize == at {
            return Ok(true);
        }
    }
    Ok(false)
}
