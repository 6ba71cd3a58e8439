//! The tiny store's log file: appended to by commits, rewritten whole by checkpoints and opens.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use entidb_engine::storage::{File, ROOT, Storage, SyncKind};
use proofhouse_model::{ErrorClass, Refusal};

use super::data::Data;
use super::flaws::Flaws;
use super::record::{Change, Record};

const LOG: &str = "tiny.log";
const REWRITTEN: &str = "tiny.log.tmp";

/// The log, for its one writer.
pub(super) struct Log {
    storage: Arc<dyn Storage>,
    flaws: Flaws,
    file: Arc<dyn File>,
    len: u64,
    /// The sequence of the last commit.
    pub(super) sequence: u64,
    /// After a failed write or sync the end of the log is unknown: nothing is written any more.
    poisoned: bool,
}

impl Log {
    /// Opens the log or begins an empty one.
    ///
    /// What was read is written into a new log before it is shown: then it is durable, and a torn
    /// record at the end is gone. A sync of the old file would not do, as a failed one may have
    /// marked its pages clean.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        flaws: Flaws,
        data: &mut Data,
    ) -> Result<Self, Refusal> {
        let opened = match storage.open(LOG) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(refusal(&error)),
        };
        let Some(file) = opened else {
            let (file, len) =
                rewrite(storage.as_ref(), flaws, data, 0, true).map_err(|e| refusal(&e))?;
            return Ok(Self { storage, flaws, file, len, sequence: 0, poisoned: false });
        };
        let (sequence, valid, len) = replay(file.as_ref(), data)?;
        let kept = if flaws.torn_tail_left {
            file.sync(SyncKind::Data).map(|()| (file, len))
        } else if flaws.recovery_not_synced {
            file.set_len(valid).map(|()| (file, valid))
        } else {
            rewrite(storage.as_ref(), flaws, data, sequence, true)
        };
        let (file, len) = kept.map_err(|error| refusal(&error))?;
        Ok(Self { storage, flaws, file, len, sequence, poisoned: false })
    }

    /// Whether writes are possible.
    pub(super) const fn check(&self) -> Result<(), ErrorClass> {
        if self.poisoned { Err(ErrorClass::Poisoned) } else { Ok(()) }
    }

    /// Appends records, without making them durable.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), ErrorClass> {
        self.check()?;
        self.poisoned = self.file.write_at(self.len, bytes).is_err();
        self.len += bytes.len() as u64;
        if self.poisoned { Err(ErrorClass::InDoubt) } else { Ok(()) }
    }

    /// Makes what was appended durable.
    pub(super) fn sync(&mut self) -> Result<(), ErrorClass> {
        self.poisoned = self.file.sync(SyncKind::Data).is_err();
        if self.poisoned { Err(ErrorClass::InDoubt) } else { Ok(()) }
    }

    /// Replaces the log by one that holds `data` in one record, durable unless a flaw has it
    /// otherwise.
    pub(super) fn replace(&mut self, data: &Data, durable: bool) -> Result<(), ErrorClass> {
        self.check()?;
        let rewritten = rewrite(self.storage.as_ref(), self.flaws, data, self.sequence, durable);
        let (file, len) = rewritten.map_err(|_| {
            // The rename may have happened: the old file may be no longer the log.
            self.poisoned = true;
            ErrorClass::Io
        })?;
        (self.file, self.len) = (file, len);
        Ok(())
    }
}

/// Applies all records up to the first that is torn. Answers the last sequence, where the torn
/// record begins, and the length of the file.
fn replay(file: &dyn File, data: &mut Data) -> Result<(u64, u64, u64), Refusal> {
    let len = file.len().map_err(|error| refusal(&error))?;
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| damaged("too long"))?];
    file.read_at(0, &mut bytes).map_err(|error| refusal(&error))?;
    let mut rest = bytes.as_slice();
    let mut last = None;
    while let Some((record, tail)) = Record::decode(rest) {
        record.changes.into_iter().for_each(|change| data.apply(change));
        last = Some(record.sequence);
        rest = tail;
    }
    // The first record was synced before the file got its name.
    let sequence = last.ok_or_else(|| damaged("without its first record"))?;
    Ok((sequence, len - rest.len() as u64, len))
}

/// Writes a new log and puts it in the old one's place. It is durable before it gets the name,
/// and the name is durable before anyone relies on it.
fn rewrite(
    storage: &dyn Storage,
    flaws: Flaws,
    data: &Data,
    sequence: u64,
    durable: bool,
) -> io::Result<(Arc<dyn File>, u64)> {
    if !flaws.leftover_refused {
        match storage.remove(REWRITTEN) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let file = storage.create(REWRITTEN)?;
    let changes = logged_order(flaws, data.as_changes());
    let bytes = Record { sequence, changes }.encode().ok_or(io::ErrorKind::FileTooLarge)?;
    file.write_at(0, &bytes)?;
    if durable {
        file.sync(SyncKind::Full)?;
    }
    storage.rename(REWRITTEN, LOG)?;
    if !flaws.no_dir_sync {
        storage.sync_dir(ROOT)?;
    }
    Ok((file, bytes.len() as u64))
}

/// The order in which changes are logged: as they are, but for a flaw.
pub(super) fn logged_order(flaws: Flaws, changes: Vec<Change>) -> Vec<Change> {
    if flaws.hash_map_order {
        return changes.into_iter().collect::<HashSet<_>>().into_iter().collect();
    }
    changes
}

/// What an error of the medium means to who opens the store.
pub(super) fn refusal(error: &io::Error) -> Refusal {
    let class = match error.kind() {
        io::ErrorKind::WouldBlock => ErrorClass::Locked,
        io::ErrorKind::NotFound => ErrorClass::NotFound,
        _ => ErrorClass::Io,
    };
    Refusal { class, message: error.to_string() }
}

fn damaged(how: &str) -> Refusal {
    Refusal { class: ErrorClass::Corrupt, message: format!("{LOG} is {how}") }
}
