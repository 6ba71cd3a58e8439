use entidb_engine::codec::{Limits, ValueError};

use super::*;
use crate::families::RELEASE;
use crate::{EngineCodec, EngineLayouts, EngineReader, Naive, embedded};

/// The rules whose vectors a codec fails.
fn failing(codec: &dyn Codec) -> Vec<String> {
    let report = check(&embedded().unwrap(), codec);
    assert_eq!(report.passed(), report.failures.is_empty());
    let failing = report.rules.into_iter().filter(|rule| rule.failed > 0);
    failing.map(|rule| rule.rule).collect()
}

/// The engine's codec, but for what a function changes in its answers.
struct Altered<D, V, E> {
    decode: D,
    validate: V,
    encode: E,
}

impl<D, V, E> Codec for Altered<D, V, E>
where
    D: Fn(Result<Value, RejectClass>) -> Result<Value, RejectClass>,
    V: Fn(Result<(), RejectClass>) -> Result<(), RejectClass>,
    E: Fn(Vec<u8>) -> Vec<u8>,
{
    fn decode(
        &self,
        bytes: &[u8],
        profile: Profile,
        limits: &Limits,
    ) -> Result<Value, RejectClass> {
        (self.decode)(EngineCodec.decode(bytes, profile, limits))
    }

    fn validate(&self, bytes: &[u8], profile: Profile, limits: &Limits) -> Result<(), RejectClass> {
        (self.validate)(EngineCodec.validate(bytes, profile, limits))
    }

    fn encode(&self, value: &Value, profile: Profile) -> Result<Vec<u8>, ValueError> {
        EngineCodec.encode(value, profile).map(&self.encode)
    }
}

#[test]
fn the_engine_and_the_naive_codec_satisfy_every_vector() {
    assert_eq!(failing(&EngineCodec), [""; 0]);
    assert_eq!(failing(&Naive::BYTEWISE), [""; 0]);
}

#[test]
fn length_first_order_fails_exactly_the_rules_of_order() {
    assert_eq!(failing(&Naive::LENGTH_FIRST), ["key-disorder", "key-order"]);
}

#[test]
fn each_answer_of_a_codec_is_checked() {
    let all_rules = check(&embedded().unwrap(), &EngineCodec).rules.len();
    let (same, accept, empty) = (|it| it, |_| Ok(()), |_| Vec::new());
    let lax = failing(&Altered { decode: |it| it, validate: accept, encode: |it| it });
    assert!(lax.contains(&"utf8-invalid".to_owned()) && lax.len() < all_rules, "{lax:?}");
    let silent = failing(&Altered { decode: |it| it, validate: same, encode: empty });
    assert!(silent.contains(&"utf8".to_owned()) && silent.len() < all_rules, "{silent:?}");
    let null = |it: Result<Value, _>| it.map(|_| Value::Null);
    let blind = failing(&Altered { decode: null, validate: same, encode: |it| it });
    assert!(blind.contains(&"utf8".to_owned()) && blind.len() < all_rules, "{blind:?}");
    let vague = |it: Result<Value, _>| it.map_err(|_| RejectClass::Truncated);
    let vague = failing(&Altered { decode: vague, validate: same, encode: |it| it });
    assert!(vague.contains(&"utf8-invalid".to_owned()) && vague.len() < all_rules, "{vague:?}");
}

#[test]
fn failures_tell_vector_profile_and_both_answers() {
    let report = check(&embedded().unwrap(), &Naive::LENGTH_FIRST);
    let failure = report.failures.iter().find(|it| it.id == "key-order/256-before--1");
    assert_eq!(
        failure.unwrap().to_string(),
        "cbor key-order/256-before--1 (standard): validate: expected accept, found reject key-order"
    );
    let found: Vec<_> = report.failures.iter().filter(|it| it.check == "encode").collect();
    assert_eq!(found[0].expected, "h'a2190100012002'");
    assert_eq!(found[0].found, "h'a2200219010001'");
}

#[test]
fn counts_add_up_by_rule() {
    let vectors = embedded().unwrap();
    let report = check(&vectors, &EngineCodec);
    assert_eq!(report.vectors(), vectors.cbor.len());
    let appendix = report.rules.iter().find(|rule| rule.rule == "appendix-a").unwrap();
    assert_eq!(appendix.vectors, 81, "the examples of RFC 8949, appendix A");
}

#[test]
fn nothing_checked_is_not_passed() {
    let nothing = Report { rules: Vec::new(), failures: Vec::new() };
    assert!(!nothing.passed());
}

#[test]
fn the_fields_of_entidb_vectors_give_their_bytes() {
    for vector in embedded().unwrap().entidb {
        let written = vector.layout.to_bytes().unwrap();
        assert_eq!(hex::encode(written), hex::encode(&vector.bytes), "{}", vector.id);
    }
}

#[test]
fn the_engine_writes_and_recognises_the_records_of_entidb() {
    let report = check_layouts(&embedded().unwrap(), &EngineLayouts);
    assert!(report.passed(), "{:?}", report.failures);
    assert_eq!(report.vectors(), 10);
}

#[test]
fn a_changed_entidb_record_is_noticed() {
    let mut vectors = embedded().unwrap();
    for vector in &mut vectors.entidb {
        vector.bytes[5] ^= 1;
    }
    let failures = check_layouts(&vectors, &EngineLayouts).failures;
    let failed = |check| failures.iter().filter(|failure| failure.check == check).count();
    assert_eq!((failed("write"), failed("recognise")), (10, 10));
}

#[test]
fn the_engine_reads_what_every_vector_says() {
    let report = check_families(&embedded().unwrap(), &EngineReader);
    let told: Vec<_> = report.failures.iter().take(10).map(ToString::to_string).collect();
    assert!(report.passed(), "{} failures: {told:#?}", report.failures.len());
}

/// Which families fail once `change` was done to each of their vectors that it applies to.
fn families_failing(change: impl Fn(&mut Vector) -> bool) -> Vec<&'static str> {
    let mut vectors = embedded().unwrap();
    for vector in vectors.families.values_mut().flatten() {
        change(vector);
    }
    let mut failing: Vec<_> =
        check_families(&vectors, &EngineReader).failures.iter().map(|it| it.family).collect();
    failing.dedup();
    failing
}

fn plain_families() -> Vec<&'static str> {
    FAMILIES.iter().map(|family| family.name).collect()
}

#[test]
fn a_changed_value_is_noticed_in_every_family() {
    let failing = families_failing(|vector| {
        let Some(Json::Object(value)) = &mut vector.value else { return false };
        value.insert("unheard-of".to_owned(), Json::Null).is_none()
    });
    assert_eq!(failing, plain_families());
}

#[test]
fn a_refusal_for_another_class_is_noticed_in_every_family_that_refuses() {
    let failing = families_failing(|vector| {
        let refused = vector.expect.values_mut().filter(|due| due.is_err());
        refused.map(|due| *due = Err("unheard-of")).count() > 0
    });
    let refusing = FAMILIES.iter().filter(|family| !family.classes.is_empty());
    assert_eq!(failing, refusing.map(|family| family.name).collect::<Vec<_>>());
}

#[test]
fn every_class_of_every_family_has_a_vector() {
    let vectors = embedded().unwrap();
    // What releases wrote is sound; only its damage is refused for other classes.
    for family in FAMILIES.iter().filter(|family| family.name != RELEASE) {
        for class in family.classes {
            let mut due = vectors.families[family.name].iter().flat_map(|it| it.expect.values());
            assert!(due.any(|due| *due == Err(class)), "{}: {class}", family.name);
        }
    }
}
