use super::{FIRST, LARGEST, OWN, Slab};

/// Takes parts of these lengths, fills each with its number, and looks at all of them at the end.
fn check(lengths: &[usize]) {
    let mut slab = Slab::default();
    let mut parts = Vec::new();
    for (number, len) in (1..).zip(lengths) {
        let mut part = slab.take(*len).unwrap();
        assert!(part.iter().all(|byte| *byte == 0), "part {number} is not new");
        part.fill(number);
        parts.push(part.freeze());
    }
    drop(slab);
    for ((number, len), part) in (1..).zip(lengths).zip(&parts) {
        assert_eq!(part.len(), *len);
        assert!(part.iter().all(|byte| *byte == number), "part {number} was overwritten");
    }
}

#[test]
fn parts_share_a_piece_and_no_bytes() {
    check(&[0, 1, 4096, 0, 511, 4096, 7]);
}

#[test]
fn parts_that_do_not_fit_any_more_begin_a_piece() {
    check(&[FIRST, 1, FIRST * 4, FIRST + 1, 1, OWN - 1]);
    check(&[200_000; 100]);
}

#[test]
fn large_parts_have_memory_of_their_own() {
    check(&[OWN, 16, LARGEST, 16, 3 * LARGEST, 16]);
    let mut slab = Slab::default();
    slab.take(16).unwrap();
    slab.take(OWN).unwrap();
    assert_eq!(slab.next, 16);
}
