//! The directories of whole stores.

mod clean;
mod damaged;
mod killed;
mod newer;
mod refused;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::build::{Log, State, Write, delete, put, sealed, segment};
use super::manifest::{collection, empty};
use super::rows::Rows;
use crate::families::{READ_ONLY, WRITABLE};
use crate::file::{Bytes, Entry, Expect};
use crate::layout::{Generation, SegmentRecord, StoreManifest, manifest};

const SOURCE: &str = "docs/format.md, 5";
/// Bytes reserved by the logs here.
const RESERVED: u64 = 512;

pub(super) fn entries() -> Vec<Entry> {
    [clean::rows(), killed::rows(), newer::rows(), refused::rows(), damaged::rows()]
        .into_iter()
        .flatten()
        .flat_map(Rows::finish)
        .collect()
}

/// A store's directory, and what MANIFEST is to say of it.
#[derive(Clone)]
struct Draft {
    manifest: StoreManifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    /// A store just created and closed.
    fn new() -> Self {
        let files = ["LOCK", "wal.log"].map(|name| (name.to_owned(), Vec::new()));
        Self { manifest: empty(), files: files.into() }
    }

    /// With the collections `names`, numbered from 1 in this order.
    fn collections(mut self, names: &[&str]) -> Self {
        let body = &mut self.manifest.body;
        body.collections = names.iter().zip(1..).map(|(name, id)| collection(name, id)).collect();
        body.collections.sort_by(|a, b| a.name.cmp(&b.name));
        body.next_collection_id = u32::try_from(names.len()).map_or(u32::MAX, |count| count + 1);
        self
    }

    fn checkpoint(mut self, sequence: u64) -> Self {
        self.manifest.body.last_checkpoint = Some(sequence);
        self
    }

    fn segment(mut self, id: u64, records: &[SegmentRecord]) -> Self {
        let (bytes, info) = segment(id, records);
        self.files.insert(format!("SEGMENTS/seg-{id:06}.dat"), bytes);
        self.manifest.segments.push(info);
        self.manifest.next_segment_id = self.manifest.next_segment_id.max(id + 1);
        self
    }

    /// With a live log, as it is left.
    fn log(self, log: &Log) -> Self {
        self.log_bytes(log.generation(), &log.file())
    }

    fn log_bytes(mut self, generation: u32, bytes: &[u8]) -> Self {
        self.manifest.wals.push(Generation(generation));
        self.manifest.next_generation = generation + 1;
        self.file(&format!("wal-{generation:06}.log"), bytes)
    }

    /// With one more file, or another content of one.
    fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.insert(name.to_owned(), bytes.to_vec());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.files.remove(name);
        self
    }

    /// The directory, MANIFEST as drafted unless the files have one.
    fn directory(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        files.entry("MANIFEST".to_owned()).or_insert_with(|| manifest(&self.manifest));
        files
    }

    /// What the store shows in a state.
    fn value(&self, state: &State) -> Json {
        let collections: Vec<_> = self
            .manifest
            .body
            .collections
            .iter()
            .map(|it| {
                let entities = state.entities(it.id);
                json!({ "name": it.name, "id": it.id.to_string(), "entities": entities })
            })
            .collect();
        json!({ "sequence": state.sequence.to_string(), "collections": collections })
    }

    /// A store of two collections and three segments, in which later versions hide earlier ones.
    fn sample() -> Self {
        let [first, second, third] = sample_commits();
        let seal = |writes: Vec<Write>, sequence| {
            writes.into_iter().map(|write| sealed(write, sequence)).collect::<Vec<_>>()
        };
        Self::new()
            .collections(&["users", "orders"])
            .segment(1, &seal(first, 1))
            .segment(2, &seal(second, 2))
            .segment(3, &seal(third, 3))
            .checkpoint(3)
    }
}

/// The commits of [`Draft::sample`].
fn sample_commits() -> [Vec<Write>; 3] {
    [
        vec![put(1, 0x11, 31), put(1, 0x22, 32), put(2, 0x11, 33)],
        vec![put(1, 0x11, 41), delete(1, 0x22)],
        vec![delete(2, 0x11), put(2, 0x44, 51)],
    ]
}

fn sample_state() -> State {
    sample_commits().iter().fold(State::at(0), |state, writes| state.and(writes))
}

/// The outcomes under both settings.
#[derive(Clone, Copy)]
enum Due {
    /// Shown by both.
    Shown,
    /// Shown if it may be recovered.
    Recovered,
    /// Empty if it may be created, else no store.
    Created,
    /// Refused by both for one class.
    Refused(&'static str),
    /// Refused for this class where it may be recovered.
    NotRecovered(&'static str),
}

impl Due {
    fn expect(self) -> BTreeMap<String, Expect> {
        let reject = |class: &str| Expect::Reject(class.to_owned());
        let (writable, read_only) = match self {
            Self::Shown => (Expect::Accept, Expect::Accept),
            Self::Recovered => (Expect::Accept, reject("needs-recovery")),
            Self::Created => (Expect::Accept, reject("no-store")),
            Self::Refused(class) => (reject(class), reject(class)),
            Self::NotRecovered(class) => (reject(class), reject("needs-recovery")),
        };
        [(WRITABLE.to_owned(), writable), (READ_ONLY.to_owned(), read_only)].into()
    }
}

/// A store with the state due, or none if it is refused.
fn add(
    rows: &mut Rows,
    id: impl Into<String>,
    meaning: &str,
    draft: &Draft,
    due: Due,
    state: &State,
) {
    let shown = !matches!(due, Due::Refused(_) | Due::NotRecovered(_));
    directory(rows, id, meaning, &draft.directory(), due, shown.then(|| draft.value(state)));
}

/// A directory and what is due.
fn directory(
    rows: &mut Rows,
    id: impl Into<String>,
    meaning: &str,
    files: &BTreeMap<String, Vec<u8>>,
    due: Due,
    value: Option<Json>,
) {
    let files = files.iter().map(|(name, bytes)| (name.clone(), Bytes::in_line(bytes)));
    rows.add(Entry {
        id: id.into(),
        rule: String::new(),
        meaning: meaning.to_owned(),
        source: String::new(),
        value,
        diagnostic: None,
        given: None,
        bytes: None,
        files: Some(files.collect()),
        expect: due.expect(),
    });
}
