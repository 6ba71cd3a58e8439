//! Scrub: everything sealed is read and checked, step by step, while the store is in use.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::names;
use crate::segment::{Inspection, Segment, sync_sidecars};

use super::core::Core;
use super::open::read_manifest;

/// A scrub that its holder carries out, step by step. It checks the segments there were when it
/// was begun, and holds them as a snapshot does; nobody waits for it.
pub struct Scrub {
    core: Arc<Core>,
    /// What is not begun yet.
    segments: std::vec::IntoIter<Arc<Segment>>,
    inspection: Option<Inspection>,
    report: ScrubReport,
    /// Whether MANIFEST was compared with what this handle works with.
    compared: bool,
}

/// What a scrub has read and found so far.
#[derive(Debug, Clone, Default)]
pub struct ScrubReport {
    /// Segments read to their end, or to damage.
    pub segments: usize,
    /// Records that verified.
    pub records: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// What is wrong, in the order in which it was met.
    pub findings: Vec<ScrubFinding>,
}

/// Something that a scrub found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ScrubFinding {
    /// Stored bytes are damaged or cannot be read: what needs them fails. The rest of the store is
    /// not affected.
    Damaged(Error),
    /// A sidecar is missing, damaged, or does not lead to every record. Reads do without it.
    Sidecar {
        /// Its file.
        file: String,
        /// Whether a sound one is on the medium now. A read-only handle writes none.
        mended: bool,
    },
}

impl Scrub {
    pub(super) fn new(core: &Arc<Core>) -> Result<Self> {
        core.require_open()?;
        let (view, _) = core.current();
        Ok(Self {
            core: Arc::clone(core),
            segments: view.segments().to_vec().into_iter(),
            inspection: None,
            report: ScrubReport::default(),
            compared: false,
        })
    }

    /// Reads about `budget` bytes of records, and answers whether there is more to read. The first
    /// step compares MANIFEST with what this handle works with, and waits for the write
    /// transaction that may be open, and for the checkpoint that may be running.
    ///
    /// # Errors
    /// `NestedTransaction` if this thread has a write transaction; `Closed`. Damage is no error
    /// here but in the report.
    pub fn step(&mut self, budget: u64) -> Result<bool> {
        if !std::mem::replace(&mut self.compared, true)
            && let Err(error) = self.compare_manifest()
        {
            match error {
                Error::Corrupt { .. } | Error::Io { .. } => self.report_damage(error),
                refused => {
                    self.compared = false;
                    return Err(refused);
                }
            }
        }
        self.core.require_open()?;
        let until = self.report.bytes.saturating_add(budget.max(1));
        while self.report.bytes < until {
            let Some(inspection) = &mut self.inspection else {
                let Some(segment) = self.segments.next() else { return Ok(false) };
                self.begin(segment);
                continue;
            };
            match inspection.read() {
                Ok(Some(len)) => {
                    self.report.records += 1;
                    self.report.bytes += len;
                }
                Ok(None) => self.end(),
                Err(error) => {
                    self.inspection = None;
                    self.report.segments += 1;
                    self.report_damage(error);
                }
            }
        }
        Ok(true)
    }

    /// What was read and found so far; all of it once [`Scrub::step`] answered `false`.
    pub fn report(&self) -> &ScrubReport {
        &self.report
    }

    fn compare_manifest(&self) -> Result<()> {
        let _alone = self.core.maintaining()?;
        let permit = Core::admission(&self.core)?;
        let manifest = read_manifest(&*permit.core.storage)?;
        if manifest == permit.core.writer.lock().manifest {
            return Ok(());
        }
        let what = "a valid MANIFEST, but not the one this handle works with";
        Err(Error::corrupt(names::MANIFEST, 0_u64, what))
    }

    fn begin(&mut self, segment: Arc<Segment>) {
        self.inspection = Some(Inspection::new(&*self.core.storage, segment));
    }

    /// The segment is sound; its sidecar may not be.
    fn end(&mut self) {
        self.report.segments += 1;
        let Some(inspection) = self.inspection.take() else { return };
        let (storage, is_sound) = (&*self.core.storage, inspection.is_sidecar_sound());
        let segment = inspection.into_segment();
        // A compaction may have removed both since; nothing must be left beside what is listed.
        let (view, _) = self.core.current();
        let is_listed = view.segments().iter().any(|listed| listed.id() == segment.id());
        if is_sound || !is_listed {
            return;
        }
        let mended = self.core.read_only().is_none() && segment.replace_sidecar(storage);
        if mended {
            sync_sidecars(storage);
        }
        let file = names::sidecar_path(segment.id());
        self.report.findings.push(ScrubFinding::Sidecar { file, mended });
    }

    fn report_damage(&mut self, error: Error) {
        self.report.findings.push(ScrubFinding::Damaged(error));
    }
}
