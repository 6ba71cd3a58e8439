//! Walks through a segment's records, forwards and backwards, checking their order.

use std::ops::Bound;

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::ids::Key;
use crate::range::is_within;

use super::reader::{Found, Segment};

/// Reads records in ascending order. Whoever reads a segment from its first byte to its last has
/// checked its digest, too.
pub(crate) struct Forward {
    at: usize,
    previous: Option<Key>,
    /// Of a walk that began at the first byte, until it has reached the last.
    whole: Option<Whole>,
}

struct Whole {
    digest: Sha256,
    /// CRCs that are not in the digest yet, up to a block of it.
    crcs: [[u8; 4]; DIGESTED],
    records: u64,
}

/// Records whose CRCs go into the digest at once: they fill a block of SHA-256.
const DIGESTED: usize = 16;

impl Forward {
    /// A walk through all records.
    pub(super) fn whole() -> Self {
        Self { at: 0, previous: None, whole: Some(Whole::new()) }
    }

    /// A walk from the first record within the lower bound.
    ///
    /// # Errors
    /// `Corrupt` if a record on the way does not verify.
    pub(crate) fn from(segment: &Segment, low: Bound<&Key>) -> Result<Self> {
        let at = segment.seek(low)?;
        Ok(if at == 0 { Self::whole() } else { Self { at, previous: None, whole: None } })
    }

    /// Where the next record begins, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// `Corrupt` if it does not verify or is out of order, or if the segment as a whole is not
    /// the one MANIFEST lists.
    pub(crate) fn read(&mut self, segment: &Segment) -> Result<Option<Found>> {
        if self.at >= segment.len() {
            return self.whole.take().map_or(Ok(()), |whole| whole.check(segment)).map(|()| None);
        }
        let found = segment.record(self.at)?;
        if self.previous.is_some_and(|previous| previous >= found.key) {
            return Err(segment.corrupt(self.at, OUT_OF_ORDER));
        }
        if let Some(whole) = &mut self.whole {
            whole.add(found.crc);
        }
        self.previous = Some(found.key);
        self.at += found.len;
        Ok(Some(found))
    }
}

impl Whole {
    fn new() -> Self {
        Self { digest: Sha256::new(), crcs: [[0; 4]; DIGESTED], records: 0 }
    }

    fn add(&mut self, crc: u32) {
        #[expect(clippy::cast_possible_truncation, reason = "below DIGESTED")]
        let at = (self.records % DIGESTED as u64) as usize;
        self.crcs[at] = crc.to_le_bytes();
        self.records += 1;
        if at + 1 == DIGESTED {
            self.digest.update(self.crcs.as_flattened());
        }
    }

    fn check(mut self, segment: &Segment) -> Result<()> {
        let info = segment.info();
        if self.records != info.records {
            let what = format!("{} records where MANIFEST says {}", self.records, info.records);
            return Err(segment.corrupt(segment.len(), what));
        }
        #[expect(clippy::cast_possible_truncation, reason = "below DIGESTED")]
        let left = (self.records % DIGESTED as u64) as usize;
        self.digest.update(self.crcs[..left].as_flattened());
        let digest: [u8; 32] = self.digest.finalize().into();
        if digest != info.digest {
            let what = "records are not those MANIFEST lists: digest mismatch";
            return Err(segment.corrupt(0, what));
        }
        Ok(())
    }
}

/// Reads records in descending order, a group of them at a time.
pub(crate) struct Backward {
    high: Bound<Key>,
    /// Read and not handed out yet, ascending.
    group: Vec<Found>,
    /// Groups below this one are not read yet.
    groups: usize,
    following: Option<Key>,
}

impl Backward {
    /// A walk from the last record within the upper bound.
    ///
    /// # Errors
    /// `Corrupt` if a record on the way does not verify.
    pub(crate) fn from(segment: &Segment, high: Bound<&Key>) -> Result<Self> {
        let groups = segment.groups_within(high)?;
        Ok(Self { high: high.cloned(), group: Vec::new(), groups, following: None })
    }

    /// The next record below; `None` at the beginning.
    ///
    /// # Errors
    /// `Corrupt` if it does not verify or is out of order.
    pub(crate) fn read(&mut self, segment: &Segment) -> Result<Option<Found>> {
        while self.group.is_empty() && self.groups > 0 {
            self.groups -= 1;
            self.read_group(segment)?;
        }
        Ok(self.group.pop())
    }

    fn read_group(&mut self, segment: &Segment) -> Result<()> {
        let (start, end) = (segment.group(self.groups)?, segment.group(self.groups + 1)?);
        let mut walk = Forward { at: start, previous: None, whole: None };
        while walk.at < end
            && let Some(found) = walk.read(segment)?
        {
            if is_within(&found.key, self.high.as_ref()) {
                self.group.push(found);
            }
        }
        let first = self.group.first().map(|found| found.key);
        if walk.at != end
            || self.following.is_some_and(|following| walk.previous >= Some(following))
        {
            return Err(segment.corrupt(start, OUT_OF_ORDER));
        }
        self.following = first.or(self.following);
        Ok(())
    }
}

const OUT_OF_ORDER: &str = "record out of (collection, entity) order";
