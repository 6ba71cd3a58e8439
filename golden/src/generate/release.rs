//! Stores that releases wrote: the engine's own bytes, kept so that every later release opens them.
//!
//! Those of earlier releases are data: they are taken over as they stand. Those of this version are
//! made by running the engine in memory, step by step, while plain maps say what is due.

mod recipe;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::embedded::embedded_files;
use crate::error::VectorsError;
use crate::families::{READ_ONLY, WRITABLE};
use crate::file::{Bytes, Entry, Expect, FamilyFile};
use crate::vectors::parse;
use recipe::{Content, Made};

/// The file of the family.
const FILE: &str = "stores/releases.json";
const SOURCE: &str = "docs/format.md, 8";

/// The release that this program is, or will be.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The stores of all earlier releases, then those of this version.
#[expect(clippy::expect_used, reason = "fixed acts on memory, and a file that is checked in")]
pub(super) fn entries() -> Vec<Entry> {
    let mut entries = earlier().expect("what is checked in was generated");
    entries.extend(recipe::all().expect("the engine keeps a small store").iter().map(entry));
    entries
}

/// What is checked in of other versions.
fn earlier() -> Result<Vec<Entry>, VectorsError> {
    let file = embedded_files().find(|(name, _)| *name == FILE);
    let bytes = file.map_or(&[][..], |(_, bytes)| bytes);
    let family: FamilyFile = parse(FILE, bytes)?;
    Ok(family.vectors.into_iter().filter(|entry| entry.rule != VERSION).collect())
}

fn entry(made: &Made) -> Entry {
    let accept_or = |accepted: bool, class: &str| {
        if accepted { Expect::Accept } else { Expect::Reject(class.to_owned()) }
    };
    Entry {
        id: format!("{VERSION}/{}", made.name),
        rule: VERSION.to_owned(),
        meaning: made.meaning.to_owned(),
        source: SOURCE.to_owned(),
        value: Some(value(&made.due)),
        diagnostic: None,
        given: None,
        bytes: None,
        files: Some(
            made.files.iter().map(|(name, it)| (name.clone(), Bytes::in_line(it))).collect(),
        ),
        expect: [
            (WRITABLE.to_owned(), Expect::Accept),
            (READ_ONLY.to_owned(), accept_or(made.closed, "needs-recovery")),
        ]
        .into(),
    }
}

/// What is due, in the notation of the family `store`.
fn value(due: &Content) -> Json {
    let collections: Vec<_> = due
        .collections
        .iter()
        .zip(1_u32..)
        .map(|((name, entities), id)| {
            let entities: BTreeMap<String, String> =
                entities.iter().map(|(id, it)| (hex::encode(id), hex::encode(it))).collect();
            let entities: Vec<_> = entities.into_iter().map(|(id, it)| [id, it]).collect();
            json!({ "name": name, "id": id.to_string(), "entities": entities })
        })
        .collect();
    json!({ "sequence": due.sequence.to_string(), "collections": collections })
}
