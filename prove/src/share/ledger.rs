//! The ledger of a shard: a file of JSON lines. The first says of which run it is; then comes one
//! for each case that was answered, as soon as it was; the last says that no case is missing.
//!
//! Whatever ends a run leaves a ledger of whole lines and at most one torn line at its end, which
//! is dropped when the run goes on. Answers are read by this same build of the program only.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Shard;
use crate::driving::Driving;
use crate::scratch::halt_if_interrupted;

/// The value of `format` in the first line.
pub const FORMAT: &str = "proofhouse-shard";

/// The version of ledgers that this program writes, and the newest that it reads.
pub const VERSION: u64 = 1;

/// The name of a ledger in its shard's directory.
pub const NAME: &str = "answers.jsonl";

/// Of which run a ledger is. Shards of one run differ in `shard` alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always [`FORMAT`].
    pub format: String,
    /// The version of the format, from 1.
    pub version: u64,
    /// The part of the run.
    pub shard: Shard,
    /// What decides the run.
    pub run: RunOf,
}

/// All that decides what a run asks and what is due of the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOf {
    /// The version of the harness.
    pub proofhouse: String,
    /// A digest of the harness's program: the engines that are built in are part of it.
    pub build: String,
    /// The subject, as the command line names it.
    pub subject: String,
    /// Who the subject says that it is, what it can do and promises.
    pub about: String,
    /// The name of the profile.
    pub profile: crate::profile::Profile,
    /// The seed.
    pub seed: u64,
    /// The criteria asked for.
    pub criteria: Vec<String>,
    /// Which promise to judge by.
    pub promise: crate::profile::Promise,
    /// How to get along with a command.
    pub driving: Driving,
}

impl RunOf {
    /// In what another run differs first, in words: mine, then the other's.
    fn differs(&self, other: &Self) -> Option<String> {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let (mine, others) = (&self.driving, &other.driving);
        let parts: [(&str, String, String); 9] = [
            ("version", self.proofhouse.clone(), other.proofhouse.clone()),
            ("build", self.build.clone(), other.build.clone()),
            ("subject", self.subject.clone(), other.subject.clone()),
            ("profile", self.profile.name().to_owned(), other.profile.name().to_owned()),
            ("seed", self.seed.to_string(), other.seed.to_string()),
            ("criteria", self.criteria.join(","), other.criteria.join(",")),
            ("promise", format!("{:?}", self.promise), format!("{:?}", other.promise)),
            ("mapped files", mine.mapped.join(","), others.mapped.join(",")),
            ("watchdog", format!("{:?}", mine.watchdog), format!("{:?}", others.watchdog)),
        ];
        let first = parts.into_iter().find(|(_, mine, others)| mine != others);
        let differs = first.map(|(what, mine, others)| {
            format!("its {what} is {}, not {}", short(&others), short(&mine))
        });
        let another = || "its engine says another hello".to_owned();
        differs.or_else(|| (self.about != other.about).then(another))
    }
}

/// Why a ledger, or several, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Of which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process is at it.
    #[error("{path}: another run writes to this shard", path = .path.display())]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// Some other kind of file.
    #[error("{path}: not a shard: its first line has no \"format\": \"{FORMAT}\"", path = .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A version that this program does not know.
    #[error("{path}: shard version {version} is newer than {VERSION}: use a newer proofhouse", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A line that is none.
    #[error("{path}: damaged at byte {offset}, line {line}: {what}; remove the file and run the shard again", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the line begins.
        offset: u64,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A shard of another run.
    #[error("{path}: of another run: {differs}", path = .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// In what.
        differs: String,
    },
    /// A run in another number of shards.
    #[error("{path}: shard {shard}, and the first file is one of {of}", path = .path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// Its shard.
        shard: Shard,
        /// How many shards the first file's run has.
        of: u32,
    },
    /// Two files of the same shard.
    #[error("{path}: shard {shard} again; it is in {other}, too", path = .path.display(), other = .other.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The shard of both.
        shard: Shard,
        /// The file before it.
        other: PathBuf,
    },
    /// A shard that was cut short.
    #[error("{path}: shard {shard} is not complete: run it again, and it goes on", path = .path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// Its shard.
        shard: Shard,
    },
    /// A shard that no file is of.
    #[error("{path}: shard {shard} of this run is missing", path = .path.display())]
    Missing {
        /// Some file of the run.
        path: PathBuf,
        /// The shard.
        shard: Shard,
    },
    /// A case that no shard answered, though all are complete.
    #[error("no shard answered case {case} of {unit:?}: they are not of this program")]
    Unanswered {
        /// The unit.
        unit: String,
        /// The case.
        case: u64,
    },
}

/// A case that was answered before.
#[derive(Debug, Clone)]
pub struct Known {
    /// The unit.
    pub unit: String,
    /// The number of the case.
    pub case: u64,
    /// The time it took.
    pub took: Duration,
    answer: Box<RawValue>,
    /// Where the line is: file, offset, number.
    place: (PathBuf, u64, u64),
}

impl Known {
    /// The answer.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] if it is none for this unit.
    pub(super) fn answer<T: DeserializeOwned>(&self) -> Result<T, LedgerError> {
        serde_json::from_str(self.answer.get()).map_err(|error| {
            let (path, offset, line) = self.place.clone();
            LedgerError::Damaged { path, offset, line, what: format!("the answer: {error}") }
        })
    }
}

/// A line after the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line<A> {
    Answer { unit: String, case: u64, took: Duration, answer: A },
    End { answers: u64 },
}

/// What a ledger holds.
#[derive(Debug)]
pub struct Read {
    /// Of which run it is.
    pub header: Header,
    /// The answers.
    pub known: Vec<Known>,
    /// Whether it says that no case is missing.
    pub ended: bool,
    /// Where the last whole line ends.
    end: u64,
}

/// Reads a ledger.
///
/// # Errors
/// [`LedgerError`]; a torn last line is none, unless it is the first.
pub fn read(path: &Path) -> Result<Read, LedgerError> {
    let with = |error| LedgerError::File { path: path.to_path_buf(), error };
    parse(path, &fs::read(path).map_err(with)?)
}

/// As much as every version has.
#[derive(Deserialize)]
struct AnyHeader {
    format: String,
    version: u64,
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Read, LedgerError> {
    let foreign = || LedgerError::Foreign { path: path.to_path_buf() };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().filter(|line| line.ends_with(b"\n")).ok_or_else(foreign)?;
    let any: AnyHeader = serde_json::from_slice(first).map_err(|_| foreign())?;
    if any.format != FORMAT {
        return Err(foreign());
    }
    if any.version > VERSION {
        return Err(LedgerError::Newer { path: path.to_path_buf(), version: any.version });
    }
    let (mut end, mut line) = (0, 1);
    let damaged = |offset, line, what: String| {
        let path = path.to_path_buf();
        LedgerError::Damaged { path, offset, line, what }
    };
    let header: Header =
        serde_json::from_slice(first).map_err(|error| damaged(0, 1, error.to_string()))?;
    end += first.len() as u64;
    let (mut known, mut ended): (Vec<Known>, bool) = (Vec::new(), false);
    let mut answered = BTreeSet::new();
    for text in lines.take_while(|line| line.ends_with(b"\n")) {
        line += 1;
        let wrong = |what: String| damaged(end, line, what);
        match serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))? {
            _ if ended => return Err(wrong("a line after the end".to_owned())),
            Line::End { answers } if answers != known.len() as u64 => {
                return Err(wrong(format!("{answers} answers are due, {} are here", known.len())));
            }
            Line::End { .. } => ended = true,
            Line::Answer { unit, case, .. } if !header.shard.owns(&unit, case) => {
                return Err(wrong(format!("case {case} of {unit:?} belongs to another shard")));
            }
            Line::Answer { unit, case, .. } if !answered.insert((unit.clone(), case)) => {
                return Err(wrong(format!("case {case} of {unit:?} is answered already")));
            }
            Line::Answer { unit, case, took, answer } => {
                let place = (path.to_path_buf(), end, line);
                known.push(Known { unit, case, took, answer, place });
            }
        }
        end += text.len() as u64;
    }
    Ok(Read { header, known, ended, end })
}

/// A ledger that is being written.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    path: PathBuf,
    answers: u64,
    ended: bool,
}

impl Ledger {
    /// Opens the ledger of a run's shard, to go on with it, or begins it.
    ///
    /// # Errors
    /// [`LedgerError`]: the file is damaged, of another run, or in use.
    pub fn open(path: &Path, header: &Header) -> Result<(Self, Vec<Known>), LedgerError> {
        let with = |error| LedgerError::File { path: path.to_path_buf(), error };
        let options =
            File::options().read(true).write(true).create(true).truncate(false).to_owned();
        let mut file = options.open(path).map_err(with)?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => LedgerError::Busy { path: path.to_path_buf() },
            fs::TryLockError::Error(error) => with(error),
        })?;
        let bytes = fs::read(path).map_err(with)?;
        // A first line that was torn says nothing yet.
        let read = match bytes.contains(&b'\n') {
            true => Some(parse(path, &bytes)?),
            false if bytes.is_empty() || is_begun(&bytes) => None,
            false => return Err(LedgerError::Foreign { path: path.to_path_buf() }),
        };
        let end = read.as_ref().map_or(0, |read| read.end);
        file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).map_err(with)?;
        let mut ledger = Self { file, path: path.to_path_buf(), answers: 0, ended: false };
        let Some(read) = read else {
            ledger.write(header)?;
            return Ok((ledger, Vec::new()));
        };
        if let Some(differs) = header.run.differs(&read.header.run) {
            let path = path.to_path_buf();
            return Err(LedgerError::Other { path, differs });
        }
        (ledger.answers, ledger.ended) = (read.known.len() as u64, read.ended);
        Ok((ledger, read.known))
    }

    /// Keeps an answer.
    pub(super) fn keep<T: Serialize>(
        &mut self,
        unit: &str,
        case: u64,
        took: Duration,
        answer: &T,
    ) -> Result<(), LedgerError> {
        self.answers += 1;
        self.write(&Line::Answer { unit: unit.to_owned(), case, took, answer })
    }

    /// Says that no case is missing.
    pub(super) fn end(&mut self) -> Result<(), LedgerError> {
        if self.ended {
            return Ok(());
        }
        self.ended = true;
        self.write(&Line::<()>::End { answers: self.answers })
    }

    fn write<T: Serialize>(&mut self, line: &T) -> Result<(), LedgerError> {
        halt_if_interrupted();
        let with = |error| LedgerError::File { path: self.path.clone(), error };
        let mut bytes = serde_json::to_vec(line).map_err(|error| with(error.into()))?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).map_err(with)
    }
}

/// Whether these bytes, which hold no line, are the beginning of a ledger.
fn is_begun(bytes: &[u8]) -> bool {
    let begins = format!("{{\"format\":\"{FORMAT}\"");
    let len = bytes.len().min(begins.len());
    bytes[..len] == begins.as_bytes()[..len]
}

/// The ledgers of all shards of one run, whatever the order they are given in. A directory stands
/// for the ledger in it.
///
/// # Errors
/// [`LedgerError`], naming the file, if they are not exactly that.
pub fn read_all(paths: &[PathBuf]) -> Result<(RunOf, Vec<Known>), LedgerError> {
    let mut run: Option<(RunOf, u32)> = None;
    let mut shards: Vec<(Shard, PathBuf)> = Vec::new();
    let mut known = Vec::new();
    for path in paths {
        let path = if path.is_dir() { path.join(NAME) } else { path.clone() };
        let read = read(&path)?;
        let shard = read.header.shard;
        let (first, of) = run.get_or_insert_with(|| (read.header.run.clone(), shard.of));
        if let Some(differs) = first.differs(&read.header.run) {
            return Err(LedgerError::Other { path, differs });
        }
        if shard.of != *of {
            return Err(LedgerError::Count { path, shard, of: *of });
        }
        if let Some((_, other)) = shards.iter().find(|(known, _)| *known == shard) {
            return Err(LedgerError::Twice { path, shard, other: other.clone() });
        }
        if !read.ended {
            return Err(LedgerError::Unfinished { path, shard });
        }
        shards.push((shard, path));
        known.extend(read.known);
    }
    let none = || LedgerError::Foreign { path: PathBuf::new() };
    let (run, of) = run.ok_or_else(none)?;
    let is_missing = |number: &u32| shards.iter().all(|(shard, _)| shard.number != *number);
    match ((1..=of).find(is_missing), shards.into_iter().next()) {
        (Some(number), Some((_, path))) => {
            Err(LedgerError::Missing { path, shard: Shard { number, of } })
        }
        _ => Ok((run, known)),
    }
}
