//! Pauses between attempts to reach a server: longer each time up to a bound, and each a little different, so that the runtimes that lost
//! one server together do not all come back to it at one moment.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// The pause after the first failure.
const FIRST: Duration = Duration::from_millis(20);

/// The pauses of one server.
#[derive(Debug)]
pub(crate) struct Backoff {
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// No pause is longer than `max`.
    pub(crate) fn new(max: Duration) -> Self {
        Self { max, failures: 0 }
    }

    /// The pause after one more failure: somewhere in the upper half of what doubles each time.
    pub(crate) fn next(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        // The hasher's keys are random: enough for a pause, and no dependency.
        let share = f64::from(u32::try_from(RandomState::new().hash_one(self.failures) >> 32).unwrap_or(0))
            / f64::from(u32::MAX);
        longest.mul_f64(0.5 + share / 2.0)
    }

    /// It works again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_begin_anew_after_a_success() {
        let max = Duration::from_secs(2);
        let mut backoff = Backoff::new(max);
        for failure in 0..40 {
            let longest = FIRST.saturating_mul(1 << failure.min(20)).min(max);
            let pause = backoff.next();
            assert!(pause >= longest / 2 && pause <= longest, "{failure}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }

    #[test]
    fn two_runtimes_do_not_pause_alike() {
        let pauses = || {
            let mut backoff = Backoff::new(Duration::from_secs(2));
            (0..8).map(|_| backoff.next()).collect::<Vec<_>>()
        };
        assert_ne!(pauses(), pauses());
    }
}
