//! The status component: one job, or those of one batch. They are read and waited for; a job is tried again, deleted.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, `batch.rs` shows batches, `events.rs` tells how a job goes. It has
//! nothing to do with blobs: those of a job that goes are deleted by a worker. So it is given none, and a read, the most frequent request there
//! is, pays for no component but this one.

mod batch;
mod events;
mod handler;

pub use handler::Status;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};
    use spin_sdk::http_component;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{Database, HostVariables};
    use thumbs_guest::http::park;
    use thumbs_guest::http::serve::serve;
    use thumbs_guest::jobs;
    use thumbs_guest::wake::{HostWake, WakeLater};

    use super::Status;

    #[http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let wake = WakeLater::default();
        serve("status", request, out, async |request, _, log| {
            let store = jobs::open_whole(&Database::read(&HostVariables)?);
            let status = Status {
                store: store.as_ref(),
                batches: store.as_ref(),
                wake: &wake,
                wake_now: &HostWake,
                offer: park::Offer::of_host(),
                clock: &HostClock::start(),
                log: &log,
            };
            status.handle(&request)
        })
        .await;
        // The client has its answer: a server that hangs holds up nobody.
        wake.send(&HostWake);
    }
}
