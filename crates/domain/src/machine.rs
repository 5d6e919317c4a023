//! Which step of a job may follow which: when it is due, how long a worker has it, when it is given up.
//!
//! ```text
//!                 claim (attempts + 1, lease)            finish
//! processing, due ---------------------------> leased ------------> succeeded
//!      ^   ^                                    | |  |
//!      |   '-- lease ended, attempts left ------' |  '-- permanent, or no attempts left, or too old --> failed
//!      '-- transient, attempts left, backoff -----'
//!      '-- service, not too old, not out of time once too often: attempt given back, backoff -'
//!
//! failed ---- somebody has it tried again: attempts and age begin anew ----> processing, due
//! ```
//!
//! The store makes each arrow one statement, guarded by the lease token; here is what the statements say.

use crate::failure::Fault;
use crate::timestamp::Timestamp;

/// How often and how long a job is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// How long a worker has the job before another may take it. Longer than the longest attempt.
    pub lease_secs: u32,
    /// The pause after the first failed attempt; each further one is twice as long, up to [`MAX_BACKOFF_MS`].
    pub retry_backoff_ms: u32,
    /// How long after it came in a job is tried again that the service itself failed.
    pub max_job_age_secs: u32,
}

/// What became of a job so far, as far as it decides what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Attempts begun that count, the present one included.
    pub attempts: u32,
    /// Attempts that were given back.
    pub setbacks: u32,
    /// When the job came in, or somebody had it tried again.
    pub begun_at: Timestamp,
}

/// The longest pause before another attempt: five minutes.
pub const MAX_BACKOFF_MS: i64 = 5 * 60 * 1000;

/// How many attempts at a job end by the clock before it has failed. Time by the clock is the service's to give, and a store that is slow for an hour
/// costs no job its life: with the usual pauses these take more than an hour and a half. But an image that needs nearly all of the processor time that
/// it may have is never done where others take most of the processor, and takes a worker from them each time.
pub const MAX_TIMED_OUT: usize = 24;

/// How far the clocks of two workers are from each other at most: beyond that one of them is wrong.
pub const MAX_CLOCK_DIFFERENCE_MS: i64 = 10 * 60 * 1000;

/// A job that has been due for this long and was not claimed makes whoever reads it wake the workers.
pub const OVERDUE_AFTER_MS: i64 = 2_000;

/// Reads wake the workers for one job at most this often.
pub const WAKE_AGAIN_AFTER_MS: i64 = 5_000;

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this moment.
    Retry {
        /// When the job may be claimed again.
        due_at: Timestamp,
    },
    /// The same, and this attempt does not count.
    GiveBack {
        /// When the job may be claimed again.
        due_at: Timestamp,
    },
    /// None: the job has failed.
    GiveUp,
}

impl RetryPolicy {
    /// When a lease that begins now ends.
    pub fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(i64::from(self.lease_secs) * 1000)
    }

    /// No job is due later than this that was put off at this moment or before, by whichever worker.
    pub fn latest_due(&self, now: Timestamp) -> Timestamp {
        now.plus_millis((i64::from(self.lease_secs) * 1000).max(MAX_BACKOFF_MS) + MAX_CLOCK_DIFFERENCE_MS)
    }

    /// What follows when the present attempt of a job with this history failed.
    pub fn after_failure(&self, history: History, fault: Fault, now: Timestamp) -> Next {
        let History { attempts, setbacks, begun_at } = history;
        match fault {
            Fault::Transient if attempts < self.max_attempts => {
                Next::Retry { due_at: now.plus_millis(self.backoff_ms(attempts)) }
            }
            Fault::Service if now.millis_since(begun_at) < i64::from(self.max_job_age_secs) * 1000 => {
                Next::GiveBack { due_at: now.plus_millis(self.backoff_ms(setbacks.saturating_add(1))) }
            }
            Fault::Service | Fault::Transient | Fault::Permanent => Next::GiveUp,
        }
    }

    /// The pause after the failure with this number, in milliseconds; the first is 1.
    fn backoff_ms(&self, failure: u32) -> i64 {
        let doublings = failure.saturating_sub(1).min(31);
        (i64::from(self.retry_backoff_ms) << doublings).min(MAX_BACKOFF_MS)
    }
}

/// Whether a read of a job in `processing` should wake the workers for it: it has been due for a while, and no read did so
/// just before.
pub fn needs_wake_up(due_at: Timestamp, woken_at: Option<Timestamp>, now: Timestamp) -> bool {
    let overdue = now.millis_since(due_at) >= OVERDUE_AFTER_MS;
    overdue && woken_at.is_none_or(|woken| now.millis_since(woken) >= WAKE_AGAIN_AFTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1000, max_job_age_secs: 3600 };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_transient_failure_is_tried_again_until_the_attempts_are_used_up() {
        for (attempt, next) in [
            (1, Next::Retry { due_at: at(5_000 + 1_000) }),
            (2, Next::Retry { due_at: at(5_000 + 2_000) }),
            (3, Next::GiveUp),
            (4, Next::GiveUp),
        ] {
            let history = History { attempts: attempt, setbacks: 7, begun_at: at(0) };
            assert_eq!(POLICY.after_failure(history, Fault::Transient, at(5_000)), next, "attempt {attempt}");
        }
    }

    #[test]
    fn what_the_service_failed_costs_no_attempt_until_the_job_is_old() {
        for (setbacks, failed_at, next) in [
            (0, 5_000, Next::GiveBack { due_at: at(5_000 + 1_000) }),
            (1, 5_000, Next::GiveBack { due_at: at(5_000 + 2_000) }),
            (u32::MAX, 5_000, Next::GiveBack { due_at: at(5_000 + MAX_BACKOFF_MS) }),
            (1, 3_599_999, Next::GiveBack { due_at: at(3_599_999 + 2_000) }),
            (1, 3_600_000, Next::GiveUp),
        ] {
            let history = History { attempts: 3, setbacks, begun_at: at(0) };
            assert_eq!(POLICY.after_failure(history, Fault::Service, at(failed_at)), next, "{history:?}");
        }
    }

    #[test]
    fn a_permanent_failure_is_final_at_once() {
        for attempts in 1..=3 {
            let history = History { attempts, setbacks: 0, begun_at: at(0) };
            assert_eq!(POLICY.after_failure(history, Fault::Permanent, at(5_000)), Next::GiveUp);
        }
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_never_overflow() {
        let patient = RetryPolicy { max_attempts: u32::MAX, retry_backoff_ms: u32::MAX, ..POLICY };
        for (attempt, pause_ms) in
            [(1, 1_000), (2, 2_000), (5, 16_000), (9, 256_000), (10, 300_000), (u32::MAX, 300_000)]
        {
            assert_eq!(POLICY.backoff_ms(attempt), pause_ms, "attempt {attempt}");
        }
        assert_eq!(patient.backoff_ms(u32::MAX), MAX_BACKOFF_MS);
        assert_eq!(RetryPolicy { retry_backoff_ms: 0, ..POLICY }.backoff_ms(7), 0);
    }

    #[test]
    fn a_lease_is_as_long_as_configured() {
        assert_eq!(POLICY.lease_end(at(1)), at(30_001));
    }

    #[test]
    fn reads_wake_for_overdue_jobs_only_and_not_too_often() {
        for (due, woken, now, wakes) in [
            (0, None, 1_999, false),
            (0, None, 2_000, true),
            (10_000, None, 2_000, false),
            (0, Some(2_000), 6_999, false),
            (0, Some(2_000), 7_000, true),
        ] {
            assert_eq!(needs_wake_up(at(due), woken.map(at), at(now)), wakes, "{due} {woken:?} {now}");
        }
    }
}
