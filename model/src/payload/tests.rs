use std::collections::BTreeSet;

use super::{MAX_ENTITY_SIZE, Payload};

fn entity(tag: u32, size: u32) -> Vec<u8> {
    Payload::Entity { tag, size }.bytes().to_vec()
}

/// Reads one head; the shortest form is asserted.
fn read_head(bytes: &[u8], at: &mut usize) -> (u8, usize) {
    let first = bytes[*at];
    let extra = match first & 0x1f {
        info @ 0..24 => return advance(at, 1, (first >> 5, usize::from(info))),
        24 => 1,
        25 => 2,
        26 => 4,
        info => panic!("additional information {info} is never written"),
    };
    let argument = bytes[*at + 1..*at + 1 + extra]
        .iter()
        .fold(0, |argument, byte| argument << 8 | usize::from(*byte));
    let shortest = [(24, 1), (0x100, 2), (0x1_0000, 4)];
    let (least, _) = shortest.iter().find(|(_, width)| *width == extra).unwrap();
    assert!(argument >= *least, "head of {argument} is not the shortest");
    advance(at, 1 + extra, (first >> 5, argument))
}

fn advance<T>(at: &mut usize, by: usize, value: T) -> T {
    *at += by;
    value
}

/// An independent reading of what an entity must be.
fn check(tag: u32, size: u32) {
    let bytes = entity(tag, size);
    let mut at = 0;
    assert_eq!(read_head(&bytes, &mut at), (5, 2), "a map of two entries");
    assert_eq!(read_head(&bytes, &mut at), (3, 1));
    let first_key = bytes[1..=at].to_vec();
    assert_eq!(advance(&mut at, 1, bytes[2]), b't');
    assert_eq!(read_head(&bytes, &mut at), (0, tag as usize));
    let key_at = at;
    let (major, key) = read_head(&bytes, &mut at);
    assert_eq!(major, 3);
    at += key;
    assert!(first_key.as_slice() < &bytes[key_at..at], "keys are in bytewise order");
    let (major, filler) = read_head(&bytes, &mut at);
    assert_eq!(major, 2);
    assert_eq!(at + filler, bytes.len());
    let least = 6 + match tag {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 5,
    };
    assert_eq!(bytes.len(), (size as usize).max(least), "tag {tag}, size {size}");
}

#[test]
fn entities_are_canonical_and_exactly_as_long_as_asked() {
    for tag in [0, 1, 23, 24, 255, 256, 65_535, 65_536, u32::MAX] {
        for size in (0..600).chain(65_500..65_600) {
            check(tag, size);
        }
    }
}

#[test]
fn different_tags_never_share_their_bytes() {
    let contents: BTreeSet<_> =
        (0..500).flat_map(|tag| [0, 7, 40].map(|size| entity(tag, size))).collect();
    // Tags above 23 need 8 bytes, so their sizes 0 and 7 are the same entity; below, 7 is exact.
    assert_eq!(contents.len(), 500 * 2);
}

#[test]
fn every_sector_of_a_large_entity_is_different() {
    let bytes = entity(9, 8 * 512);
    let sectors: BTreeSet<_> = bytes.chunks(512).collect();
    assert_eq!(sectors.len(), 8);
}

#[test]
fn files_write_payloads_as_recipes() {
    let raw = Payload::Raw { bytes: vec![0x18, 0x01].into(), canonical: false };
    let text = serde_json::to_string(&raw).unwrap();
    assert_eq!(text, r#"{"raw":{"hex":"1801","canonical":false}}"#);
    assert_eq!(serde_json::from_str::<Payload>(&text).unwrap(), raw);
    let entity = Payload::Entity { tag: 1, size: 2 };
    let text = serde_json::to_string(&entity).unwrap();
    assert_eq!(text, r#"{"entity":{"tag":1,"size":2}}"#);
    assert_eq!(serde_json::from_str::<Payload>(&text).unwrap(), entity);
}

#[test]
fn a_line_cannot_claim_unbounded_memory() {
    let text = format!(r#"{{"entity":{{"tag":1,"size":{}}}}}"#, MAX_ENTITY_SIZE + 1);
    let error = serde_json::from_str::<Payload>(&text).unwrap_err();
    assert!(error.to_string().contains("exceeds"), "{error}");
}
