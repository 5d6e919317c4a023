//! Work that may wait for a disk, off the async threads. Nothing else blocks there.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Work that waits for a thread, in all runtimes of the process.
static QUEUED: AtomicUsize = AtomicUsize::new(0);
/// Work that has one.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` on a thread that may block. A panic there is a bug of ours and goes on here.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let queued = Counted::one_of(&QUEUED);
    let work = move || {
        drop(queued);
        let _running = Counted::one_of(&RUNNING);
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cancelled: the async runtime is going down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// How much of such work the process has: what waits for a thread, and what runs.
pub(crate) fn queued_and_running() -> (usize, usize) {
    (QUEUED.load(Relaxed), RUNNING.load(Relaxed))
}

/// Counts itself until it is dropped.
struct Counted(&'static AtomicUsize);

impl Counted {
    fn one_of(number: &'static AtomicUsize) -> Self {
        number.fetch_add(1, Relaxed);
        Self(number)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
