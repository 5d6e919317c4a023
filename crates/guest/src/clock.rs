//! Time: the wall clock for rows and headers, the monotonic one for durations, and waiting.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use thumbs_domain::timestamp::Timestamp;

/// Time, as far as a handler may know it.
pub trait Clock {
    /// The moment, by the wall clock.
    fn now(&self) -> Timestamp;

    /// Time since some moment of this instance's life; never goes back.
    fn elapsed(&self) -> Duration;

    /// Blocks this instance, and nothing else, for as long as `pause`.
    fn sleep(&self, pause: Duration);
}

/// The host's clocks.
#[derive(Debug)]
pub struct HostClock {
    started: Instant,
}

impl HostClock {
    /// Starts counting.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// A duration as logs and receipts show it: milliseconds, to the microsecond.
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
