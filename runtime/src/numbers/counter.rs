//! Counters. To count is one addition to a number that nobody has to hold, so it may stand on every path.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

/// Counts up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Relaxed);
    }

    /// A duration more, in nanoseconds: enough for five centuries.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Where nanoseconds are counted: the sum.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.get())
    }
}

/// Upper bounds of a [`Histogram`]: from an answer of the host's own to the longest wait that a client may ask for.
pub const HISTOGRAM_BOUNDS: [Duration; 15] = {
    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
    [
        ms(1),
        Duration::from_micros(2_500),
        ms(5),
        ms(10),
        ms(25),
        ms(50),
        ms(100),
        ms(250),
        ms(500),
        ms(1_000),
        ms(2_500),
        ms(5_000),
        ms(10_000),
        ms(30_000),
        ms(60_000),
    ]
};

/// Durations, counted by how long they were.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Those within each bound and above the one before; the last are above all of them.
    counts: [Counter; BUCKETS],
    sum: Counter,
    /// Of each, the last one that was traced; made with the first.
    exemplars: OnceLock<Box<[Mutex<Option<Exemplar>>; BUCKETS]>>,
}

const BUCKETS: usize = HISTOGRAM_BOUNDS.len() + 1;

/// One of the durations that were counted, and where it can be looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// Its trace.
    pub trace: u128,
    /// How long it was.
    pub time: Duration,
    /// When it was counted, since 1970.
    pub at: Duration,
}

impl Histogram {
    /// One more of this length, and of which trace, where it is one that is recorded.
    pub fn observe(&self, time: Duration, trace: Option<u128>) {
        let slot = HISTOGRAM_BOUNDS.iter().position(|bound| time <= *bound);
        let slot = slot.unwrap_or(HISTOGRAM_BOUNDS.len());
        if let Some(count) = self.counts.get(slot) {
            count.one();
        }
        self.sum.add_time(time);
        if let Some(trace) = trace
            && let Some(last) = self.exemplars.get_or_init(Box::default).get(slot)
        {
            let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Exemplar { trace, time, at });
        }
    }

    /// Of those within each bound and above the one before, the last that was traced.
    #[must_use]
    pub fn exemplars(&self) -> [Option<Exemplar>; BUCKETS] {
        match self.exemplars.get() {
            None => [None; BUCKETS],
            Some(last) => last.each_ref().map(|last| *last.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// How many were within each bound; the last is all of them.
    #[must_use]
    pub fn within(&self) -> [u64; BUCKETS] {
        let mut sum = 0;
        self.counts.each_ref().map(|count| {
            sum += count.get();
            sum
        })
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum.time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_within_each_bound_that_it_does_not_exceed() {
        let histogram = Histogram::default();
        for millis in [0, 1, 7, 59_999, 90_000] {
            histogram.observe(Duration::from_millis(millis), None);
        }
        let within = histogram.within();
        assert_eq!(&within[..4], [2, 2, 2, 3]);
        assert_eq!(&within[13..], [3, 4, 5]);
        assert_eq!(histogram.sum(), Duration::from_millis(150_007));
        assert_eq!(histogram.exemplars(), [None; BUCKETS]);
    }

    #[test]
    fn of_what_was_traced_the_last_is_an_example_of_its_length() {
        let histogram = Histogram::default();
        for (millis, trace) in [(7, Some(1)), (8, Some(2)), (9, None), (90_000, Some(3))] {
            histogram.observe(Duration::from_millis(millis), trace);
        }
        let examples =
            histogram.exemplars().map(|example| example.map(|example| (example.trace, example.time)));
        assert_eq!(examples[3], Some((2, Duration::from_millis(8))));
        assert_eq!(examples[BUCKETS - 1], Some((3, Duration::from_millis(90_000))));
        assert_eq!(examples.iter().flatten().count(), 2);
    }
}
