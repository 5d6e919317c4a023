//! The callback component: one message, at most one receiver that is told that its job ended.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, and `wasi_http.rs` sends. It is a component of its own so that what
//! looks into images has no network, and what may ask strangers has no image.

mod handler;
#[cfg(target_arch = "wasm32")]
mod wasi_http;

pub use handler::{Carry, Message, Teller};

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::redis_component;
    use thumbs_domain::event::Event;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{CallbackSettings, ConfigError, Database, HostVariables, Links};
    use thumbs_guest::ids::{WORKER_ID, worker_id};
    use thumbs_guest::jobs;
    use thumbs_guest::log::Log;
    use thumbs_guest::wake::CallbackWake;

    use super::Teller;
    use super::wasi_http::WasiHttp;

    /// Whatever the message says, it is a wake-up: to look once too often does no harm.
    #[redis_component]
    fn handle(_payload: Vec<u8>) -> anyhow::Result<()> {
        let log = Log::new("callback");
        let settings = settings().inspect_err(|error| {
            log.event(Event::Misconfigured { cause: &error.to_string() });
        });
        let (database, CallbackSettings { hosts, secrets, policy }, links) = settings?;
        let store = jobs::open_whole(&database);
        let teller = Teller {
            store: store.as_ref(),
            carry: &WasiHttp,
            wake: &CallbackWake,
            clock: &HostClock::start(),
            worker: &worker_id(std::env::var(WORKER_ID).ok()),
            lot: wasi::random::random::get_random_u64() as u32,
            hosts,
            secrets,
            links,
            policy,
            log: &log,
        };
        Ok(teller.handle()?)
    }

    fn settings() -> Result<(Database, CallbackSettings, Links), ConfigError> {
        Ok((
            Database::read(&HostVariables)?,
            CallbackSettings::read(&HostVariables)?,
            Links::read(&HostVariables)?,
        ))
    }
}
