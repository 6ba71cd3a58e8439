//! Entities, which say themselves whether they are the right ones.

use crate::store::Id;

/// Bytes of an entity.
pub const ENTITY_LEN: usize = 150;

/// A map of one pair: text "p", and a byte string of 145 bytes, as canonical CBOR has it.
const HEAD: [u8; 5] = [0xa1, 0x61, b'p', 0x58, 145];

/// Spreads bits, one to one (`SplitMix64`, Steele et al. 2014).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The identity of entity `number`; scattered, so that neighbours are not written in order.
pub fn id(number: u64) -> Id {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mix(number).to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

/// The number of the entity with this identity.
pub fn number_of(id: &[u8]) -> u64 {
    id.last_chunk().map_or(u64::MAX, |number| u64::from_be_bytes(*number))
}

/// Entity `number`: nothing in it repeats, so that compression does not flatter a peer.
pub fn entity(number: u64) -> Vec<u8> {
    version(number, 0)
}

/// A version of entity `number`. Versions differ: a peer may write nothing where nothing changes.
pub fn version(number: u64, version: u64) -> Vec<u8> {
    let mut entity = Vec::with_capacity(ENTITY_LEN + 8);
    entity.extend_from_slice(&HEAD);
    entity.extend_from_slice(&number.to_be_bytes());
    let mut bits = number ^ version.rotate_left(32);
    while entity.len() < ENTITY_LEN {
        bits = mix(bits);
        entity.extend_from_slice(&bits.to_be_bytes());
    }
    entity.truncate(ENTITY_LEN - 8);
    entity.extend_from_slice(&mix(!number).to_be_bytes());
    entity
}

/// Whether this is entity `number`, by its length and both its ends.
pub fn is_entity(number: u64, content: &[u8]) -> bool {
    content.len() == ENTITY_LEN
        && content[HEAD.len()..HEAD.len() + 8] == number.to_be_bytes()
        && content[ENTITY_LEN - 8..] == mix(!number).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_number_length_or_end_is_seen() {
        let good = entity(7);
        assert!(is_entity(7, &good));
        assert_eq!(number_of(&id(7)), 7);
        let mut end = good.clone();
        end[ENTITY_LEN - 1] ^= 1;
        assert!(is_entity(7, &version(7, 1)) && version(7, 1) != good);
        assert!(!is_entity(8, &good) && !is_entity(7, &good[1..]) && !is_entity(7, &end));
    }
}
