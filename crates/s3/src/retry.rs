//! When a failed request is tried again: exponential backoff with jitter, bounded by a number of attempts and by a total time.
//!
//! What is worth another attempt is decided by who knows the failure ([`crate::answer`]); nothing here knows a clock or sleeps.

use std::time::Duration;

/// The bounds of one operation, all its attempts together.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// The longest pause before the second attempt; it doubles from attempt to attempt.
    pub first_pause: Duration,
    /// No backoff is longer; a server that asks for more is given it, within `total`.
    pub longest_pause: Duration,
    /// No attempt begins after this time, and none runs beyond it.
    pub total: Duration,
}

impl Policy {
    /// For one blob operation. The total stays below the lease of a job (30 s by default), so a worker whose store is away gives its job back
    /// by itself; a store that refuses connections is reported after about a second.
    pub const DEFAULT: Self = Self {
        max_attempts: 4,
        first_pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(2),
        total: Duration::from_secs(25),
    };

    /// The same with this bound on all attempts together.
    #[must_use]
    pub const fn within(total: Duration) -> Self {
        Self { total, ..Self::DEFAULT }
    }

    /// One attempt, within this time.
    #[must_use]
    pub const fn once(total: Duration) -> Self {
        Self { max_attempts: 1, total, ..Self::DEFAULT }
    }

    /// The pause after attempt number `attempt` (from 1) has failed `elapsed` after the start, or `None` where it was the
    /// last one. Half of the backoff is fixed and half is drawn by `random`, so that many clients whose store came back do
    /// not return in step. `wanted` is what the server asked for (`Retry-After`).
    #[must_use]
    pub fn pause(
        &self,
        attempt: u32,
        elapsed: Duration,
        wanted: Option<Duration>,
        random: u64,
    ) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let half = doubled.min(self.longest_pause) / 2;
        let half_nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        let drawn = Duration::from_nanos(random % half_nanos.max(1));
        let pause = (half + drawn).max(wanted.unwrap_or_default());
        (elapsed.saturating_add(pause) < self.total).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Policy = Policy::DEFAULT;

    const RANDOMS: [u64; 4] = [0, 1, u64::MAX / 3, u64::MAX];

    #[test]
    fn pauses_double_and_stay_within_their_bounds() {
        let policy = Policy { max_attempts: 100, total: Duration::MAX, ..DEFAULT };
        for attempt in 1..100 {
            let full =
                DEFAULT.first_pause.saturating_mul(1 << (attempt - 1).min(20)).min(DEFAULT.longest_pause);
            for random in RANDOMS {
                let pause = policy.pause(attempt, Duration::ZERO, None, random).unwrap();
                assert!(full / 2 <= pause && pause <= full, "attempt {attempt}: {pause:?} of {full:?}");
            }
        }
    }

    #[test]
    fn the_random_number_moves_the_pause() {
        let pauses = RANDOMS.map(|random| DEFAULT.pause(3, Duration::ZERO, None, random));
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn attempts_are_bounded() {
        assert!(DEFAULT.pause(DEFAULT.max_attempts - 1, Duration::ZERO, None, 0).is_some());
        assert_eq!(DEFAULT.pause(DEFAULT.max_attempts, Duration::ZERO, None, 0), None);
        assert_eq!(Policy::once(Duration::MAX).pause(1, Duration::ZERO, None, 0), None);
    }

    #[test]
    fn no_attempt_begins_after_the_total_time() {
        assert_eq!(DEFAULT.pause(1, DEFAULT.total, None, 0), None);
        assert_eq!(DEFAULT.pause(1, Duration::MAX, None, 0), None);
        assert_eq!(DEFAULT.pause(1, Duration::ZERO, Some(DEFAULT.total), 0), None);
    }

    #[test]
    fn a_server_that_asks_for_more_time_gets_it() {
        let wanted = Duration::from_secs(7);
        assert_eq!(DEFAULT.pause(1, Duration::ZERO, Some(wanted), 0), Some(wanted));
    }
}
