use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn int(number: i64) -> Value {
    Value::Integer(number)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn map(entries: &[(Value, Value)]) -> Value {
    Value::Map(Map::new(entries.to_vec()).unwrap())
}

/// `hex` is the one encoding of `value` under `profile`.
#[track_caller]
fn check(profile: Profile, value: &Value, hex: &str) {
    assert_eq!(hex::encode(encode(value, profile).unwrap()), hex);
    assert_eq!(decode(&bytes(hex), profile, &Limits::default()).as_ref(), Ok(value));
    assert_eq!(validate(&bytes(hex), profile, &Limits::default()), Ok(()));
}

/// `input` is refused at `offset`, by validation and decoding alike.
#[track_caller]
fn check_refused(profile: Profile, input: &[u8], class: RejectClass, offset: usize) {
    let refused = CodecError { class, offset };
    assert_eq!(validate(input, profile, &Limits::default()), Err(refused));
    assert_eq!(decode(input, profile, &Limits::default()), Err(refused));
}

#[test]
fn values_have_the_encodings_of_the_standard() {
    let standard = [
        (Value::Null, "f6"),
        (Value::Bool(false), "f4"),
        (Value::Bool(true), "f5"),
        (int(23), "17"),
        (int(24), "1818"),
        (int(i64::MAX), "1b7fffffffffffffff"),
        (int(-1), "20"),
        (int(i64::MIN), "3b7fffffffffffffff"),
        (Value::Bytes(vec![1, 2]), "420102"),
        (text("ü"), "62c3bc"),
        (Value::Array(vec![int(1), Value::Array(vec![])]), "820180"),
        (map(&[(text("b"), int(2)), (text("a"), int(1))]), "a2616101616202"),
    ];
    for (value, hex) in standard {
        check(Profile::Standard, &value, hex);
        check(Profile::Floats, &value, hex);
    }
}

#[test]
fn map_keys_are_ordered_by_their_encoded_bytes_not_by_length() {
    let value = map(&[(int(-1), int(2)), (int(256), int(1))]);
    check(Profile::Standard, &value, "a2190100012002");
    let length_first = bytes("a2200219010001");
    check_refused(Profile::Standard, &length_first, RejectClass::KeyOrder, 3);
}

#[test]
fn floats_take_the_shortest_width_that_preserves_them() {
    let floats = [
        (0.0, "f90000"),
        (-0.0, "f98000"),
        (1.0, "f93c00"),
        (5.960_464_477_539_063e-8, "f90001"),
        (65504.0, "f97bff"),
        (65505.0, "fa477fe100"),
        (1.1, "fb3ff199999999999a"),
        (f64::INFINITY, "f97c00"),
        (f64::NEG_INFINITY, "f9fc00"),
    ];
    for (number, hex) in floats {
        check(Profile::Floats, &Value::Float(Float::new(number).unwrap()), hex);
        check_refused(Profile::Standard, &bytes(hex), RejectClass::FloatForbidden, 0);
    }
}

#[test]
fn every_class_is_reported_with_its_offset() {
    use RejectClass as Class;
    let refused = [
        ("", Class::Empty, 0),
        ("8201", Class::Truncated, 0),
        ("82 0118", Class::Truncated, 2),
        ("a2 000001", Class::Truncated, 0),
        ("82", Class::Truncated, 0),
        ("01 00", Class::TrailingBytes, 1),
        ("81 1c", Class::ReservedInfo, 1),
        ("81 1f", Class::ReservedInfo, 1),
        ("81 9f", Class::IndefiniteLength, 1),
        ("81 ff", Class::Break, 1),
        ("81 c001", Class::Tag, 1),
        ("81 f7", Class::Undefined, 1),
        ("81 f0", Class::SimpleValue, 1),
        ("81 f816", Class::SimpleValue, 1),
        ("81 fb7ff8000000000000", Class::NotANumber, 1),
        ("81 fa3f800000", Class::NonShortest, 1),
        ("81 1817", Class::NonShortest, 1),
        ("81 1b8000000000000000", Class::IntegerRange, 1),
        ("81 62c328", Class::InvalidUtf8, 2),
        ("81 6361c328", Class::InvalidUtf8, 3),
        ("a2 0200 0100", Class::KeyOrder, 3),
        ("a2 0100 0100", Class::DuplicateKey, 3),
    ];
    for (hex, class, offset) in refused {
        check_refused(Profile::Floats, &bytes(&hex.replace(' ', "")), class, offset);
    }
}

#[test]
fn claimed_lengths_are_compared_with_the_input_before_anything_is_reserved() {
    for major in ["5a", "5b00000001", "7a", "9a", "ba", "bb00000001", "9bffffffff"] {
        let claim = bytes(&format!("{major}ffffffff"));
        check_refused(Profile::Standard, &claim, RejectClass::Truncated, 0);
    }
}

#[test]
fn limits_bound_length_and_depth() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0xf6]].concat();
    assert!(validate(&nested(MAX_DEPTH), Profile::Standard, &Limits::default()).is_ok());
    check_refused(Profile::Standard, &nested(MAX_DEPTH + 1), RejectClass::TooDeep, MAX_DEPTH);
    let limits = Limits { max_depth: usize::MAX, max_len: 1_000_000 };
    let refused = validate(&nested(100_000), Profile::Standard, &limits).unwrap_err();
    assert_eq!(refused, CodecError { class: RejectClass::TooDeep, offset: MAX_DEPTH });
    let short = Limits { max_len: 2, ..Limits::default() };
    let refused = validate(&bytes("820102"), Profile::Standard, &short).unwrap_err();
    assert_eq!(refused, CodecError { class: RejectClass::TooLarge, offset: 2 });
    let flat = Limits { max_depth: 0, ..Limits::default() };
    assert!(validate(&[0xf6], Profile::Standard, &flat).is_ok());
    assert!(validate(&[0x80], Profile::Standard, &flat).is_err());
}

#[test]
fn values_without_an_encoding_are_refused() {
    assert_eq!(Float::new(f64::NAN), Err(ValueError::NotANumber));
    let twice = vec![(int(1), Value::Null), (int(2), Value::Null), (int(1), int(1))];
    assert_eq!(Map::new(twice), Err(ValueError::DuplicateKey));
    let float = Value::Array(vec![Value::Float(Float::new(1.0).unwrap())]);
    assert_eq!(encode(&float, Profile::Standard), Err(ValueError::FloatForbidden));
    let deepest = (0..MAX_DEPTH).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    assert!(encode(&deepest, Profile::Standard).is_ok());
    let deeper = Value::Array(vec![deepest]);
    assert_eq!(encode(&deeper, Profile::Standard), Err(ValueError::TooDeep));
    assert_eq!(Map::new(vec![(deeper, Value::Null)]), Err(ValueError::TooDeep));
}

#[test]
fn map_finds_values_by_key() {
    let map = Map::new(vec![(text("name"), int(1)), (int(7), int(2))]).unwrap();
    assert_eq!(map.get(&int(7)), Some(&int(2)));
    assert_eq!(map.get(&text("name")), Some(&int(1)));
    assert_eq!(map.get(&text("none")), None);
    assert_eq!(map.entries()[0].0, int(7));
}

#[test]
fn messages_say_where_and_what_to_do() {
    let refused = validate(&bytes("a202000100"), Profile::Standard, &Limits::default());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "not canonical CBOR at byte 3: map key out of order; sort keys by their encoded bytes"
    );
}

fn any_float() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>(),
        any::<f32>().prop_map(f64::from),
        (-70000i32..70000).prop_map(f64::from)
    ]
    .prop_filter_map("is a number", |number| Float::new(number).ok().map(Value::Float))
}

fn any_integer() -> impl Strategy<Value = i64> {
    // Equal weight for each width of argument, so that head boundaries are met.
    (any::<i64>(), 0u32..64).prop_map(|(number, shift)| number >> shift)
}

fn any_value(profile: Profile) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any_integer().prop_map(Value::Integer),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        any::<String>().prop_map(Value::Text),
    ];
    let leaf = match profile {
        Profile::Standard => leaf.boxed(),
        Profile::Floats => prop_oneof![4 => leaf, 1 => any_float()].boxed(),
    };
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((inner.clone(), inner), 0..6)
                .prop_filter_map("has no key twice", |entries| Map::new(entries).ok())
                .prop_map(Value::Map),
        ]
    })
    .boxed()
}

fn any_profile() -> impl Strategy<Value = Profile> {
    prop_oneof![Just(Profile::Standard), Just(Profile::Floats)]
}

/// Canonical bytes with one byte replaced, removed or inserted.
fn any_mutant() -> impl Strategy<Value = Vec<u8>> {
    (any_value(Profile::Floats), any::<prop::sample::Index>(), 0..3, any::<u8>()).prop_map(
        |(value, index, kind, byte)| {
            let mut bytes = encode(&value, Profile::Floats).unwrap();
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
            bytes
        },
    )
}

/// Small heads often, so that arbitrary bytes get past the first item.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![any::<u8>(), 0u8..4, Just(0x81), Just(0xa1), Just(0x82), Just(0x61)], 0..60)
}

/// Both entry points agree, and what they accept is the encoding of what they decode.
fn bijective(bytes: &[u8], profile: Profile) -> Result<(), TestCaseError> {
    let decoded = decode(bytes, profile, &Limits::default());
    let validated = validate(bytes, profile, &Limits::default());
    prop_assert_eq!(decoded.as_ref().map(|_| ()).map_err(|refused| *refused), validated);
    match decoded {
        Ok(value) => prop_assert_eq!(encode(&value, profile).unwrap(), bytes),
        Err(refused) => prop_assert!(refused.offset <= bytes.len()),
    }
    Ok(())
}

proptest! {
    #[test]
    fn standard_values_round_trip(value in any_value(Profile::Standard)) {
        let bytes = encode(&value, Profile::Standard).unwrap();
        for profile in [Profile::Standard, Profile::Floats] {
            let decoded = decode(&bytes, profile, &Limits::default());
            prop_assert_eq!(decoded.as_ref(), Ok(&value));
        }
    }

    #[test]
    fn float_values_round_trip(value in any_value(Profile::Floats)) {
        let bytes = encode(&value, Profile::Floats).unwrap();
        prop_assert_eq!(decode(&bytes, Profile::Floats, &Limits::default()), Ok(value));
    }

    #[test]
    fn arbitrary_bytes_are_accepted_only_if_canonical(
        bytes in any_bytes(),
        profile in any_profile(),
    ) {
        bijective(&bytes, profile)?;
    }

    #[test]
    fn mutated_bytes_are_accepted_only_if_canonical(
        bytes in any_mutant(),
        profile in any_profile(),
    ) {
        bijective(&bytes, profile)?;
    }

    #[test]
    fn every_proper_prefix_is_refused(value in any_value(Profile::Floats)) {
        let bytes = encode(&value, Profile::Floats).unwrap();
        for len in 0..bytes.len() {
            let refused = validate(&bytes[..len], Profile::Floats, &Limits::default());
            let class = if len == 0 { RejectClass::Empty } else { RejectClass::Truncated };
            prop_assert_eq!(refused.unwrap_err().class, class);
        }
    }
}
