//! Vectors as they are checked: loaded from files, verified, typed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use entidb_engine::codec::{Limits, Profile, RejectClass, Value};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::entidb::Layout;
use crate::error::VectorsError;
use crate::families::{CBOR, FAMILIES, Family, GOLDEN_ENTIDB, SCRIPT, family};
use crate::file::{
    Bytes, Entry, Expect, FORMAT, FamilyEntry, FamilyFile, Header, INDEX, Index, Limits as Given,
    VERSION,
};
use crate::notation;
use crate::script::{Script, script};

#[cfg(test)]
mod tests;

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
    /// Scripts for drivers.
    pub scripts: Vec<Script>,
    /// All other families, by name.
    pub families: BTreeMap<&'static str, Vec<Vector>>,
}

/// A vector of a family whose values are compared as they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// Unique within the family.
    pub id: String,
    /// The rule the vector is about; vectors are counted by rule.
    pub rule: String,
    /// What the bytes are read under; `null` if the family needs nothing of the kind.
    pub given: Json,
    /// What is read.
    pub material: Material,
    /// What it stands for, if it is accepted under any setting.
    pub value: Option<Json>,
    /// Under each setting: accepted, or the class of the refusal.
    pub expect: BTreeMap<&'static str, Result<(), &'static str>>,
}

/// What a vector gives to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// The bytes of a record or file.
    Bytes(Vec<u8>),
    /// The files of a directory, by name.
    Files(BTreeMap<String, Vec<u8>>),
    /// Nothing: all is in what is given.
    Nothing,
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
        Self::read(&|name| VectorsError::reading(dir, name))
    }

    /// Loads vectors from wherever `read` finds files by name.
    pub(crate) fn read(read: &ReadFile<'_>) -> Result<Self, VectorsError> {
        let index: Index = parse(INDEX, &read(INDEX)?)?;
        let mut vectors = Self {
            cbor: Vec::new(),
            entidb: Vec::new(),
            scripts: Vec::new(),
            families: BTreeMap::new(),
        };
        for entry in &index.families {
            match (entry.family.as_str(), family(&entry.family)) {
                (CBOR, _) => vectors.cbor = load(entry, read, cbor_vector)?,
                (GOLDEN_ENTIDB, _) => vectors.entidb = load(entry, read, entidb_vector)?,
                (SCRIPT, _) => vectors.scripts = load(entry, read, |line, _| script(line))?,
                (_, Some(family)) => {
                    let loaded = load(entry, read, |line, files| vector(family, line, files))?;
                    vectors.families.insert(family.name, loaded);
                }
                _ => {
                    return Err(VectorsError::UnknownFamily {
                        file: entry.file.clone(),
                        family: entry.family.clone(),
                    });
                }
            }
        }
        vectors.require_every_family()?;
        Ok(vectors)
    }

    /// A family without vectors would be passed by checking nothing.
    fn require_every_family(&self) -> Result<(), VectorsError> {
        let typed = [
            (CBOR, self.cbor.len()),
            (GOLDEN_ENTIDB, self.entidb.len()),
            (SCRIPT, self.scripts.len()),
        ];
        let count = |name| self.families.get(name).map_or(0, Vec::len);
        let plain = FAMILIES.iter().map(|family| (family.name, count(family.name)));
        match typed.into_iter().chain(plain).find(|(_, vectors)| *vectors == 0) {
            None => Ok(()),
            Some((family, _)) => {
                Err(VectorsError::MissingFamily { file: INDEX.to_owned(), family })
            }
        }
    }
}

/// Reads a file of the directory by its name.
pub(crate) type ReadFile<'a> = dyn Fn(&str) -> Result<Vec<u8>, VectorsError> + 'a;

/// The content of a family's files, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Parses a file of the format, once its header shows that it is one this version understands.
pub(crate) fn parse<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, VectorsError> {
    let malformed = |reason| VectorsError::Malformed { file: file.to_owned(), reason };
    let syntax = |error: serde_json::Error| malformed(error.to_string());
    let header: Header = serde_json::from_slice(bytes).map_err(syntax)?;
    if header.format != FORMAT {
        return Err(malformed(format!("format {:?} is not {FORMAT:?}", header.format)));
    }
    if header.version == 0 {
        return Err(malformed("version 0, and the first is 1".to_owned()));
    }
    if header.version > VERSION {
        return Err(VectorsError::NewerFormat { file: file.to_owned(), found: header.version });
    }
    serde_json::from_slice(bytes).map_err(syntax)
}

/// Loads a family: its files as the index describes them, its vectors each by `vector`.
fn load<T>(
    entry: &FamilyEntry,
    read: &ReadFile<'_>,
    vector: impl Fn(Entry, &Files) -> Result<T, String>,
) -> Result<Vec<T>, VectorsError> {
    let malformed = |reason| VectorsError::Malformed { file: entry.file.clone(), reason };
    let files = verified(entry, read)?;
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

/// The files of a family, as the index lists them.
fn verified(entry: &FamilyEntry, read: &ReadFile<'_>) -> Result<Files, VectorsError> {
    let mut files = Files::new();
    for (name, digest) in &entry.sha256 {
        let bytes = read(name)?;
        if sha256(&bytes) != *digest {
            return Err(VectorsError::WrongDigest { file: name.clone() });
        }
        files.insert(name.clone(), bytes);
    }
    Ok(files)
}

/// The names of all files that the index leads to, each verified.
pub(crate) fn listed_files(read: &ReadFile<'_>) -> Result<BTreeSet<String>, VectorsError> {
    let index: Index = parse(INDEX, &read(INDEX)?)?;
    let mut names = BTreeSet::new();
    for entry in &index.families {
        names.extend(verified(entry, read)?.into_keys());
    }
    Ok(names)
}

/// SHA-256 in hexadecimal, as the index lists files by it.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn cbor_vector(entry: Entry, files: &Files) -> Result<CborVector, String> {
    let Material::Bytes(bytes) = material(&entry, files)? else {
        return Err("no bytes".to_owned());
    };
    let value = entry.value.as_ref().map(notation::to_value).transpose()?;
    let mut limits = Limits::default();
    if let Some(given) = entry.given {
        let given: Given = serde_json::from_value(given).map_err(|error| error.to_string())?;
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
    let Material::Bytes(bytes) = material(&entry, files)? else {
        return Err("no bytes".to_owned());
    };
    let accepted = BTreeMap::from([(ENTIDB_SETTING.to_owned(), Expect::Accept)]);
    if entry.expect != accepted || entry.given.is_some() {
        return Err(format!("anything but accepted under {ENTIDB_SETTING:?} is unknown"));
    }
    let value = entry.value.ok_or("no value")?;
    let layout = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(EntidbVector { id: entry.id, rule: entry.rule, layout, bytes })
}

fn material(entry: &Entry, files: &Files) -> Result<Material, String> {
    match (&entry.bytes, &entry.files) {
        (Some(_), Some(_)) => Err("both bytes and files".to_owned()),
        (Some(bytes), None) => bytes.resolve(files).map(Material::Bytes),
        (None, Some(named)) => {
            let resolve = |(name, bytes): (&String, &Bytes)| {
                bytes.resolve(files).map(|bytes| (name.clone(), bytes))
            };
            named.iter().map(resolve).collect::<Result<_, _>>().map(Material::Files)
        }
        (None, None) => Ok(Material::Nothing),
    }
}

fn vector(family: &Family, entry: Entry, files: &Files) -> Result<Vector, String> {
    let material = material(&entry, files)?;
    let expect = family
        .settings
        .iter()
        .map(|setting| match entry.expect.get(*setting) {
            None => Err(format!("no outcome for setting {setting:?}")),
            Some(Expect::Accept) => Ok((*setting, Ok(()))),
            Some(Expect::Reject(name)) => {
                let class = family.classes.iter().find(|class| *class == name);
                let class = class.ok_or_else(|| format!("unknown class {name:?}"))?;
                Ok((*setting, Err(*class)))
            }
        })
        .collect::<Result<BTreeMap<_, _>, String>>()?;
    if entry.expect.len() != expect.len() {
        return Err("an outcome for an unknown setting".to_owned());
    }
    if entry.value.is_some() != expect.values().any(Result::is_ok) {
        return Err("a value is given exactly if some setting accepts the bytes".to_owned());
    }
    let given = entry.given.unwrap_or_default();
    Ok(Vector { id: entry.id, rule: entry.rule, given, material, value: entry.value, expect })
}
