//! The files of `vectors/`, as they stand (`vectors/README.md`): an index, one JSON file a family,
//! and plain files for bytes that are long and irregular.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

/// The name every file of the format carries.
pub(crate) const FORMAT: &str = "proofhouse-vectors";
/// The format version that is written, and the newest that is read.
pub(crate) const VERSION: u64 = 1;
/// The file that names all others.
pub(crate) const INDEX: &str = "index.json";

/// What every JSON file begins with. Read alone first: a newer version may change all the rest.
#[derive(Debug, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) version: u64,
}

/// `index.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    pub(crate) format: String,
    pub(crate) version: u64,
    pub(crate) families: Vec<FamilyEntry>,
}

/// A family's line in the index.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyEntry {
    pub(crate) family: String,
    pub(crate) vectors: usize,
    pub(crate) file: String,
    /// SHA-256 of each of the family's files by name, in hexadecimal.
    pub(crate) sha256: BTreeMap<String, String>,
}

/// One family's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyFile {
    pub(crate) format: String,
    pub(crate) version: u64,
    pub(crate) family: String,
    pub(crate) about: String,
    pub(crate) vectors: Vec<Entry>,
}

/// One vector, of whatever family.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) rule: String,
    pub(crate) meaning: String,
    pub(crate) source: String,
    /// The logical value in the family's notation; absent if the bytes stand for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(crate) value: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) diagnostic: Option<String>,
    /// What the bytes are read under, in the family's notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) given: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<Bytes>,
    /// The files of a directory by name, in families that are about directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<BTreeMap<String, Bytes>>,
    /// Outcome by setting; what a setting is, the family says.
    pub(crate) expect: BTreeMap<String, Expect>,
}

/// `null` is a value, not the absence of one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// What CBOR may be read under: limits other than the defaults.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_depth: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_len: Option<usize>,
}

/// What must become of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    Accept,
    /// Refused, with the name of the class.
    Reject(String),
}

/// Bytes: hexadecimal, or parts to be joined.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Bytes {
    Hex(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Part {
    Hex(String),
    Run(Run),
    File(FileName),
}

/// Bytes given once and repeated.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) repeat: String,
    pub(crate) times: usize,
}

/// The whole content of a file beside the index.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileName {
    pub(crate) file: String,
}

/// Longer than this, bytes are written in parts.
const HEX_LEN_MAX: usize = 1024;

/// Runs of at least this many equal bytes are written once, with a count.
const RUN_MIN: usize = 24;

impl Bytes {
    /// The notation of `bytes` without a file of their own: long runs of one byte become parts.
    pub(crate) fn in_line(bytes: &[u8]) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut plain = 0..0;
        for run in bytes.chunk_by(|a, b| a == b) {
            let end = plain.end + run.len();
            if run.len() >= RUN_MIN {
                if !plain.is_empty() {
                    parts.push(Part::Hex(hex::encode(&bytes[plain])));
                }
                let (repeat, times) = (hex::encode(&run[..1]), run.len());
                parts.push(Part::Run(Run { repeat, times }));
                plain = end..end;
            } else {
                plain.end = end;
            }
        }
        if parts.is_empty() {
            return Self::Hex(hex::encode(bytes));
        }
        if !plain.is_empty() {
            parts.push(Part::Hex(hex::encode(&bytes[plain])));
        }
        Self::Parts(parts)
    }

    /// The notation of `bytes`; what neither fits on a line nor ends in a run of one byte goes to
    /// the file `name`, which is answered too.
    pub(crate) fn of(bytes: &[u8], name: String) -> (Self, Option<(String, Vec<u8>)>) {
        if bytes.len() <= HEX_LEN_MAX {
            return (Self::Hex(hex::encode(bytes)), None);
        }
        let last = bytes[bytes.len() - 1];
        let start = bytes.iter().rposition(|byte| *byte != last).map_or(0, |at| at + 1);
        if start <= HEX_LEN_MAX {
            let run = Run { repeat: hex::encode([last]), times: bytes.len() - start };
            let parts = vec![Part::Hex(hex::encode(&bytes[..start])), Part::Run(run)];
            return (Self::Parts(parts), None);
        }
        let parts = vec![Part::File(FileName { file: name.clone() })];
        (Self::Parts(parts), Some((name, bytes.to_vec())))
    }

    /// The bytes, given the content of files by name; or what is wrong with the notation.
    pub(crate) fn resolve(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
        let decode = |digits: &String| {
            hex::decode(digits).map_err(|error| format!("bytes are not hexadecimal: {error}"))
        };
        let parts = match self {
            Self::Hex(digits) => return decode(digits),
            Self::Parts(parts) => parts,
        };
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Part::Hex(digits) => bytes.extend(decode(digits)?),
                Part::Run(run) => bytes.extend(decode(&run.repeat)?.repeat(run.times)),
                Part::File(FileName { file }) => bytes.extend(
                    files.get(file).ok_or_else(|| format!("{file} is not listed in {INDEX}"))?,
                ),
            }
        }
        Ok(bytes)
    }
}
