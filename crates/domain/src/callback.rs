//! Telling somebody that a job ended: whom a client may name, when it is tried again, and what is sent.
//!
//! A callback is part of its job's row. It waits until the job ends, is then due, and ends itself: delivered, or failed.

use serde::Serialize;

use crate::job::{Job, Status};
use crate::timestamp::Timestamp;
use crate::view::JobView;
use crate::words::words;

mod hosts;
mod turns;
mod url;

pub use hosts::CallbackHosts;
pub use turns::{LOOKED_AT, PLACES, Receiver, Turn, UNDER_WAY_MS, turn};
pub use url::CallbackUrl;

words! {
    /// Where a callback stands.
    CallbackState {
        /// Its job has not ended.
        Waiting = "waiting",
        /// It is to be sent, now or after a pause.
        Pending = "pending",
        /// The receiver took it.
        Delivered = "delivered",
        /// It is not tried again: the receiver said so, or the attempts are used up.
        Failed = "failed",
    }
}

words! {
    /// Why an attempt had no answer.
    CallbackFault {
        /// The operator no longer lists the receiver's host.
        HostNotAllowed = "host-not-allowed",
        /// The receiver's name leads to an address that callbacks may not go to, or the host grants none.
        AddressRefused = "address-refused",
        /// Nobody knows the receiver's name.
        NoSuchName = "no-such-name",
        /// There is no way to the receiver, or it takes no connection.
        Unreachable = "unreachable",
        /// It took too long.
        TimedOut = "timed-out",
        /// The receiver speaks no TLS, or shows a certificate that is not trusted.
        TlsFailed = "tls-failed",
        /// The connection broke, or what came is no HTTP.
        BrokenAnswer = "broken-answer",
        /// The worker never came back from the last attempt.
        WorkerLost = "worker-lost",
    }
}

/// What a receiver answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its `Retry-After` in seconds, where it has one.
    pub retry_after_secs: Option<u32>,
}

/// A callback as the row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Who is told.
    pub url: CallbackUrl,
    /// Where it stands.
    pub state: CallbackState,
    /// Attempts begun since the job ended.
    pub attempts: u32,
    /// What the last answer was, if the last attempt had one.
    pub last_status: Option<u16>,
    /// Why it had none. A newer version may have written what this one does not know.
    pub last_error: Option<String>,
    /// While `Pending`: when it may be sent; while one is at it, when another may.
    pub due_at: Option<Timestamp>,
    /// When the receiver took it.
    pub delivered_at: Option<Timestamp>,
}

impl Callback {
    /// Of a job that did not end yet.
    pub const fn new(url: CallbackUrl) -> Self {
        let (last_status, last_error, due_at, delivered_at) = (None, None, None, None);
        Self {
            url,
            state: CallbackState::Waiting,
            attempts: 0,
            last_status,
            last_error,
            due_at,
            delivered_at,
        }
    }

    /// As it stands when its job has just ended.
    #[must_use]
    pub fn of_ended(self, now: Timestamp) -> Self {
        Self { state: CallbackState::Pending, due_at: Some(now), ..self }
    }
}

/// What clients read of a callback. Not its URL: that may hold what only the receiver is to know, and the job may be shown to others.
#[derive(Clone, Debug, Serialize)]
pub struct CallbackView<'a> {
    /// `waiting`, `pending`, `delivered` or `failed`.
    pub state: CallbackState,
    /// Attempts begun since the job ended.
    pub attempts: u32,
    /// The HTTP status of the last answer.
    pub last_status: Option<u16>,
    /// Why the last attempt had no answer.
    pub last_error: Option<&'a str>,
    /// When it is sent next, RFC 3339 in UTC.
    pub next_attempt_at: Option<Timestamp>,
    /// When the receiver took it, RFC 3339 in UTC.
    pub delivered_at: Option<Timestamp>,
}

impl<'a> CallbackView<'a> {
    /// What clients may see of this one.
    pub fn new(callback: &'a Callback) -> Self {
        Self {
            state: callback.state,
            attempts: callback.attempts,
            last_status: callback.last_status,
            last_error: callback.last_error.as_deref(),
            next_attempt_at: callback.due_at,
            delivered_at: callback.delivered_at,
        }
    }
}

/// How a receiver knows a message again that comes twice: by the job, and by when it ended, for one that is tried again ends again.
pub fn message_id(job: &Job) -> String {
    format!("{}-{}", job.id, job.updated_at.unix_millis())
}

/// What is sent.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope<'a> {
    /// `job.succeeded` or `job.failed`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the job ended, RFC 3339 in UTC.
    pub timestamp: Timestamp,
    /// The job as `GET /jobs/{id}` shows it.
    pub data: JobView<'a>,
}

impl<'a> Envelope<'a> {
    /// Around this job, of which `data` is what is shown.
    pub const fn new(job: &Job, data: JobView<'a>) -> Self {
        let kind = match job.status {
            Status::Succeeded => "job.succeeded",
            Status::Failed | Status::Processing => "job.failed",
        };
        Self { kind, timestamp: job.updated_at, data }
    }
}

/// How often and how long a callback is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackPolicy {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// The pause after the first attempt that failed, in milliseconds; each further one is three times as long, up to [`MAX_PAUSE_MS`].
    pub backoff_ms: u32,
}

/// The longest pause before another attempt, whoever asks for it: eight hours.
pub const MAX_PAUSE_MS: i64 = 8 * 60 * 60 * 1000;

/// How long one attempt may take, in milliseconds: name, connection, TLS and the head of the answer together.
pub const ATTEMPT_TIMEOUT_MS: u32 = 10_000;

/// How long a worker has a callback before another may take it, in milliseconds. Longer than an attempt and what is written behind it.
pub const LEASE_MS: i64 = 60_000;

/// What an attempt leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Where the callback stands now.
    pub state: CallbackState,
    /// When it is sent again; only while it is `Pending`.
    pub due_at: Option<Timestamp>,
    /// What the receiver answered, if it did.
    pub status: Option<u16>,
    /// Why it did not.
    pub fault: Option<CallbackFault>,
    /// When it took the message.
    pub delivered_at: Option<Timestamp>,
}

impl CallbackPolicy {
    /// What follows from how an attempt went. `attempts` counts it, and `lot` is any number, by which pauses differ: the callbacks of a
    /// thousand jobs are not to come back to a receiver at once.
    pub fn settle(
        &self,
        attempts: u32,
        answered: Result<Answer, CallbackFault>,
        lot: u32,
        now: Timestamp,
    ) -> Settlement {
        let status = answered.ok().map(|answer| answer.status);
        let settled = |state, due_at, delivered_at| Settlement {
            state,
            due_at,
            status,
            fault: answered.err(),
            delivered_at,
        };
        match status {
            Some(200..=299) => settled(CallbackState::Delivered, None, Some(now)),
            Some(GONE) => settled(CallbackState::Failed, None, None),
            _ if attempts >= self.max_attempts => settled(CallbackState::Failed, None, None),
            _ => {
                let asked = answered.ok().filter(|answer| matches!(answer.status, 429 | 503));
                let asked = asked.and_then(|answer| answer.retry_after_secs).unwrap_or(0);
                let pause = self.pause_ms(attempts, lot).max(i64::from(asked) * 1000).min(MAX_PAUSE_MS);
                settled(CallbackState::Pending, Some(now.plus_millis(pause)), None)
            }
        }
    }

    /// After the attempt with this number; the first is 1. Up to a quarter longer, by lot.
    fn pause_ms(&self, attempt: u32, lot: u32) -> i64 {
        let longer = 3_i64.saturating_pow(attempt.saturating_sub(1));
        let pause = i64::from(self.backoff_ms).saturating_mul(longer).min(MAX_PAUSE_MS);
        pause + (pause / 4).saturating_mul(i64::from(lot)) / i64::from(u32::MAX)
    }
}

/// The receiver wants no more of it.
const GONE: u16 = 410;

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: CallbackPolicy = CallbackPolicy { max_attempts: 4, backoff_ms: 1000 };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn answered(status: u16) -> Result<Answer, CallbackFault> {
        Ok(Answer { status, retry_after_secs: None })
    }

    #[test]
    fn what_a_receiver_takes_is_done() {
        for status in [200, 202, 204, 299] {
            let settled = POLICY.settle(4, answered(status), 0, at(7));
            assert_eq!((settled.state, settled.due_at), (CallbackState::Delivered, None), "{status}");
            assert_eq!((settled.delivered_at, settled.status), (Some(at(7)), Some(status)));
        }
    }

    #[test]
    fn anything_else_is_tried_again_until_the_attempts_are_used_up() {
        for answer in
            [answered(500), answered(302), answered(404), answered(199), Err(CallbackFault::TimedOut)]
        {
            for (attempts, pause) in [(1, 1_000), (2, 3_000), (3, 9_000)] {
                let settled = POLICY.settle(attempts, answer, 0, at(0));
                assert_eq!(
                    (settled.state, settled.due_at),
                    (CallbackState::Pending, Some(at(pause))),
                    "{answer:?}"
                );
            }
            let settled = POLICY.settle(4, answer, 0, at(0));
            assert_eq!((settled.state, settled.due_at), (CallbackState::Failed, None), "{answer:?}");
            assert_eq!(
                (settled.status, settled.fault),
                (answer.ok().map(|answer| answer.status), answer.err())
            );
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_asked_no_more() {
        let settled = POLICY.settle(1, answered(410), 0, at(0));
        assert_eq!((settled.state, settled.due_at, settled.status), (CallbackState::Failed, None, Some(410)));
    }

    #[test]
    fn a_busy_receiver_says_when_within_bounds() {
        for (status, asked, pause) in [
            (429, 60, 60_000),
            (503, 60, 60_000),
            (503, 0, 1_000),
            (503, u32::MAX, MAX_PAUSE_MS),
            (500, 60, 1_000),
        ] {
            let answer = Ok(Answer { status, retry_after_secs: Some(asked) });
            assert_eq!(POLICY.settle(1, answer, 0, at(0)).due_at, Some(at(pause)), "{status} {asked}");
        }
    }

    #[test]
    fn pauses_differ_by_lot_and_have_an_end() {
        let patient = CallbackPolicy { max_attempts: u32::MAX, backoff_ms: u32::MAX };
        assert_eq!(POLICY.pause_ms(1, u32::MAX), 1_250);
        assert!((1_000..1_250).contains(&POLICY.pause_ms(1, u32::MAX / 2)));
        for attempt in [1, 100, u32::MAX] {
            let settled =
                patient.settle(attempt.min(u32::MAX - 1), Err(CallbackFault::Unreachable), u32::MAX, at(0));
            assert_eq!(settled.due_at, Some(at(MAX_PAUSE_MS)));
        }
    }
}
