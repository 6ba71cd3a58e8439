//! Checking: every vector against a codec, counted by rule.

use std::collections::BTreeMap;
use std::fmt;

use entidb_engine::codec::{Profile, RejectClass, Value};
use serde_json::Value as Json;

use crate::codec::Codec;
use crate::families::{CBOR, FAMILIES, GOLDEN_ENTIDB};
use crate::layouts::Layouts;
use crate::notation::diagnostic;
use crate::reader::Reader;
use crate::vectors::{CborVector, ENTIDB_SETTING, Vector, Vectors, profile_name};

#[cfg(test)]
mod tests;

/// What checking found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Counts by family and rule, sorted.
    pub rules: Vec<RuleCount>,
    /// Every check that failed, in the order of the files.
    pub failures: Vec<Failure>,
}

/// How one rule fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCount {
    /// The family of vectors.
    pub family: &'static str,
    /// The rule.
    pub rule: String,
    /// Vectors that are about it.
    pub vectors: usize,
    /// Vectors that failed, in whatever respect.
    pub failed: usize,
}

/// A vector that a subject does not satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The family of vectors.
    pub family: &'static str,
    /// The vector.
    pub id: String,
    /// The profile or version it was checked under.
    pub setting: &'static str,
    /// What was asked of the subject.
    pub check: &'static str,
    /// What it should have answered.
    pub expected: String,
    /// What it answered.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, id, setting, check, expected, found } = self;
        write!(f, "{family} {id} ({setting}): {check}: expected {expected}, found {found}")
    }
}

impl Report {
    /// Whether something was checked and nothing failed.
    pub fn passed(&self) -> bool {
        self.vectors() > 0 && self.failures.is_empty()
    }

    /// Adds what checking something else found.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.failures.extend(other.failures);
    }

    /// Vectors checked.
    pub fn vectors(&self) -> usize {
        self.rules.iter().map(|rule| rule.vectors).sum()
    }
}

/// Checks a codec against every CBOR vector under every profile: accepted bytes decode to the
/// value, validate, and are what the value encodes to; refused bytes are refused for the expected
/// class, by decoding and validation alike.
pub fn check(vectors: &Vectors, codec: &dyn Codec) -> Report {
    let mut tally = Tally::new(CBOR);
    for vector in &vectors.cbor {
        let before = tally.failures.len();
        for (profile, expected) in &vector.expect {
            check_cbor(vector, *profile, *expected, codec, &mut tally);
        }
        tally.count(&vector.rule, before);
    }
    tally.report()
}

fn check_cbor(
    vector: &CborVector,
    profile: Profile,
    expected: Result<(), RejectClass>,
    codec: &dyn Codec,
    tally: &mut Tally,
) {
    let CborVector { id, bytes, limits, value, .. } = vector;
    let mut fail = |check, expected, found| {
        let (id, setting) = (id.clone(), profile_name(profile));
        tally.failures.push(Failure { family: CBOR, id, setting, check, expected, found });
    };
    let validated = codec.validate(bytes, profile, limits);
    if validated != expected {
        fail("validate", verdict(expected), verdict(validated));
    }
    let decoded = codec.decode(bytes, profile, limits);
    let Some(value) = value.as_ref().filter(|_| expected.is_ok()) else {
        let decoded = decoded.map(drop);
        if decoded != expected {
            fail("decode", verdict(expected), verdict(decoded));
        }
        return;
    };
    if decoded.as_ref() != Ok(value) {
        let found = decoded.map_or_else(|class| verdict(Err(class)), |found| diagnostic(&found));
        fail("decode", diagnostic(value), found);
    }
    let encoded = codec.encode(value, profile);
    if encoded.as_ref() != Ok(bytes) {
        let hex = |bytes| diagnostic(&Value::Bytes(bytes));
        let found = encoded.map_or_else(|error| error.to_string(), hex);
        fail("encode", hex(bytes.clone()), found);
    }
}

fn verdict(outcome: Result<(), RejectClass>) -> String {
    outcome.map_or_else(|class| format!("reject {class}"), |()| "accept".to_owned())
}

/// Checks encoders against every vector of `EntiDB`'s own: the fields give the bytes, and the bytes
/// are recognised.
pub fn check_layouts(vectors: &Vectors, layouts: &dyn Layouts) -> Report {
    let mut tally = Tally::new(GOLDEN_ENTIDB);
    for vector in &vectors.entidb {
        let before = tally.failures.len();
        let mut fail = |check, expected, found| {
            let (family, id, setting) = (GOLDEN_ENTIDB, vector.id.clone(), ENTIDB_SETTING);
            tally.failures.push(Failure { family, id, setting, check, expected, found });
        };
        let written = layouts.write(&vector.layout);
        if written != vector.bytes {
            fail("write", hex::encode(&vector.bytes), hex::encode(written));
        }
        if !layouts.recognise(&vector.bytes, &vector.layout) {
            fail("recognise", "what it is".to_owned(), "something else".to_owned());
        }
        tally.count(&vector.rule, before);
    }
    tally.report()
}

/// Checks a reader against every vector of the families whose values are compared as they are
/// written: what is accepted stands for the value, what is refused is refused for its class.
pub fn check_families(vectors: &Vectors, reader: &dyn Reader) -> Report {
    let mut report = Report { rules: Vec::new(), failures: Vec::new() };
    for family in FAMILIES {
        let mut tally = Tally::new(family.name);
        for vector in vectors.families.get(family.name).into_iter().flatten() {
            let before = tally.failures.len();
            for (setting, due) in &vector.expect {
                check_plain(family.name, vector, setting, *due, reader, &mut tally);
            }
            tally.count(&vector.rule, before);
        }
        report.extend(tally.report());
    }
    report
}

fn check_plain(
    family: &'static str,
    vector: &Vector,
    setting: &'static str,
    due: Result<(), &'static str>,
    reader: &dyn Reader,
    tally: &mut Tally,
) {
    let value = vector.value.clone().unwrap_or_default();
    let due = due.map(|()| value).map_err(ToOwned::to_owned);
    let found = reader.read(family, vector, setting);
    if found != due {
        let told = |answer: Result<Json, String>| {
            answer.map_or_else(|class| format!("reject {class}"), |value| value.to_string())
        };
        let (id, expected, found) = (vector.id.clone(), told(due), told(found));
        tally.failures.push(Failure { family, id, setting, check: "read", expected, found });
    }
}

/// Counts while checking one family.
struct Tally {
    family: &'static str,
    /// By rule: vectors, and how many of them failed.
    rules: BTreeMap<String, (usize, usize)>,
    failures: Vec<Failure>,
}

impl Tally {
    fn new(family: &'static str) -> Self {
        Self { family, rules: BTreeMap::new(), failures: Vec::new() }
    }

    /// Counts a vector about `rule`; there were `before` failures when its checks began.
    fn count(&mut self, rule: &str, before: usize) {
        let (vectors, failed) = self.rules.entry(rule.to_owned()).or_default();
        *vectors += 1;
        *failed += usize::from(self.failures.len() > before);
    }

    fn report(self) -> Report {
        let family = self.family;
        let rules = self.rules.into_iter();
        Report {
            rules: rules
                .map(|(rule, (vectors, failed))| RuleCount { family, rule, vectors, failed })
                .collect(),
            failures: self.failures,
        }
    }
}
