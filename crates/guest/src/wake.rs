//! Wake-ups: telling the workers that a job may be due. A lost one costs time and nothing else, so no caller may fail for it.

use spin_sdk::redis::{Connection, Error};
use thumbs_domain::event::Event;
use thumbs_domain::message::WAKE_UP;
use thumbs_domain::variable::Variable;

use crate::config::{HostVariables, WakeUps};
use crate::grant;
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
        publish().map_err(|error| redact(&cause(error, &config.address), &config.address))
    }
}

fn cause(error: Error, address: &str) -> String {
    match error {
        // Its form was looked at when it was read, so what is left is the grant.
        Error::InvalidAddress => grant::missing(Variable::RedisUrl, address, Variable::RedisOutbound),
        Error::TooManyConnections => "the host has too many connections open".to_owned(),
        Error::TypeError => "the server answered with an unexpected type".to_owned(),
        Error::Other(cause) => cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_that_is_missing_is_named_without_the_password() {
        let address = "redis://:hunter2@cache.example:6380/3";
        let cause = cause(Error::InvalidAddress, address);
        assert!(cause.contains("redis_outbound") && cause.contains("redis://cache.example:6380"), "{cause}");
        assert!(!cause.contains("hunter2"), "{cause}");
    }
}
