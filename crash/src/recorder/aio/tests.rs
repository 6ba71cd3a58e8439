use super::super::tracee::Tracee;
use super::{RING_MAGIC, Ring};

/// The head of a ring in this process, which plays the one that is recorded.
fn read(capacity: u64, tail: u64, magic: u64) -> Option<u64> {
    let head = [capacity << 32, tail << 32, magic, 0];
    let addr = std::ptr::from_ref(&head).addr() as u64;
    Ring::read(Tracee::ourselves(), addr).ok().map(|(_, tail)| tail)
}

#[test]
fn a_ring_that_the_program_has_overwritten_is_refused() {
    assert_eq!(read(8, 7, RING_MAGIC), Some(7));
    for (capacity, tail, magic) in [(8, 8, RING_MAGIC), (0, 0, RING_MAGIC), (8, 7, 1)] {
        assert_eq!(read(capacity, tail, magic), None, "{capacity} {tail} {magic:x}");
    }
}
