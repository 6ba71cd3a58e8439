//! How much memory a thread asks for at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which notes the largest block each thread asked for.
pub(crate) struct Noting;

fn note(size: usize) {
    // A thread that is ending has no counter any more, and nobody asks for it.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call is handed to the system's allocator as it came; noting a number allocates
// nothing, because the counter is a thread local with a constant initialiser and no destructor.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises about `layout` are those the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above, and `block` came from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from the system's allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The largest block this thread asked for during `act`, in bytes, and what `act` answered.
pub(crate) fn largest_block<T>(act: impl FnOnce() -> T) -> (usize, T) {
    LARGEST.set(0);
    let answer = act();
    (LARGEST.get(), answer)
}
