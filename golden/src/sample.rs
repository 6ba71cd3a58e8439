//! Damaged vectors: what a seed makes of the vectors, with the engine's answer as what is due.
//!
//! A reader in another language that agrees with all vectors may still take other damage for good.
//! A sample has the format of the vectors, so it is checked by the same command. Nothing of it is
//! kept: the engine's answer to damage is no specification.

mod damage;

use std::collections::BTreeMap;

use entidb_engine::codec::{Limits, RejectClass, Value};
use proofhouse_model::rng::Rng;

use crate::embedded::{embedded, embedded_file};
use crate::error::VectorsError;
use crate::families::{self, CBOR, FAMILIES, GOLDEN_ENTIDB, SCRIPT};
use crate::file::{Bytes, Entry, Expect, FamilyFile, Limits as Given};
use crate::generate::{Family, assemble};
use crate::notation;
use crate::reader::{EngineReader, Reader};
use crate::vectors::{CborVector, Material, PROFILES, Vector, parse, profile_name};
use crate::{Codec, EngineCodec};

#[cfg(test)]
mod tests;

/// What a reader must not take from a vector that was not damaged.
const RULE: &str = "damaged";

/// So many of a hundred are made of a vector that some setting accepts, and the others of any vector,
/// accepted or not: what damage does to one that is refused anyway seldom shows.
const ACCEPTED: u64 = 80;

/// A directory of damaged vectors, `count` of each family: files by name.
///
/// `EntiDB`'s own records are never refused, and scripts are no bytes: of these two, the first vectors are
/// there as they are, for vectors that lack a family are refused.
///
/// # Errors
/// The vectors carried in this program cannot be read.
pub fn sample(seed: u64, count: usize) -> Result<BTreeMap<String, Vec<u8>>, VectorsError> {
    let vectors = embedded()?;
    let mut rng = Rng::new(seed);
    let cbor = Choice::of(&vectors.cbor, |it| it.value.is_some());
    let mut sampled = vec![
        family(CBOR, "cbor.json", cbor.sample(count, &mut rng, damaged_cbor)),
        untouched(GOLDEN_ENTIDB, "golden_entidb.json", count)?,
    ];
    for plain in FAMILIES {
        let all = vectors.families.get(plain.name).map_or(&[][..], Vec::as_slice);
        let choice = Choice::of(all, |it| it.value.is_some());
        let entries = choice
            .sample(count, &mut rng, |vector, number, rng| damaged(plain, vector, number, rng));
        sampled.push(family(plain.name, plain.file, entries));
    }
    sampled.push(untouched(SCRIPT, "script.json", count)?);
    Ok(assemble(sampled))
}

/// The vectors of a family, and those of them that have a value: some setting accepts them.
struct Choice<'a, V> {
    all: &'a [V],
    accepted: Vec<&'a V>,
}

impl<'a, V> Choice<'a, V> {
    fn of(all: &'a [V], has_value: impl Fn(&V) -> bool) -> Self {
        Self { all, accepted: all.iter().filter(|it| has_value(it)).collect() }
    }

    /// So many vectors, each damaged and numbered.
    fn sample(
        &self,
        count: usize,
        rng: &mut Rng,
        damaged: impl Fn(&V, usize, &mut Rng) -> Entry,
    ) -> Vec<Entry> {
        let entry = |number| Some(damaged(self.pick(rng)?, number, rng));
        (0..count).filter_map(entry).collect()
    }

    fn pick(&self, rng: &mut Rng) -> Option<&'a V> {
        let accepted = if rng.chance(ACCEPTED) { rng.pick(&self.accepted).copied() } else { None };
        accepted.or_else(|| rng.pick(self.all))
    }
}

/// The first vectors of a family, as they are.
fn untouched(name: &'static str, file: &'static str, count: usize) -> Result<Family, VectorsError> {
    let published: FamilyFile = parse(file, &embedded_file(file)?)?;
    Ok(family(name, file, published.vectors.into_iter().take(count).collect()))
}

fn family(name: &'static str, file: &'static str, entries: Vec<Entry>) -> Family {
    let about = "Of a sample of damaged vectors.";
    Family { name, file, about, entries, files: BTreeMap::new() }
}

fn damaged_cbor(vector: &CborVector, number: usize, rng: &mut Rng) -> Entry {
    let mut bytes = vector.bytes.clone();
    let story = damage::bytes(&mut bytes, rng);
    let answers = PROFILES.map(|profile| EngineCodec.decode(&bytes, profile, &vector.limits));
    let value = answers.iter().find_map(|answer| answer.as_ref().ok()).map(notation::from_value);
    let names = PROFILES.map(|profile| profile_name(profile).to_owned());
    let due = |answer: Result<Value, RejectClass>| match answer {
        Ok(_) => Expect::Accept,
        Err(class) => Expect::Reject(class.name().to_owned()),
    };
    let limits = (vector.limits != Limits::default()).then_some(Given {
        max_depth: Some(vector.limits.max_depth),
        max_len: Some(vector.limits.max_len),
    });
    Entry {
        given: limits.and_then(|limits| serde_json::to_value(limits).ok()),
        value,
        bytes: Some(Bytes::in_line(&bytes)),
        expect: names.into_iter().zip(answers.map(due)).collect(),
        ..entry(&vector.id, number, &story)
    }
}

fn damaged(family: &families::Family, vector: &Vector, number: usize, rng: &mut Rng) -> Entry {
    let mut vector = vector.clone();
    // A vector's rule may say how it is read.
    let rule = vector.rule.clone();
    let story = damage::vector(family.name, &mut vector, rng);
    let mut value = None;
    let mut expect = BTreeMap::new();
    for setting in family.settings {
        let due = match EngineReader.read(family.name, &vector, setting) {
            Ok(found) => {
                value = Some(found);
                Expect::Accept
            }
            Err(class) => Expect::Reject(class),
        };
        expect.insert((*setting).to_owned(), due);
    }
    let named = |files: BTreeMap<String, Vec<u8>>| {
        files.into_iter().map(|(name, bytes)| (name, Bytes::in_line(&bytes))).collect()
    };
    let (bytes, files) = match vector.material {
        Material::Bytes(bytes) => (Some(Bytes::in_line(&bytes)), None),
        Material::Files(files) => (None, Some(named(files))),
        Material::Nothing => (None, None),
    };
    let given = Some(vector.given).filter(|given| !given.is_null());
    let rule = if family.name == families::NAME { rule } else { RULE.to_owned() };
    Entry { rule, value, given, bytes, files, expect, ..entry(&vector.id, number, &story) }
}

/// A vector that lacks what is read and what is due.
fn entry(from: &str, number: usize, story: &str) -> Entry {
    Entry {
        id: format!("{RULE}/{number:04}"),
        rule: RULE.to_owned(),
        meaning: format!("{from}: {story}"),
        source: "the engine".to_owned(),
        value: None,
        diagnostic: None,
        given: None,
        bytes: None,
        files: None,
        expect: BTreeMap::new(),
    }
}
