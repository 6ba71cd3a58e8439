use super::*;

fn bytes(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0xee; usize::try_from(content.len()).unwrap()];
    assert!(content.read(0, &mut bytes));
    bytes
}

#[test]
fn zeros_stored_or_absent_have_one_digest() {
    let mut stored = Content::default();
    stored.write(0, &[0; 9000]);
    let mut absent = Content::default();
    absent.set_len(9000);
    assert_eq!(stored.digest(), absent.digest());
    absent.set_len(9001);
    assert_ne!(stored.digest(), absent.digest());
}

#[test]
fn every_change_changes_the_digest_and_no_clone() {
    let mut content = Content::default();
    content.write(100, b"first");
    let before = content.clone();
    let digest = before.digest();
    content.write(102, b"S");
    assert_ne!(content.digest(), digest);
    assert_eq!((before.digest(), &bytes(&before)[100..]), (digest, &b"first"[..]));
    content.write(102, b"r");
    assert_eq!(content.digest(), digest);
}

#[test]
fn a_file_that_grows_again_shows_zeros() {
    let mut content = Content::default();
    content.write(0, &[b'x'; 10_000]);
    content.set_len(5000);
    content.set_len(10_000);
    let shown = bytes(&content);
    assert!(shown[..5000].iter().all(|byte| *byte == b'x'));
    assert!(shown[5000..].iter().all(|byte| *byte == 0));
}

#[test]
fn reads_past_the_end_are_refused() {
    let mut content = Content::default();
    content.write(0, b"four");
    let mut buf = [0; 2];
    assert!(content.read(2, &mut buf) && &buf == b"ur");
    assert!(!content.read(3, &mut buf));
    assert!(!content.read(u64::MAX, &mut buf));
    assert!(content.read(4, &mut []));
    assert!(!content.read(5, &mut []));
}

#[test]
fn extents_end_with_the_file_and_leave_zero_pages_out() {
    let mut content = Content::default();
    content.write(3 * PAGE, b"tail");
    content.write(0, &[0; 10]);
    let extents: Vec<_> = content.extents().collect();
    assert_eq!(extents, [(3 * PAGE, &b"tail"[..])]);
}

#[test]
fn sectors_with_data_are_found_from_any_byte() {
    let mut content = Content::default();
    content.write(700, b"x");
    content.write(5000, b"y");
    let check = |from, due: &[u64]| assert_eq!(content.sectors_from(from), due, "from {from}");
    check(0, &[1, 9]);
    check(700, &[1, 9]);
    check(701, &[9]);
    check(5001, &[]);
}
