//! Wake-ups: telling the workers that a job may be due. A lost one costs time and nothing else, so no caller may fail for it, and
//! no client waits for it: the server that carries it may be away, or take it and never answer.

use std::cell::RefCell;

use spin_sdk::redis::{Connection, Error};
use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::job::Job;
use thumbs_domain::machine::needs_wake_up;
use thumbs_domain::message::{WAKE_UP, callback_channel, ended_channel};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::variable::Variable;

use crate::config::{HostVariables, WakeUps};
use crate::grant;
use crate::jobs::JobStore;
use crate::log::Log;
use crate::redact::redact;

/// Sends a wake-up, and knows what became of it.
pub trait Publish {
    /// Asks any worker to look for a due job.
    ///
    /// # Errors
    /// Why the message was not taken. The text is for the log.
    fn publish(&self) -> Result<(), String>;
}

/// Reaches the workers, most of the time.
pub trait Wake {
    /// Asks any worker to look for a due job. A failure is logged, and made good by the next tick.
    fn wake(&self, log: &Log);
}

impl<P: Publish> Wake for P {
    fn wake(&self, log: &Log) {
        if let Err(cause) = self.publish() {
            log.event(Event::WakeUpLost { cause: &cause });
        }
    }
}

/// Keeps a wake-up until the client has its answer. Several are one: it says no more than "look".
#[derive(Debug, Default)]
pub struct WakeLater(RefCell<Option<Log>>);

impl Wake for WakeLater {
    fn wake(&self, log: &Log) {
        self.0.replace(Some(log.clone()));
    }
}

impl WakeLater {
    /// Sends what was asked for, if anything was.
    pub fn send(self, wake: &dyn Wake) {
        if let Some(log) = self.0.into_inner() {
            wake.wake(&log);
        }
    }
}

/// Tells whoever waits for a job that it ended.
pub trait Tell {
    /// Tells of one. Nobody may listen, and a word may be lost: who waits looks by itself now and then.
    fn ended(&self, job: &JobId, log: &Log);
}

/// Nobody listens: on a host that keeps no requests (Spin) each one looks by itself, and a server that takes the word and never answers would
/// only keep the worker from its next job.
#[derive(Clone, Copy, Debug)]
pub struct Unheard;

impl Tell for Unheard {
    fn ended(&self, _: &JobId, _: &Log) {}
}

impl Tell for HostWake {
    fn ended(&self, job: &JobId, log: &Log) {
        if let Err(cause) = self.send(ended_channel, job.to_string().as_bytes()) {
            log.event(Event::EndNotTold { cause: &cause });
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

/// Publishes to the channel that the resize trigger listens on, and to the one of ends beside it.
#[derive(Clone, Copy, Debug)]
pub struct HostWake;

impl Publish for HostWake {
    fn publish(&self) -> Result<(), String> {
        self.send(str::to_owned, WAKE_UP)
    }
}

/// Publishes to the channel of those who tell others of a job's end.
#[derive(Clone, Copy, Debug)]
pub struct CallbackWake;

impl Publish for CallbackWake {
    fn publish(&self) -> Result<(), String> {
        HostWake.send(callback_channel, WAKE_UP)
    }
}

impl HostWake {
    /// Sends a message on a channel whose name follows from that of the wake-ups.
    fn send(&self, channel: impl FnOnce(&str) -> String, message: &[u8]) -> Result<(), String> {
        let config = WakeUps::read(&HostVariables).map_err(|error| error.to_string())?;
        let publish = || Connection::open(&config.address)?.publish(&channel(&config.channel), message);
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
    use std::cell::Cell;

    use super::*;

    #[derive(Default)]
    struct Counting(Cell<u32>);

    impl Publish for Counting {
        fn publish(&self) -> Result<(), String> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }

    #[test]
    fn wake_ups_are_kept_until_they_are_sent_and_are_one_then() {
        for (asked, sent) in [(0, 0), (1, 1), (3, 1)] {
            let (later, wake) = (WakeLater::default(), Counting::default());
            for _ in 0..asked {
                later.wake(&Log::new("test"));
            }
            assert_eq!(wake.0.get(), 0);
            later.send(&wake);
            assert_eq!(wake.0.get(), sent, "of {asked}");
        }
    }

    #[test]
    fn a_grant_that_is_missing_is_named_without_the_password() {
        let address = "redis://:hunter2@cache.example:6380/3";
        let cause = cause(Error::InvalidAddress, address);
        assert!(cause.contains("redis_outbound") && cause.contains("redis://cache.example:6380"), "{cause}");
        assert!(!cause.contains("hunter2"), "{cause}");
    }
}
