//! Vectors about one rule of the format on disk, put together.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::families::FORMAT_1;
use crate::file::{Bytes, Entry, Expect};

/// The vectors about one rule.
pub(super) struct Rows {
    rule: &'static str,
    source: &'static str,
    entries: Vec<Entry>,
}

impl Rows {
    /// Vectors about `rule`, each of their ids beginning with it, argued by `source`.
    pub(super) fn new(rule: &'static str, source: &'static str) -> Self {
        Self { rule, source, entries: Vec::new() }
    }

    /// Bytes that stand for a value.
    pub(super) fn accept(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        bytes: &[u8],
        value: Json,
    ) -> &mut Entry {
        self.push(id.into(), meaning.into(), bytes, Some(value), Expect::Accept)
    }

    /// Bytes that are refused.
    pub(super) fn reject(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        bytes: &[u8],
        class: &str,
    ) -> &mut Entry {
        let expect = Expect::Reject(class.to_owned());
        self.push(id.into(), meaning.into(), bytes, None, expect)
    }

    fn push(
        &mut self,
        id: String,
        meaning: String,
        bytes: &[u8],
        value: Option<Json>,
        expect: Expect,
    ) -> &mut Entry {
        self.add(Entry {
            id,
            rule: String::new(),
            meaning,
            source: String::new(),
            value,
            diagnostic: None,
            given: None,
            bytes: Some(Bytes::in_line(bytes)),
            files: None,
            expect: BTreeMap::from([(FORMAT_1.to_owned(), expect)]),
        })
    }

    /// A vector whose rule and source are still to be named; its id lacks the rule.
    pub(super) fn add(&mut self, entry: Entry) -> &mut Entry {
        let id = format!("{}/{}", self.rule, entry.id);
        let (rule, source) = (self.rule.to_owned(), self.source.to_owned());
        self.entries.push(Entry { id, rule, source, ..entry });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// The lines of the family's file.
    pub(super) fn finish(self) -> Vec<Entry> {
        self.entries
    }
}
