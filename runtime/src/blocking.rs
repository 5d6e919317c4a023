//! Work that may wait for a disk, off the async threads. Nothing else blocks there.

/// Runs `work` on a thread that may block. A panic there is a bug of ours and goes on here.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cancelled: the async runtime is going down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
