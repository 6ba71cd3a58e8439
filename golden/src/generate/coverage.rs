//! The table of what the vectors cover, by rule.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Family;
use crate::file::{Entry, Expect};

/// How many vectors are about one rule.
#[derive(Default)]
struct Count {
    vectors: usize,
    accepted: usize,
    sources: Vec<String>,
}

/// The table, as Markdown. A vector counts as accepted if some setting accepts it.
pub(super) fn table(families: &[Family]) -> String {
    let total: usize = families.iter().map(|family| family.entries.len()).sum();
    let mut text = format!(
        "# What the vectors cover\n\n\
         {total} vectors. Written with them, and never by hand. *Accepted* is what some setting \
         accepts.\n"
    );
    for family in families {
        let vectors = family.entries.len();
        // Writing to memory cannot fail.
        let _ = write!(
            text,
            "\n## `{}`: {vectors}\n\n{}\n\n\
             | rule | vectors | accepted | refused | source |\n|---|---|---|---|---|\n",
            family.name, family.about
        );
        for (rule, count) in counts(&family.entries) {
            let Count { vectors, accepted, sources } = count;
            let (refused, sources) = (vectors - accepted, sources.join("; "));
            let _ = writeln!(text, "| {rule} | {vectors} | {accepted} | {refused} | {sources} |");
        }
    }
    text
}

fn counts(entries: &[Entry]) -> BTreeMap<&str, Count> {
    let mut rules: BTreeMap<&str, Count> = BTreeMap::new();
    for entry in entries {
        let count = rules.entry(&entry.rule).or_default();
        count.vectors += 1;
        count.accepted += usize::from(entry.expect.values().any(|due| *due == Expect::Accept));
        if !count.sources.contains(&entry.source) {
            count.sources.push(entry.source.clone());
        }
    }
    rules
}
