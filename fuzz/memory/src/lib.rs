//! An allocator that counts, and stops the process where a bound is exceeded: libFuzzer takes that for a crash and keeps the
//! input. Its own `-malloc_limit_mb` needs a sanitizer, and the sanitizers need a nightly compiler.

#![expect(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts what the fuzz target allocates; one thread runs it.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static ASKED: AtomicUsize = AtomicUsize::new(0);
/// What LIVE may not exceed.
static CEILING: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Bytes that `work` asks for in all, however soon it gives them back: what is copied again and again shows here.
pub fn asked_for<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ASKED.load(Relaxed);
    let result = work();
    (result, ASKED.load(Relaxed) - before)
}

/// Runs `work`, during which no more than `bound` bytes may be allocated beyond what is now.
///
/// Returns with the result how many bytes were, at most. A single allocation that is too large counts like many: it is
/// refused before it is made.
pub fn within<T>(bound: usize, work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    CEILING.store(before.saturating_add(bound), Relaxed);
    let result = work();
    CEILING.store(usize::MAX, Relaxed);
    (result, PEAK.load(Relaxed) - before)
}

fn count(bytes: usize) {
    ASKED.fetch_add(bytes, Relaxed);
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
    let ceiling = CEILING.load(Relaxed);
    if live > ceiling {
        // Saying so allocates, and a panic in an allocator is not allowed.
        CEILING.store(usize::MAX, Relaxed);
        eprintln!("an allocation of {bytes} bytes exceeds the bound by {}", live - ceiling);
        std::process::abort();
    }
}

// SAFETY: everything is left to the system's allocator; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both exist for a moment.
        count(new_size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
