//! The queue for places of one kind: how long a request waits for one, which is less where there has been a queue for long.
//!
//! A queue is there for what comes in a burst: it is gone soon, and who waited is served. Where more is asked for than can be done it does not get
//! empty, and a wait brings nothing but that all who are served, and all who are refused in the end, have waited as long as they may. So the
//! queue's age decides: while it is younger than the longest wait, a request may wait that long; from then on, until one finds a place free
//! when it comes, a twentieth of it (decision 52).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What is left of the longest wait where a queue does not get empty: one of so many parts.
const STANDING: u32 = 20;

/// Places of one kind, and those that wait for one: first come, first served.
#[derive(Debug)]
pub(super) struct Queue {
    places: Arc<Semaphore>,
    longest_wait: Duration,
    /// When a request first found no place free; none where the last one that came found one.
    since: Mutex<Option<Instant>>,
}

impl Queue {
    pub(super) fn new(places: usize, longest_wait: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), longest_wait, since: Mutex::default() }
    }

    /// A place, once one is free; none where that takes too long.
    ///
    /// # Cancel safety
    /// Nothing is lost but the place in the queue.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        match self.try_enter() {
            Some(permit) => Some(permit),
            None => {
                timeout(self.wait(Instant::now()), Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
            }
        }
    }

    /// A place, if one is free and nobody waits for it.
    pub(super) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        *self.since() = None;
        Some(permit)
    }

    /// How many places are free.
    pub(super) fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// How long a request may wait that comes now and found no place free.
    fn wait(&self, now: Instant) -> Duration {
        let age = now.saturating_duration_since(*self.since().get_or_insert(now));
        if age < self.longest_wait { self.longest_wait } else { self.longest_wait / STANDING }
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(1);
    const SOON: Duration = Duration::from_millis(50);

    /// How long each of some requests may wait, by the moment at which it comes (in milliseconds) and whether it finds a place free.
    fn waits<const N: usize>(requests: [(u64, bool); N]) -> [Duration; N] {
        let (queue, begin) = (Queue::new(1, WAIT), Instant::now());
        requests.map(|(ms, found_one)| {
            if found_one {
                drop(queue.try_enter().unwrap());
                return Duration::ZERO;
            }
            queue.wait(begin + Duration::from_millis(ms))
        })
    }

    #[test]
    fn in_a_burst_all_may_wait_long() {
        assert_eq!(waits([(0, false), (10, false), (999, false)]), [WAIT; 3]);
    }

    #[test]
    fn in_a_queue_that_stays_nobody_waits_long() {
        assert_eq!(waits([(0, false), (1_000, false), (60_000, false)]), [WAIT, SOON, SOON]);
    }

    #[test]
    fn after_one_that_found_a_place_free_the_next_queue_is_a_new_one() {
        let waited = waits([
            (0, false),
            (1_500, false),
            (2_000, true),
            (2_001, false),
            (3_000, false),
            (3_001, false),
        ]);
        assert_eq!(waited, [WAIT, SOON, Duration::ZERO, WAIT, WAIT, SOON]);
    }

    #[tokio::test]
    async fn a_place_that_comes_free_is_for_who_waits_and_does_not_end_the_queue() {
        let queue = Arc::new(Queue::new(1, Duration::from_secs(60)));
        let place = queue.enter().await.unwrap();
        let next = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.enter().await }
        });
        // On one thread the other task has come to its wait then.
        tokio::task::yield_now().await;
        drop(place);
        assert!(queue.try_enter().is_none(), "somebody waits");
        let place = next.await.unwrap();
        assert!(place.is_some() && queue.since.lock().unwrap().is_some());
    }

    #[tokio::test]
    async fn without_a_wait_who_finds_no_place_is_refused_at_once() {
        assert!(Queue::new(0, Duration::ZERO).enter().await.is_none());
    }
}
