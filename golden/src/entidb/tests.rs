use super::write::crc32;
use super::*;

#[test]
fn the_checksum_is_that_of_the_catalogue() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc32(b""), 0);
}

#[test]
fn integers_are_decimal_strings_of_their_width() {
    let begin = Layout::WalRecord(WalRecord::Begin { txid: u64::MAX });
    let json = r#"{"wal-record":{"begin":{"txid":"18446744073709551615"}}}"#;
    assert_eq!(serde_json::to_string(&begin).unwrap(), json);
    assert_eq!(serde_json::from_str::<Layout>(json).unwrap(), begin);
    let too_wide = json.replace("615", "616");
    assert!(serde_json::from_str::<Layout>(&too_wide).is_err());
}

#[test]
fn a_length_that_exceeds_its_field_has_no_bytes() {
    let name = "n".repeat(usize::from(u16::MAX) + 1);
    let manifest = Manifest {
        next_collection_id: 2,
        collections: vec![Collection { name, id: 1 }],
        next_index_id: 1,
        indexes: vec![],
        last_checkpoint: None,
    };
    assert_eq!(Layout::Manifest(manifest).to_bytes(), None);
}
