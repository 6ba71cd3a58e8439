//! A segment's bytes, as readers take parts of them away.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Handles to the same bytes, a power of two.
const HANDLES: usize = 8;

/// The number of the next thread that reads.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which handle this thread takes parts from.
    static HANDLE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % HANDLES;
}

/// Bytes with several counts of who holds a part of them. Were there one, threads that read would
/// wait for each other's processors to hand it over.
#[derive(Debug)]
pub(super) struct Shared([Bytes; HANDLES]);

/// Keeps the count beside it, and so one handle's from another's, in a cache line of its own.
#[repr(align(128))]
struct Apart(Bytes);

impl AsRef<[u8]> for Apart {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Shared {
    pub(super) fn new(bytes: &Bytes) -> Self {
        Self(std::array::from_fn(|_| Bytes::from_owner(Apart(bytes.clone()))))
    }

    /// A part, which must be within the bytes, without copying it.
    pub(super) fn slice(&self, part: Range<usize>) -> Bytes {
        self.0[HANDLE.with(|handle| *handle)].slice(part)
    }
}
