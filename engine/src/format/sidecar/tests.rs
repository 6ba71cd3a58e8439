use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn info(records: u64) -> SegmentInfo {
    let mut digest = [0; 32];
    (0..).zip(&mut digest).for_each(|(at, byte)| *byte = at);
    SegmentInfo { len: records * 100, records, digest }
}

fn key(number: u8) -> Key {
    Key { collection: CollectionId::new(number.into()), entity: EntityId::new([number; 16]) }
}

fn header() -> Header {
    let (first, last) = (key(1), key(9));
    Header { slot_blocks: 3, min_sequence: 4, max_sequence: 5, tombstones: 6, first, last }
}

fn sealed(block: Vec<u8>, number: usize, binding: &Binding) -> Vec<u8> {
    let mut file = vec![0; number * BLOCK_LEN];
    binding.push_block(block, &mut file);
    file.split_off(number * BLOCK_LEN)
}

#[test]
fn the_first_block_ends_in_the_crc_of_digest_and_block() {
    let info = info(60);
    let block = sealed(header().encode(&info), 0, &Binding::new(&info));
    let mut covered = info.digest.to_vec();
    covered.extend_from_slice(&block[..COVERED_LEN]);
    assert_eq!(block[COVERED_LEN..], crate::format::crc(&covered).to_le_bytes());
}

#[test]
fn headers_are_as_documented() {
    let info = info(60);
    let block = sealed(header().encode(&info), 0, &Binding::new(&info));
    let fields = [
        ("45534458 0100 0000", "magic, version"),
        ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "digest"),
        ("3c00000000000000", "records"),
        ("03000000", "blocks of slots"),
        ("0400000000000000 0500000000000000", "sequences"),
        ("0600000000000000", "tombstones"),
        ("01000000 01010101010101010101010101010101", "first key"),
        ("09000000 09090909090909090909090909090909", "last key"),
    ];
    let expected: String = fields.iter().map(|(bytes, _)| bytes.replace(' ', "")).collect();
    assert_eq!(hex::encode(&block[..116]), expected);
    assert_eq!(block[116..COVERED_LEN], [0; 136]);
    assert_eq!(Header::decode(&block, &info), Some(header()));
    assert_eq!(header().file_len(&info), 256 * (1 + 3 + 1));
}

#[test]
fn a_block_verifies_in_its_own_place_of_its_own_file_only() {
    let (own, other) = (info(60), SegmentInfo { digest: [7; 32], ..info(60) });
    let binding = Binding::new(&own);
    let block = sealed(vec![1, 2, 3], 5, &binding);
    assert!(binding.verified(5, &block).is_some());
    assert!(binding.verified(4, &block).is_none());
    assert!(Binding::new(&other).verified(5, &block).is_none());
    let head = sealed(header().encode(&own), 0, &binding);
    assert_eq!(Header::decode(&head, &other), None);
    assert_eq!(Header::decode(&head, &SegmentInfo { records: 61, ..own }), None);
}

/// The hash is part of the format: another one would find nothing in the files there are.
#[test]
fn keys_have_the_places_they_always_had() {
    let binding = Binding::new(&info(10_000));
    assert_eq!(binding.homes(), 400);
    let places = [1, 2, 3].map(|number| binding.place(&key(number)));
    assert_eq!(places, [(298, 216), (36, 31934), (119, 45893)]);
}

proptest! {
    #[test]
    fn slots_read_back_as_they_were_written(
        slots in vec((any::<u32>(), any::<u16>(), any::<u16>()), 0..=SLOTS),
        spills in any::<bool>(),
    ) {
        let slots: Vec<Slot> = slots
            .into_iter()
            .map(|(offset, key_bits, crc_bits)| Slot { offset, key_bits, crc_bits })
            .collect();
        let encoded = encode_slots(&slots, spills);
        let block = SlotBlock(&encoded);
        prop_assert!(block.slots().eq(slots));
        prop_assert_eq!(block.spills(), spills);
    }
}

/// A sidecar of three slot blocks and four fences that leads to 500 for key 5.
fn file(info: &SegmentInfo) -> Vec<u8> {
    let binding = Binding::new(info);
    let (home, key_bits) = binding.place(&key(5));
    let mut file = Vec::new();
    binding.push_block(header().encode(info), &mut file);
    for block in 0..3 {
        let slots = [Slot { offset: 500, key_bits, crc_bits: 0 }];
        let slots = if block == home { &slots[..] } else { &[] };
        binding.push_block(encode_slots(slots, false), &mut file);
    }
    let fences = [0u32, 900, 1800, 2700].iter().flat_map(|at| at.to_le_bytes());
    binding.push_block(fences.collect(), &mut file);
    file
}

fn offsets(sidecar: &Sidecar, number: u8) -> Vec<Result<u32, Damaged>> {
    let Key { collection, entity } = key(number);
    sidecar.offsets(collection, entity).collect()
}

#[test]
fn a_sidecar_leads_to_records_and_to_every_sixteenth() {
    let info = info(60);
    let sidecar = Sidecar::decode(file(&info).into(), &info).unwrap();
    assert_eq!((offsets(&sidecar, 5), offsets(&sidecar, 6)), (vec![Ok(500)], vec![]));
    assert_eq!((sidecar.fences(), sidecar.fence(3)), (4, Ok(2700)));
    assert_eq!(sidecar.fence(4), Err(Damaged { block: 4 }));
    assert_eq!(sidecar.fence(usize::MAX), Err(Damaged { block: 4 }));
    assert_eq!(sidecar.check(), Ok(()));
}

#[test]
fn a_damaged_block_is_told_once_and_leads_nowhere() {
    let info = info(60);
    let mut file = file(&info);
    let (home, _) = Binding::new(&info).place(&key(5));
    let block = 1 + home;
    file[block as usize * BLOCK_LEN] ^= 1;
    let sidecar = Sidecar::decode(file.into(), &info).unwrap();
    assert_eq!(offsets(&sidecar, 5), [Err(Damaged { block })]);
    assert_eq!(sidecar.check(), Err(Damaged { block }));
}

#[test]
fn a_sidecar_of_another_segment_or_length_is_none() {
    let (own, other) = (info(60), SegmentInfo { digest: [7; 32], ..info(60) });
    let file = file(&own);
    let decode = |file: &[u8], info| Sidecar::decode(file.to_vec().into(), info);
    assert!(decode(&file, &other).is_none());
    for len in [0, BLOCK_LEN - 1, file.len() - 1] {
        assert!(decode(&file[..len], &own).is_none(), "{len}");
    }
    assert!(decode(&[&file[..], &[0]].concat(), &own).is_none());
}
