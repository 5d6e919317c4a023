//! The ops component: whether the service is alive, ready and well, and its numbers, for who runs it.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, `health.rs` asks the dependencies. It changes no job. Jobs and
//! addresses are shown by `debug.rs` alone, to an admin's key: everybody may ask for most of the rest.

mod debug;
mod handler;
mod health;

pub use handler::Ops;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};
    use spin_sdk::http_component;
    use thumbs_guest::blobs::HostBlobs;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{Database, HostVariables};
    use thumbs_guest::http::serve::serve;
    use thumbs_guest::jobs;
    use thumbs_guest::wake::HostWake;

    use super::Ops;

    /// The variable of the environment in which our runtime gives it (spin.toml, `log_tail`).
    const LOG_TAIL: &str = "LOG_TAIL";

    #[http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve("ops", request, out, async |request, _, log| {
            let store = jobs::open_numbers(&Database::read(&HostVariables)?);
            let ops = Ops {
                store: store.as_ref(),
                blobs: &HostBlobs,
                wake: &HostWake,
                variables: &HostVariables,
                log_tail: || std::env::var(LOG_TAIL).ok(),
                clock: &HostClock::start(),
                log: &log,
            };
            ops.handle(&request)
        })
        .await;
    }
}
