//! The inputs that fuzzing begins with, and the words of the dictionaries: made from the golden
//! vectors, the plan generator and what the harness itself writes. Nothing here is written by hand.

mod files;

use std::collections::{BTreeMap, BTreeSet};

use proofhouse_golden::{Material, Vector};
use proofhouse_golden::{Vectors, VectorsError, embedded, families};
use proofhouse_model::rng::Rng;
use proofhouse_model::{GenerateProfile, generate};
use serde_json::Value as Json;

use crate::{TARGETS, cbor, directory, ops, plan, segment, sidecar, wal};

/// What a target begins with.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// Inputs.
    pub seeds: BTreeSet<Vec<u8>>,
    /// Pieces that inputs are made of.
    pub words: BTreeSet<Vec<u8>>,
}

/// The most words of a dictionary: with more, each is tried too seldom.
const WORDS: usize = 128;

/// Plans to begin with.
const PLANS: u64 = 48;

/// What each target begins with, by its name.
///
/// # Errors
/// The vectors carried in this crate cannot be read; a test of theirs holds that they can.
pub fn all() -> Result<BTreeMap<&'static str, Beginning>, VectorsError> {
    let vectors = embedded()?;
    let mut all = BTreeMap::new();
    for target in &TARGETS {
        let mut beginning = match target.name {
            "cbor_decode" => cbor_decode(&vectors),
            "cbor_structured" => cbor_structured(&vectors),
            "wal_bytes" => wal_bytes(&vectors),
            "segment_bytes" => segment_bytes(&vectors),
            "manifest_bytes" => manifest_bytes(&vectors),
            "sidecar_bytes" => sidecar_bytes(),
            "directory_open" => directory_open(&vectors),
            "ops_differential" => plans(&[], &GenerateProfile::differential(), ops::OPS),
            "ops_crash" => plans(&[0; ops::CRASH_HEAD], &GenerateProfile::crash(), ops::CRASH_OPS),
            "trace_file" => files::traces(),
            "case_file" => files::cases(),
            _ => files::conversations(),
        };
        beginning.seeds.retain(|seed| seed.len() <= target.len_max);
        beginning.words = beginning.words.into_iter().take(WORDS).collect();
        all.insert(target.name, beginning);
    }
    Ok(all)
}

/// A dictionary as libFuzzer reads it.
pub fn dictionary(words: &BTreeSet<Vec<u8>>) -> String {
    let line = |word: &Vec<u8>| {
        let escaped = word.iter().map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        });
        format!("\"{}\"\n", escaped.collect::<String>())
    };
    words.iter().map(line).collect()
}

fn cbor_decode(vectors: &Vectors) -> Beginning {
    let mut beginning = Beginning::default();
    for vector in &vectors.cbor {
        for flags in [0, cbor::FLOATS, cbor::SMALL] {
            beginning.seeds.insert([&[flags], vector.bytes.as_slice()].concat());
        }
        // An entry without bytes is none for libFuzzer, and ends it.
        if (1..=9).contains(&vector.bytes.len()) {
            beginning.words.insert(vector.bytes.clone());
        }
    }
    beginning
}

/// The bytes of vectors serve as choices, too: they have all widths of numbers.
fn cbor_structured(vectors: &Vectors) -> Beginning {
    let mut rng = Rng::new(1);
    let random = (0..64).map(|_| (0..12).flat_map(|_| rng.next().to_le_bytes()).collect());
    let seeds = vectors.cbor.iter().map(|vector| vector.bytes.clone()).chain(random).collect();
    Beginning { seeds, words: BTreeSet::new() }
}

/// The vectors of a family that are bytes.
fn bytes_of<'a>(
    vectors: &'a Vectors,
    family: &str,
) -> impl Iterator<Item = (&'a Vector, &'a [u8])> {
    let all = vectors.families.get(family).map_or(&[][..], Vec::as_slice);
    all.iter().filter_map(|vector| match &vector.material {
        Material::Bytes(bytes) => Some((vector, bytes.as_slice())),
        Material::Files(_) | Material::Nothing => None,
    })
}

fn is_given(vector: &Vector, field: &str, number: u64) -> bool {
    vector.given[field].as_str() == Some(number.to_string().as_str())
}

/// The pieces at the start of all vectors of a family that have this length.
fn heads(vectors: &Vectors, family: &str, len: usize) -> BTreeSet<Vec<u8>> {
    bytes_of(vectors, family)
        .filter_map(|(_, bytes)| bytes.get(..len))
        .map(<[u8]>::to_vec)
        .collect()
}

fn wal_bytes(vectors: &Vectors) -> Beginning {
    let seeds = bytes_of(vectors, families::WAL_LOG).filter(|(vector, _)| {
        let collections = Json::from(wal::COLLECTIONS.map(|id| id.to_string()).to_vec());
        is_given(vector, "generation", wal::GENERATION.into())
            && is_given(vector, "cut", wal::CUT)
            && vector.given["collections"] == collections
    });
    let seeds = seeds.map(|(_, bytes)| [&[0, 128], bytes].concat()).collect();
    Beginning { seeds, words: heads(vectors, families::WAL_RECORD, 7) }
}

fn segment_bytes(vectors: &Vectors) -> Beginning {
    let seeds = bytes_of(vectors, families::SEGMENT)
        .filter(|(vector, _)| is_given(vector, "last_checkpoint", segment::LAST_CHECKPOINT));
    let seeds = seeds.map(|(_, bytes)| [&[0], bytes].concat()).collect();
    Beginning { seeds, words: heads(vectors, families::SEGMENT_RECORD, 8) }
}

fn manifest_bytes(vectors: &Vectors) -> Beginning {
    let seeds = bytes_of(vectors, families::MANIFEST).map(|(_, bytes)| [&[0], bytes].concat());
    let mut words = heads(vectors, families::MANIFEST, 10);
    words.insert(b"EMFT\x01\0".to_vec());
    Beginning { seeds: seeds.collect(), words }
}

fn sidecar_bytes() -> Beginning {
    let genuine = sidecar::fixture().map(sidecar::Fixture::genuine).unwrap_or_default();
    let mut seeds = BTreeSet::new();
    for flags in 0..4 {
        let mut damaged = [&[flags], genuine].concat();
        seeds.insert(damaged.clone());
        seeds.insert(damaged[..damaged.len() / 2].to_vec());
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        seeds.insert(damaged);
    }
    Beginning {
        seeds,
        words: genuine.first_chunk::<8>().map(|it| it.to_vec()).into_iter().collect(),
    }
}

fn directory_open(vectors: &Vectors) -> Beginning {
    let mut beginning = Beginning::default();
    let all = vectors.families.get(families::STORE).map_or(&[][..], Vec::as_slice);
    for vector in all {
        if let Material::Files(files) = &vector.material {
            beginning.seeds.insert(directory::pack(0, files));
        }
    }
    let whole = sidecar::fixture().map(|fixture| fixture.files().clone()).unwrap_or_default();
    beginning.seeds.insert(directory::pack(directory::RESEAL, &whole));
    for (family, len) in [(families::MANIFEST, 10), (families::WAL_RECORD, 7)] {
        beginning.words.extend(heads(vectors, family, len));
    }
    beginning
}

fn plans(head: &[u8], profile: &GenerateProfile, ops: usize) -> Beginning {
    let mut seeds = BTreeSet::new();
    for seed in 0..PLANS {
        let mut plan = generate(seed, profile);
        plan.ops.truncate(ops);
        plan.settings.wal_reserve = 512 << (seed % 4);
        let stride = seed.to_le_bytes()[0].wrapping_mul(37);
        let mut input = head.to_vec();
        if let [medium, first, step] = input.as_mut_slice() {
            (*medium, *first, *step) = (stride & 1, stride, stride / 8);
        }
        input.extend(plan::write(&plan));
        seeds.insert(input);
    }
    Beginning { seeds, words: BTreeSet::new() }
}
