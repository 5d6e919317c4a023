//! How long a guest may run, in processor time; waiting does not count, and neither does a machine that is too busy to run it.
//!
//! The guest's future is measured around each of its polls by the clock of the thread that polls it. So what the host computes on the
//! guest's behalf within a poll (a statement of SQLite, say) counts as the guest's own. Epochs (`engine.rs`) only interrupt it: at each
//! tick the sum is compared with the bound.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Store, Trap, UpdateDeadline};

/// What one guest has used of its time, and how much it has.
#[derive(Debug)]
pub struct RunningTime {
    max: Duration,
    used: Meter,
    over: bool,
}

/// Measures one guest. Cheap to clone: the store holds one, and whoever polls the guest another.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Reading>);

/// Only the thread that polls the guest writes these, and a guest is polled by one thread at a time.
#[derive(Debug, Default)]
struct Reading {
    /// Nanoseconds of the polls that are over.
    before_ns: AtomicU64,
    /// What the thread's clock said when the present poll began.
    began_ns: AtomicU64,
}

impl RunningTime {
    /// At most this much.
    #[must_use]
    pub fn new(max: Duration) -> Self {
        Self { max, used: Meter::default(), over: false }
    }

    /// Has the guest of a store stopped when its time, which `time` finds in the store's data, is over. Until then it lets others run at
    /// each tick.
    pub fn bound<T: 'static>(store: &mut Store<T>, time: fn(&mut T) -> &mut Self) {
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| time(store.data_mut()).tick());
    }

    /// Whoever polls the guest has to measure with it, or the whole life of the thread counts.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.used.clone()
    }

    /// What the guest used in the polls that are over.
    #[must_use]
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used.0.before_ns.load(Relaxed))
    }

    /// A tick found the guest running.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.over = self.used.until_now() >= self.max;
        if self.over { Err(Trap::Interrupt.into()) } else { Ok(UpdateDeadline::Yield(1)) }
    }

    /// Whether the guest was stopped because nothing was left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }
}

impl Meter {
    /// Polls a guest's future to its end, and measures each poll.
    ///
    /// # Cancel safety
    /// As the future's own.
    pub async fn measure<F: Future>(&self, guest: F) -> F::Output {
        let mut guest = pin!(guest);
        std::future::poll_fn(|context| {
            self.0.began_ns.store(thread_ns(), Relaxed);
            let polled = guest.as_mut().poll(context);
            self.0.before_ns.store(ns(self.until_now()), Relaxed);
            polled
        })
        .await
    }

    /// All that was used, the present poll included. To be asked within one.
    fn until_now(&self) -> Duration {
        let present = thread_ns().saturating_sub(self.0.began_ns.load(Relaxed));
        Duration::from_nanos(self.0.before_ns.load(Relaxed).saturating_add(present))
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How long this thread has run, since it began.
fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // No clock of a thread goes below zero.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn compute(length: Duration) {
        let begun = thread_ns();
        while thread_ns() - begun < ns(length) {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn computing_counts_however_it_is_cut_up_and_waiting_does_not() {
        let mut time = RunningTime::new(Duration::from_millis(20));
        let meter = time.meter();
        let begun = Instant::now();
        let guest = async {
            for _ in 0..10 {
                compute(Duration::from_millis(1));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(begun.elapsed() > Duration::from_millis(100));
            assert!(time.tick().is_ok(), "it ran for half of what it may");
            compute(Duration::from_millis(20));
            assert!(time.tick().is_err());
        };
        meter.measure(guest).await;
        assert!(time.is_over());
    }
}
