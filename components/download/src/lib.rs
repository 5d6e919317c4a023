//! The download component: `GET` and `HEAD /thumbnails/{id}`, and `/thumbnails/{id}/{name}` where a job makes several, give out one finished
//! thumbnail.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides. It reads jobs and blobs and writes neither, but for
//! the note that it woke the workers for a job that has been due for a while.

mod handler;

pub use handler::Download;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};
    use spin_sdk::http_component;
    use thumbs_guest::blobs::HostBlobs;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{Database, HostVariables};
    use thumbs_guest::http::park::Offer;
    use thumbs_guest::http::serve::serve;
    use thumbs_guest::jobs;
    use thumbs_guest::wake::{HostWake, WakeLater};

    use super::Download;

    #[http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let wake = WakeLater::default();
        serve("download", request, out, async |request, _, log| {
            let store = jobs::open(&Database::read(&HostVariables)?);
            let download = Download {
                store: store.as_ref(),
                blobs: &HostBlobs,
                wake: &wake,
                wake_now: &HostWake,
                parked: Offer::of_host().age,
                clock: &HostClock::start(),
                log: &log,
            };
            download.handle(&request)
        })
        .await;
        // The client has its answer: a server that hangs holds up nobody.
        wake.send(&HostWake);
    }
}
