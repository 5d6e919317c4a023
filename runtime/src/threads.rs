//! The threads that guests run on: Tokio's, set for tasks that compute.
//!
//! Tokio looks at sockets, timers and signals when a thread has nothing to do, else after every 61st poll of a task, for a poll should
//! take microseconds. A guest that computes is polled for a whole tick of the engine's clock (`engine.rs`), and then at once again: two
//! of them on two threads would leave a new connection, or a signal, unseen for half a second. Here every poll is followed by a look.

use tokio::runtime::{Builder, Runtime};

/// A Tokio runtime with threads of this name: so many, or one for each core.
///
/// # Errors
/// The system gives no threads.
pub fn runtime(name: &str, threads: Option<usize>) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    builder.thread_name(name).event_interval(1).global_queue_interval(1).enable_all().build()
}
