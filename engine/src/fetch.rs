//! Asks for memory before it is needed.
//!
//! These are hints: nothing is read, and a wrong one costs a little time.

/// Bytes that are fetched: a record of a common size.
const FETCHED: usize = 256;
/// Bytes that a processor fetches at once.
const LINE: usize = 64;

/// Asks the processor to bring near what is at an offset, if that is within the bytes.
#[inline]
pub(crate) fn fetch(bytes: &[u8], at: usize) {
    (at..at + FETCHED).step_by(LINE).map_while(|at| bytes.get(at)).for_each(fetch_one);
}

/// Asks the processor to bring near a value of a line at most.
#[inline]
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "a hint not given"))]
pub(crate) fn fetch_one<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is that of a value; a prefetch has no effect but on caches, and
        // never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Miri runs this, too: a hint is no access.
    #[test]
    fn a_hint_may_reach_past_the_end_and_changes_nothing() {
        let bytes = [7; FETCHED + 1];
        for at in [0, 1, FETCHED, FETCHED + 1, 10 * FETCHED] {
            fetch(&bytes, at);
            fetch(&[], at);
        }
        assert_eq!(bytes, [7; FETCHED + 1]);
    }
}
