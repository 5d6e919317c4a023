//! The resize component: one message, at most one job, at most one thumbnail.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, and `ending.rs` has it written down. The pixels
//! are the imaging component's; this one fetches the image, keeps the time and stores what became of it.

mod ending;
mod handler;

pub use handler::Resize;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::redis_component;
    use thumbs_domain::message::Message;
    use thumbs_guest::blobs::HostBlobs;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{self, Database, HostVariables};
    use thumbs_guest::ids::{WORKER_ID, worker_id};
    use thumbs_guest::imaging::HostImaging;
    use thumbs_guest::jobs;
    use thumbs_guest::log::Log;
    use thumbs_guest::wake::HostWake;

    use super::Resize;

    #[redis_component]
    fn handle(payload: Vec<u8>) -> anyhow::Result<()> {
        let store = jobs::open(&Database::read(&HostVariables)?);
        let resize = Resize {
            store: store.as_ref(),
            blobs: &HostBlobs,
            imaging: &HostImaging,
            wake: &HostWake,
            clock: &HostClock::start(),
            worker: &worker_id(std::env::var(WORKER_ID).ok()),
            limits: config::limits(&HostVariables)?,
            policy: config::policy(&HostVariables)?,
            log: &Log::new("resize"),
        };
        Ok(resize.handle(Message::read(&payload))?)
    }
}
