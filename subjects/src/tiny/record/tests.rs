use proofhouse_model::{Collection, Id};

use super::{Change, Record};

fn example() -> Record {
    let changes = vec![
        Change::Create(Collection(1)),
        Change::Put(Collection(1), Id::nth(2), vec![0xa0].into()),
        Change::Delete(Collection(1), Id::nth(3)),
    ];
    Record { sequence: 7, changes }
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let mut bytes = example().encode().unwrap();
    bytes.extend_from_slice(b"rest");
    let (record, rest) = Record::decode(&bytes).unwrap();
    assert_eq!(record, example());
    assert_eq!(rest, b"rest");
}

#[test]
fn no_shortened_record_is_read() {
    let bytes = example().encode().unwrap();
    for len in 0..bytes.len() {
        assert_eq!(Record::decode(&bytes[..len]), None, "cut to {len} bytes");
    }
}

#[test]
fn no_record_with_a_flipped_bit_is_read() {
    let bytes = example().encode().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Record::decode(&flipped), None, "bit {bit} flipped");
    }
}

#[test]
fn zeros_are_no_record() {
    assert_eq!(Record::decode(&[0; 512]), None);
}
