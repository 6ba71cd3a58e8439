//! Asks for memory before it is needed.

/// Bytes that are fetched: a record of a common size.
#[cfg(target_arch = "x86_64")]
const FETCHED: usize = 256;
/// Bytes that a processor fetches at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks the processor to bring near what is at an offset, if that is within the bytes. It is a
/// hint: nothing is read, and a wrong offset costs a little time.
#[inline]
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "a hint not given"))]
pub(super) fn fetch(bytes: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    for byte in (at..at + FETCHED).step_by(LINE).map_while(|at| bytes.get(at)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is that of a byte of the slice; a prefetch has no effect but on
        // caches, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) };
    }
}
