use entidb_engine::codec;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::embedded;

/// Both codecs make the same of `bytes`, and of what they decode to.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    for profile in [Profile::Standard, Profile::Floats] {
        let limits = Limits::default();
        let engine = codec::decode(bytes, profile, &limits);
        let naive = Naive::BYTEWISE.decode(bytes, profile, &limits);
        prop_assert_eq!(
            &engine.as_ref().map_err(|error| error.class),
            &naive.as_ref().map_err(|class| *class)
        );
        if let Ok(value) = naive {
            prop_assert_eq!(
                Naive::BYTEWISE.encode(&value, profile),
                codec::encode(&value, profile)
            );
        }
    }
    Ok(())
}

/// The bytes of a vector that is not long.
fn vector() -> impl Strategy<Value = Vec<u8>> {
    let vectors = embedded().unwrap().cbor.into_iter().map(|vector| vector.bytes);
    select(vectors.filter(|bytes| !bytes.is_empty() && bytes.len() < 300).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn the_engine_agrees_on_arbitrary_bytes(bytes in vec(any::<u8>(), 0..40)) {
        agree(&bytes)?;
    }

    #[test]
    fn the_engine_agrees_on_changed_vectors(
        bytes in vector(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes;
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        agree(&bytes)?;
    }

    #[test]
    fn the_engine_agrees_on_joined_vectors(left in vector(), right in vector(), head in any::<u8>()) {
        agree(&[vec![head], left, right].concat())?;
    }

    #[test]
    fn length_first_order_is_consistent_with_itself(bytes in vector()) {
        let limits = Limits::default();
        if let Ok(value) = codec::decode(&bytes, Profile::Floats, &limits) {
            let encoded = Naive::LENGTH_FIRST.encode(&value, Profile::Floats).unwrap();
            let decoded = Naive::LENGTH_FIRST.decode(&encoded, Profile::Floats, &limits);
            prop_assert_eq!(decoded, Ok(value));
        }
    }
}

#[test]
fn the_engine_agrees_on_every_half() {
    for bits in 0..=u16::MAX {
        agree(&[&[0xf9][..], &bits.to_be_bytes()].concat()).unwrap();
        let number = from_half(bits);
        if !number.is_nan() {
            assert_eq!(to_half(number), Some(bits));
        }
    }
}

#[test]
fn the_engine_agrees_on_every_short_input() {
    for first in 0..=u8::MAX {
        agree(&[first]).unwrap();
        for second in 0..=u8::MAX {
            agree(&[first, second]).unwrap();
        }
    }
}
