//! Vectors as they are checked: loaded from files, verified, typed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use entidb_engine::codec::{Limits, Profile, RejectClass, Value};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::entidb::Layout;
use crate::error::VectorsError;
use crate::file::{Entry, Expect, FORMAT, FamilyEntry, FamilyFile, Header, INDEX, Index, VERSION};
use crate::notation;

#[cfg(test)]
mod tests;

/// The family of canonical CBOR.
pub(crate) const CBOR: &str = "cbor";
/// The family of `EntiDB`'s own records and files.
pub(crate) const GOLDEN_ENTIDB: &str = "golden-entidb";
/// The one setting of [`GOLDEN_ENTIDB`].
pub(crate) const ENTIDB_SETTING: &str = "entidb-1.0";

/// The profiles under which CBOR vectors are checked.
pub(crate) const PROFILES: [Profile; 2] = [Profile::Standard, Profile::Floats];

/// A profile's name in files.
pub(crate) fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Standard => "standard",
        Profile::Floats => "floats",
    }
}

/// All vectors of a directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Canonical CBOR.
    pub cbor: Vec<CborVector>,
    /// `EntiDB`'s own records and files.
    pub entidb: Vec<EntidbVector>,
}

/// Bytes and what a codec must make of them.
#[derive(Debug, Clone, PartialEq)]
pub struct CborVector {
    /// Unique within the family.
    pub id: String,
    /// The rule the vector is about; vectors are counted by rule.
    pub rule: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What the bytes stand for, if they are accepted under any profile.
    pub value: Option<Value>,
    /// The limits to decode under.
    pub limits: Limits,
    /// Under each profile: accepted, or the class of the refusal.
    pub expect: Vec<(Profile, Result<(), RejectClass>)>,
}

/// A record or file of `EntiDB`'s, by fields and by bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct EntidbVector {
    /// Unique within the family.
    pub id: String,
    /// The rule the vector is about; vectors are counted by rule.
    pub rule: String,
    /// The fields.
    pub layout: Layout,
    /// The bytes `EntiDB` writes for them.
    pub bytes: Vec<u8>,
}

impl Vectors {
    /// Loads the vectors of a directory.
    ///
    /// # Errors
    /// Which file is missing, damaged, of a newer format or of an unknown family.
    pub fn load(dir: &Path) -> Result<Self, VectorsError> {
        Self::read(&|name| {
            fs::read(dir.join(name)).map_err(|source| VectorsError::Unreadable {
                file: dir.join(name).display().to_string(),
                source,
            })
        })
    }

    /// Loads vectors from wherever `read` finds files by name.
    pub(crate) fn read(read: &ReadFile<'_>) -> Result<Self, VectorsError> {
        let index: Index = parse(INDEX, &read(INDEX)?)?;
        let mut vectors = Self { cbor: Vec::new(), entidb: Vec::new() };
        for entry in &index.families {
            match entry.family.as_str() {
                CBOR => vectors.cbor = family(entry, read, cbor_vector)?,
                GOLDEN_ENTIDB => vectors.entidb = family(entry, read, entidb_vector)?,
                _ => {
                    return Err(VectorsError::UnknownFamily {
                        file: entry.file.clone(),
                        family: entry.family.clone(),
                    });
                }
            }
        }
        for (family, is_empty) in
            [(CBOR, vectors.cbor.is_empty()), (GOLDEN_ENTIDB, vectors.entidb.is_empty())]
        {
            if is_empty {
                return Err(VectorsError::MissingFamily { file: INDEX.to_owned(), family });
            }
        }
        Ok(vectors)
    }
}

/// Reads a file of the directory by its name.
pub(crate) type ReadFile<'a> = dyn Fn(&str) -> Result<Vec<u8>, VectorsError> + 'a;

/// The content of a family's files, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Parses a file of the format, once its header shows that it is one this version understands.
fn parse<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, VectorsError> {
    let malformed = |reason| VectorsError::Malformed { file: file.to_owned(), reason };
    let syntax = |error: serde_json::Error| malformed(error.to_string());
    let header: Header = serde_json::from_slice(bytes).map_err(syntax)?;
    if header.format != FORMAT {
        return Err(malformed(format!("format {:?} is not {FORMAT:?}", header.format)));
    }
    if header.version > VERSION {
        return Err(VectorsError::NewerFormat { file: file.to_owned(), found: header.version });
    }
    serde_json::from_slice(bytes).map_err(syntax)
}

/// Loads a family: its files as the index describes them, its vectors each by `vector`.
fn family<T>(
    entry: &FamilyEntry,
    read: &ReadFile<'_>,
    vector: impl Fn(Entry, &Files) -> Result<T, String>,
) -> Result<Vec<T>, VectorsError> {
    let malformed = |reason| VectorsError::Malformed { file: entry.file.clone(), reason };
    let mut files = Files::new();
    for (name, digest) in &entry.sha256 {
        let bytes = read(name)?;
        if sha256(&bytes) != *digest {
            return Err(VectorsError::WrongDigest { file: name.clone() });
        }
        files.insert(name.clone(), bytes);
    }
    let text = files.get(&entry.file).ok_or_else(|| malformed(format!("no digest in {INDEX}")))?;
    let family: FamilyFile = parse(&entry.file, text)?;
    if family.family != entry.family {
        return Err(malformed(format!("holds family {:?}, not {:?}", family.family, entry.family)));
    }
    if family.vectors.len() != entry.vectors {
        let found = family.vectors.len();
        return Err(malformed(format!("{found} vectors, {} in {INDEX}", entry.vectors)));
    }
    let mut ids = BTreeSet::new();
    let mut vectors = Vec::new();
    for line in family.vectors {
        let id = line.id.clone();
        let refused =
            |reason| VectorsError::Vector { file: entry.file.clone(), id: id.clone(), reason };
        if !ids.insert(id.clone()) {
            return Err(refused("the id is used twice".to_owned()));
        }
        vectors.push(vector(line, &files).map_err(refused)?);
    }
    Ok(vectors)
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn cbor_vector(entry: Entry, files: &Files) -> Result<CborVector, String> {
    let bytes = entry.bytes.resolve(files)?;
    let value = entry.value.as_ref().map(notation::to_value).transpose()?;
    let mut limits = Limits::default();
    if let Some(given) = entry.limits {
        limits.max_depth = given.max_depth.unwrap_or(limits.max_depth);
        limits.max_len = given.max_len.unwrap_or(limits.max_len);
    }
    let expect = PROFILES
        .into_iter()
        .map(|profile| match entry.expect.get(profile_name(profile)) {
            Some(expect) => Ok((profile, outcome(expect)?)),
            None => Err(format!("no outcome for profile {:?}", profile_name(profile))),
        })
        .collect::<Result<Vec<_>, String>>()?;
    if entry.expect.len() != PROFILES.len() {
        return Err("an outcome for an unknown profile".to_owned());
    }
    if value.is_some() != expect.iter().any(|(_, outcome)| outcome.is_ok()) {
        return Err("a value is given exactly if some profile accepts the bytes".to_owned());
    }
    Ok(CborVector { id: entry.id, rule: entry.rule, bytes, value, limits, expect })
}

fn outcome(expect: &Expect) -> Result<Result<(), RejectClass>, String> {
    match expect {
        Expect::Accept => Ok(Ok(())),
        Expect::Reject(name) => RejectClass::ALL
            .into_iter()
            .find(|class| class.name() == name)
            .map(Err)
            .ok_or_else(|| format!("unknown class {name:?}")),
    }
}

fn entidb_vector(entry: Entry, files: &Files) -> Result<EntidbVector, String> {
    let bytes = entry.bytes.resolve(files)?;
    let accepted = BTreeMap::from([(ENTIDB_SETTING.to_owned(), Expect::Accept)]);
    if entry.expect != accepted || entry.limits.is_some() {
        return Err(format!("anything but accepted under {ENTIDB_SETTING:?} is unknown"));
    }
    let value = entry.value.ok_or("no value")?;
    let layout = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(EntidbVector { id: entry.id, rule: entry.rule, layout, bytes })
}
