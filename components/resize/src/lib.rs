//! The resize component: one message, at most one job, at most one thumbnail; or a sweep of what is kept no longer.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, `ending.rs` has it written down, and `sweep.rs` sweeps. The pixels
//! are the imaging component's; this one fetches the image, keeps the time and stores what became of it. Being what a host sends
//! messages to, it also looks at all settings of the service when that starts (`settings.rs`).

mod ending;
mod handler;
mod settings;
mod sweep;

pub use handler::Resize;
pub use settings::look_at_settings;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::redis_component;
    use thumbs_domain::event::Event;
    use thumbs_domain::message::Message;
    use thumbs_guest::blobs::HostBlobs;
    use thumbs_guest::clock::HostClock;
    use thumbs_guest::config::{self, ConfigError, Database, HostVariables};
    use thumbs_guest::ids::{WORKER_ID, worker_id};
    use thumbs_guest::imaging::HostImaging;
    use thumbs_guest::jobs;
    use thumbs_guest::log::Log;
    use thumbs_guest::wake::{CallbackWake, HostWake, Tell, Unheard};

    use super::{Resize, look_at_settings};

    #[redis_component]
    fn handle(payload: Vec<u8>) -> anyhow::Result<()> {
        let log = Log::new("resize");
        match Message::read(&payload) {
            Message::Check => Ok(look_at_settings(&HostVariables, |name| std::env::var(name).ok(), &log)?),
            message => {
                let settings = settings().inspect_err(|error| {
                    log.event(Event::Misconfigured { cause: &error.to_string() });
                })?;
                work(message, &settings, &log)
            }
        }
    }

    struct Settings {
        database: Database,
        limits: thumbs_domain::limits::UploadLimits,
        policy: thumbs_domain::machine::RetryPolicy,
        retention: thumbs_domain::retention::Retention,
    }

    fn settings() -> Result<Settings, ConfigError> {
        Ok(Settings {
            database: Database::read(&HostVariables)?,
            limits: config::limits(&HostVariables)?,
            policy: config::policy(&HostVariables)?,
            retention: config::retention(&HostVariables)?,
        })
    }

    fn work(message: Message, settings: &Settings, log: &Log) -> anyhow::Result<()> {
        let store = jobs::open_life(&settings.database);
        let given = std::env::var(WORKER_ID).ok().filter(|id| !id.is_empty());
        // Only `thumbs up` names workers, and only it keeps requests that wait for the word.
        let tell: &dyn Tell = if given.is_some() { &HostWake } else { &Unheard };
        let resize = Resize {
            store: store.as_ref(),
            blobs: &HostBlobs,
            imaging: &HostImaging,
            wake: &HostWake,
            tell,
            callbacks: &CallbackWake,
            clock: &HostClock::start(),
            worker: &worker_id(given),
            limits: settings.limits,
            policy: settings.policy,
            retention: settings.retention,
            log,
        };
        Ok(resize.handle(message)?)
    }
}
