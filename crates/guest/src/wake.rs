//! Wake-ups: telling the workers that a job may be due. A lost one costs time and nothing else, so no caller may fail for it.

use spin_sdk::redis::{Connection, Error};
use thumbs_domain::event::Event;
use thumbs_domain::job::Job;
use thumbs_domain::machine::needs_wake_up;
use thumbs_domain::message::WAKE_UP;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::variable::Variable;

use crate::config::{HostVariables, WakeUps};
use crate::grant;
use crate::jobs::JobStore;
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

/// Makes good a wake-up that was lost, where one of these jobs has been due for a while: whoever misses a job most brings it to
/// mind. The row remembers it, so that many impatient clients do not become many messages. True where the workers were woken.
///
/// Best effort: the jobs were read, and a store that can't be written to must not hide them.
pub fn wake_for_overdue<'a>(
    jobs: impl IntoIterator<Item = &'a Job>,
    store: &dyn JobStore,
    wake: &dyn Wake,
    now: Timestamp,
    log: &Log,
) -> bool {
    let needs =
        |job: &Job, woken_at| job.due_since().is_some_and(|due_at| needs_wake_up(due_at, woken_at, now));
    let overdue: Vec<&Job> = jobs.into_iter().filter(|job| needs(job, None)).collect();
    let Some(job) = overdue.first() else { return false };
    // The workers look for any job: one wake-up is one for all of these.
    if overdue.iter().any(|job| !needs(job, job.woken_at)) {
        return false;
    }
    let log = log.clone().with_job(job.id);
    match store.note_wake_up(&job.id, now) {
        Ok(true) => {}
        // Another reader just did.
        Ok(false) => return false,
        Err(error) => log.event(Event::WakeUpNotNoted { cause: &error.to_string() }),
    }
    log.event(Event::JobOverdue);
    wake.wake(&log);
    true
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
