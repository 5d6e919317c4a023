//! Wake-ups: telling the workers that a job may be due. A lost one costs time and nothing else, so no caller may fail for it.

use spin_sdk::redis::{Connection, Error};
use thumbs_domain::event::Event;
use thumbs_domain::message::WAKE_UP;

use crate::config::{HostVariables, WakeUps};
use crate::log::Log;
use crate::redact::redact;

/// Reaches the workers, most of the time.
pub trait Wake {
    /// Asks any worker to look for a due job.
    ///
    /// # Errors
    /// Why the message was not taken. The text is for the log.
    fn publish(&self) -> Result<(), String>;

    /// The same for who can do nothing about a failure: it is logged, and made good by the next tick.
    fn wake(&self, log: &Log) {
        if let Err(cause) = self.publish() {
            log.event(Event::WakeUpLost { cause: &cause });
        }
    }
}

/// Publishes to the channel that the resize trigger listens on.
#[derive(Clone, Copy, Debug)]
pub struct HostWake;

impl Wake for HostWake {
    fn publish(&self) -> Result<(), String> {
        let config = WakeUps::read(&HostVariables).map_err(|error| error.to_string())?;
        let publish = || Connection::open(&config.address)?.publish(&config.channel, WAKE_UP);
        publish().map_err(|error| redact(&cause(error), &config.address))
    }
}

fn cause(error: Error) -> String {
    match error {
        Error::InvalidAddress => "redis_url is not an address, or the manifest does not grant it".to_owned(),
        Error::TooManyConnections => "the host has too many connections open".to_owned(),
        Error::TypeError => "the server answered with an unexpected type".to_owned(),
        Error::Other(cause) => cause,
    }
}
