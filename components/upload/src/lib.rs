//! The upload component: `POST /jobs` takes an image in as a job (or that of another job, `original.rs`), `POST /batches` several, `GET /jobs` lists jobs.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides. No pixel is decoded in this component: the
//! imaging component reads headers for it.

mod answer;
mod arrival;
mod batch;
mod create;
mod handler;
mod original;
mod reuse;
mod room;

pub use handler::Upload;

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
    use thumbs_guest::ids::HostIds;
    use thumbs_guest::imaging::HostImaging;
    use thumbs_guest::jobs;
    use thumbs_guest::wake::{CallbackWake, HostWake, WakeLater};

    use super::Upload;

    #[http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let (wake, callbacks) = (WakeLater::default(), WakeLater::default());
        serve("upload", request, out, async |request, body, log| {
            let store = jobs::open_whole(&Database::read(&HostVariables)?);
            let upload = Upload {
                store: store.as_ref(),
                batches: store.as_ref(),
                blobs: &HostBlobs,
                imaging: &HostImaging,
                wake: &wake,
                wake_now: &HostWake,
                offer: Offer::of_host(),
                callbacks: &callbacks,
                clock: &HostClock::start(),
                ids: &HostIds,
                variables: &HostVariables,
                log: &log,
            };
            upload.handle(&request, body).await
        })
        .await;
        // The client has its answer: a server that hangs holds up nobody.
        wake.send(&HostWake);
        callbacks.send(&CallbackWake);
    }
}
