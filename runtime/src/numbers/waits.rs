//! Waiting for what others have: a connection of a pool, the turn to write.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;

use super::Counter;

/// How often somebody had to wait, and for how long in all.
#[derive(Debug, Default)]
pub struct Waits {
    count: Counter,
    time: Counter,
}

impl Waits {
    /// Waits. What is there at once is no wait, and not even a clock is read.
    ///
    /// # Cancel safety
    /// As the future's own; the time of one that is given up is not counted.
    pub async fn measure<F: Future>(&self, waiting: F) -> F::Output {
        let mut waiting = pin!(waiting);
        if let Some(there) = waiting.as_mut().now_or_never() {
            return there;
        }
        self.count.one();
        let begun = Instant::now();
        let there = waiting.await;
        self.time.add_time(begun.elapsed());
        there
    }

    /// How often.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// How long in all.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time.time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_has_to_wait_is_counted() {
        let waits = Waits::default();
        assert_eq!(waits.measure(async { 7 }).await, 7);
        assert_eq!((waits.count(), waits.time()), (0, Duration::ZERO));
        waits.measure(tokio::time::sleep(Duration::from_millis(2))).await;
        assert_eq!(waits.count(), 1);
        assert!(waits.time() >= Duration::from_millis(1));
    }
}
