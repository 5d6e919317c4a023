//! Pauses between attempts to reach a server: each twice as long as the last up to a bound, and each a little different, so that the
//! runtimes that lost one server together do not all come back to it at one moment.

use std::time::Duration;

use uuid::Uuid;

/// The pauses of one server.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// After the first failure at most `first`, and never more than `max`.
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, failures: 0 }
    }

    /// The pause after one more failure: somewhere in the upper half of what doubles each time.
    pub(crate) fn next(&mut self) -> Duration {
        let longest = self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(0.5 + share() / 2.0)
    }

    /// It works again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Anything from 0 to 1. From where ids come from, so that the host has one source of chance.
fn share() -> f64 {
    // The last bits of an id are random in every version of the standard.
    let [.., a, b, c, d] = Uuid::now_v7().into_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(20);
    const MAX: Duration = Duration::from_secs(2);

    #[test]
    fn pauses_grow_to_their_bound_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(FIRST, MAX);
        for failure in 0..40 {
            let longest = FIRST.saturating_mul(1 << failure.min(20)).min(MAX);
            let pause = backoff.next();
            assert!(pause >= longest / 2 && pause <= longest, "{failure}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
        assert!(Backoff::new(MAX, FIRST).next() <= FIRST, "the bound holds for the first one too");
    }

    #[test]
    fn two_runtimes_do_not_pause_alike() {
        let pauses = || {
            let mut backoff = Backoff::new(FIRST, MAX);
            (0..8).map(|_| backoff.next()).collect::<Vec<_>>()
        };
        assert_ne!(pauses(), pauses());
    }
}
