//! Spans that wait to be sent: so many and no more, and what became of all others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::span::Spans;
use crate::numbers::Counter;

/// What became of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fates {
    /// A collector took them.
    pub sent: u64,
    /// There was no room for them: in the queue, or among those of one call.
    pub dropped: u64,
    /// No collector took them, or it said that it does not want them.
    pub unsent: u64,
}

/// Spans that wait.
#[derive(Debug)]
pub(crate) struct Queue {
    max_spans: usize,
    waiting: Mutex<Waiting>,
    filled: Notify,
    sent: Counter,
    dropped: Counter,
    unsent: Counter,
}

#[derive(Debug, Default)]
struct Waiting {
    traces: Vec<Spans>,
    spans: usize,
    /// How many were taken out and have no fate yet.
    under_way: usize,
}

impl Queue {
    pub(crate) fn new(max_spans: usize) -> Self {
        Self {
            max_spans,
            waiting: Mutex::default(),
            filled: Notify::new(),
            sent: Counter::default(),
            dropped: Counter::default(),
            unsent: Counter::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has spans wait, all of them or none.
    pub(super) fn push(&self, spans: Spans) {
        let count = spans.spans.len();
        let mut waiting = self.lock();
        if waiting.spans.saturating_add(waiting.under_way).saturating_add(count) > self.max_spans {
            drop(waiting);
            return self.drop_some(count);
        }
        waiting.spans += count;
        waiting.traces.push(spans);
        drop(waiting);
        self.filled.notify_one();
    }

    /// So many were lost before they came here.
    pub(super) fn drop_some(&self, count: usize) {
        self.dropped.add(count as u64);
    }

    /// Waits until there are so many spans.
    ///
    /// # Cancel safety
    /// Nothing is taken.
    pub(super) async fn holds(&self, least: usize) {
        loop {
            // Made before the look, so that nothing that comes in between is missed.
            let filled = self.filled.notified();
            if self.lock().spans >= least {
                return;
            }
            filled.await;
        }
    }

    /// Takes the oldest out, whole calls of at least so many spans together where there are as many. Whoever does says later what became of them.
    pub(super) fn take(&self, enough: usize) -> Vec<Spans> {
        let mut waiting = self.lock();
        let mut count = 0;
        let calls = waiting.traces.iter().take_while(|spans| {
            let wanted = count < enough;
            count += if wanted { spans.spans.len() } else { 0 };
            wanted
        });
        let calls = calls.count();
        let taken = waiting.traces.drain(..calls).collect();
        waiting.spans -= count;
        waiting.under_way += count;
        taken
    }

    /// Of those that were taken out last, a collector took all but so many.
    pub(super) fn settle(&self, unsent: usize) {
        let count = std::mem::take(&mut self.lock().under_way);
        let unsent = unsent.min(count);
        self.sent.add((count - unsent) as u64);
        self.unsent.add(unsent as u64);
    }

    /// Nothing is sent any more.
    pub(super) fn give_up(&self) {
        let mut waiting = self.lock();
        let lost = std::mem::take(&mut *waiting);
        self.unsent.add((lost.spans + lost.under_way) as u64);
    }

    pub(super) fn fates(&self) -> Fates {
        Fates { sent: self.sent.get(), dropped: self.dropped.get(), unsent: self.unsent.get() }
    }

    /// All that waits, for tests of what makes spans.
    #[cfg(test)]
    pub(crate) fn drain(&self) -> Vec<Spans> {
        let taken = self.take(usize::MAX);
        self.settle(0);
        taken
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::{
        super::span::{Kind, Span},
        *,
    };

    fn spans(count: usize) -> Spans {
        let span = Span {
            id: 1,
            parent: None,
            name: "a".into(),
            kind: Kind::Internal,
            begin_ns: 0,
            end_ns: 1,
            attributes: Vec::new(),
            events: Vec::new(),
            dropped_events: 0,
            is_error: false,
        };
        Spans { trace: 1, state: None, spans: vec![span; count] }
    }

    #[test]
    fn what_there_is_no_room_for_is_dropped_and_counted() {
        let queue = Queue::new(5);
        queue.push(spans(3));
        queue.push(spans(3));
        queue.push(spans(2));
        assert_eq!(queue.fates(), Fates { sent: 0, dropped: 3, unsent: 0 });
        assert_eq!(queue.take(1).len(), 1, "whole calls");
        queue.push(spans(1));
        assert_eq!(queue.fates().dropped, 4, "what is under way has its room still");
        queue.settle(1);
        assert_eq!(queue.fates(), Fates { sent: 2, dropped: 4, unsent: 1 });
        queue.push(spans(3));
        assert_eq!(queue.take(10).len(), 2);
        queue.settle(0);
        assert_eq!(queue.fates().sent, 7);
    }

    #[test]
    fn what_waits_at_the_end_is_not_sent() {
        let queue = Queue::new(10);
        queue.push(spans(3));
        queue.push(spans(4));
        queue.take(1);
        queue.give_up();
        assert_eq!(queue.fates(), Fates { sent: 0, dropped: 0, unsent: 7 });
    }

    #[tokio::test]
    async fn who_waits_for_spans_hears_of_them() {
        let queue = Queue::new(10);
        assert!(queue.holds(2).now_or_never().is_none());
        let (held, ()) =
            tokio::join!(tokio::time::timeout(std::time::Duration::from_secs(30), queue.holds(2)), async {
                queue.push(spans(1));
                tokio::task::yield_now().await;
                queue.push(spans(1));
            });
        held.unwrap();
    }
}
