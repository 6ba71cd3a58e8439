//! Canonical CBOR: the vectors, and the law that accepted bytes encode to themselves.

use entidb_engine::codec::{Limits, Map, Profile, Value};
use proofhouse_golden::{Codec, EngineCodec, VectorsError, check, embedded};
use proofhouse_model::rng::Rng;

use super::{Context, Measured, Room};
use crate::finding::{Finding, Kind, World};
use crate::verdict::{Evidence, Reason};

/// The codec.
pub(super) const ROOM: Room = Room {
    name: "canonical CBOR",
    claims: &["AC-12.vectors", "AC-12.bijection"],
    split: false,
    measure,
};

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    match vectors(&EngineCodec) {
        Ok((count, failure)) => {
            measured.show("AC-12.vectors", Evidence::of(count, count, "vectors"));
            measured.findings.extend(failure.map(|story| finding(context, "AC-12.vectors", story)));
        }
        Err(error) => {
            let evidence = Evidence::stopped(Reason::MissingTool, error.to_string());
            measured.show("AC-12.vectors", evidence);
        }
    }
    let cases = context.scale.cbor_values;
    let failure =
        (0..cases).find_map(|case| breaks_bijection(&EngineCodec, context.seed_of("cbor", case)));
    measured.show("AC-12.bijection", Evidence::of(cases, cases, "values"));
    measured.findings.extend(failure.map(|story| finding(context, "AC-12.bijection", story)));
    measured
}

fn finding(context: &Context, claim: &'static str, story: String) -> Finding {
    let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
    context.with_measurement(finding)
}

/// The vectors' number, and the first that a codec fails.
///
/// # Errors
/// The vectors carried in this program cannot be read.
pub(crate) fn vectors(codec: &dyn Codec) -> Result<(u64, Option<String>), VectorsError> {
    let report = check(&embedded()?, codec);
    Ok((report.vectors() as u64, report.failures.first().map(ToString::to_string)))
}

/// How a value and a mutation of its encoding break the law, if they do.
pub(crate) fn breaks_bijection(codec: &dyn Codec, seed: u64) -> Option<String> {
    let mut rng = Rng::new(seed);
    let limits = Limits::default();
    let value = value(&mut rng, 3);
    let bytes = match codec.encode(&value, Profile::Standard) {
        Ok(bytes) => bytes,
        Err(error) => return Some(format!("{value:?} does not encode: {error}")),
    };
    if codec.decode(&bytes, Profile::Standard, &limits).as_ref() != Ok(&value) {
        return Some(format!("{} does not decode to {value:?}", hex::encode(bytes)));
    }
    let mut mutated = bytes;
    let at = usize::try_from(rng.below(mutated.len() as u64)).unwrap_or_default();
    if let Some(byte) = mutated.get_mut(at) {
        *byte ^= 1 << rng.below(8);
    }
    let decoded = codec.decode(&mutated, Profile::Standard, &limits).ok()?;
    let again = codec.encode(&decoded, Profile::Standard);
    (again.as_ref() != Ok(&mutated))
        .then(|| format!("{} is accepted and encodes otherwise", hex::encode(mutated)))
}

/// A value of limited depth.
fn value(rng: &mut Rng, depth: u32) -> Value {
    let few = |rng: &mut Rng| usize::try_from(rng.below(5)).unwrap_or_default();
    match rng.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => Value::Bool(rng.chance(50)),
        2 => Value::Integer((rng.next() >> rng.below(64)).cast_signed()),
        3 => Value::Bytes(rng.next().to_be_bytes()[..few(rng)].to_vec()),
        4 => Value::Text("canonical"[..few(rng)].to_owned()),
        5 => Value::Array((0..few(rng)).map(|_| value(rng, depth - 1)).collect()),
        _ => map(rng, depth),
    }
}

fn map(rng: &mut Rng, depth: u32) -> Value {
    let entries = (0..rng.below(5)).map(|_| (value(rng, 0), value(rng, depth - 1))).collect();
    // Keys may repeat by chance: an empty map is as good a value.
    Value::Map(Map::new(entries).unwrap_or_default())
}
