//! Messages within this process, in the place of a Redis server: bounded, and at most once, as Redis' own are.
//!
//! A message that is waiting makes an equal one superfluous as soon as every worker has one to take: whoever takes it looks at the same
//! state, later. So equal messages wait at most once per worker, and a burst of wake-ups costs no more than a burst of work.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::Notify;

use super::{Session, other, wit};
use crate::limits::{Limits, length};

/// A payload, as it was sent.
pub type Message = Vec<u8>;

/// Carries messages from publishers to the subscriptions of a channel.
#[derive(Debug)]
pub struct Broker {
    max_message_bytes: usize,
    max_pending: usize,
    channels: Mutex<HashMap<String, Vec<Arc<Queue>>>>,
}

#[derive(Debug)]
struct Queue {
    max_equal: usize,
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    messages: VecDeque<Message>,
    closed: bool,
}

/// One subscriber's end of a channel, which several workers may share: each message goes to one of them.
#[derive(Clone, Debug)]
pub struct Subscription(Arc<Queue>);

impl Broker {
    /// Without subscriptions.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            max_message_bytes: length(limits.max_message_bytes),
            max_pending: length(limits.max_pending_messages),
            channels: Mutex::default(),
        }
    }

    /// Listens to a channel with so many workers.
    pub fn subscribe(&self, channel: &str, workers: usize) -> Subscription {
        let queue =
            Arc::new(Queue { max_equal: workers.max(1), pending: Mutex::default(), arrived: Notify::new() });
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.entry(channel.to_owned()).or_default().push(Arc::clone(&queue));
        Subscription(queue)
    }

    /// Sends a message; without a subscriber it is lost, as on Redis.
    ///
    /// # Errors
    /// It has too many bytes.
    pub fn publish(&self, channel: &str, message: &[u8]) -> Result<(), MessageTooLarge> {
        if message.len() > self.max_message_bytes {
            return Err(MessageTooLarge { max_bytes: self.max_message_bytes });
        }
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for queue in channels.get(channel).into_iter().flatten() {
            queue.offer(message, self.max_pending);
        }
        Ok(())
    }
}

/// A message that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message has at most {max_bytes} bytes")]
pub struct MessageTooLarge {
    pub(super) max_bytes: usize,
}

impl Queue {
    /// Dropped when the queue is full or holds enough equal ones; the tick makes up for a wake-up.
    fn offer(&self, message: &[u8], max_pending: usize) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let equal = pending.messages.iter().filter(|waiting| *waiting == message).count();
        if equal < self.max_equal && pending.messages.len() < max_pending && !pending.closed {
            pending.messages.push_back(message.to_owned());
            drop(pending);
            self.arrived.notify_one();
        }
    }
}

impl Subscription {
    /// The next message, when there is one; none once closed.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn next(&self) -> Option<Message> {
        loop {
            let arrived = self.0.arrived.notified();
            {
                let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
                if pending.closed {
                    return None;
                }
                if let Some(message) = pending.messages.pop_front() {
                    if !pending.messages.is_empty() {
                        // A permit is stored once however often it is given: pass it on.
                        self.0.arrived.notify_one();
                    }
                    return Some(message);
                }
            }
            arrived.await;
        }
    }

    /// Ends the subscription: what waits is dropped, and [`Subscription::next`] gives none.
    pub fn close(&self) {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.closed = true;
        pending.messages.clear();
        drop(pending);
        self.0.arrived.notify_waiters();
        self.0.arrived.notify_one();
    }
}

impl Session for Arc<Broker> {
    fn publish<'a>(
        &'a mut self,
        channel: &'a str,
        payload: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        let sent = Broker::publish(self, channel, &payload).map_err(|error| other(error.to_string()));
        std::future::ready(sent).boxed()
    }

    fn command<'a>(
        &'a mut self,
        command: &'a str,
        _: Vec<wit::RedisParameter>,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, wit::Error>> {
        let text = format!("no Redis server is set (redis_url), so there is only PUBLISH, not {command:?}");
        std::future::ready(Err(other(text))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(max_pending_messages: u64, max_message_bytes: u64) -> Broker {
        Broker::new(&Limits { max_pending_messages, max_message_bytes, ..Limits::default() })
    }

    fn waiting(subscription: &Subscription) -> Vec<Message> {
        subscription.0.pending.lock().unwrap().messages.clone().into()
    }

    #[tokio::test]
    async fn a_message_goes_to_its_channel_alone_and_once() {
        let broker = broker(10, 10);
        let (a, b) = (broker.subscribe("a", 1), broker.subscribe("b", 1));
        broker.publish("a", b"1").unwrap();
        broker.publish("nobody", b"2").unwrap();
        assert_eq!(a.next().await.unwrap(), b"1");
        assert!(waiting(&a).is_empty() && waiting(&b).is_empty());
    }

    #[test]
    fn equal_messages_wait_once_per_worker() {
        let broker = broker(10, 10);
        let subscription = broker.subscribe("a", 2);
        for _ in 0..100 {
            broker.publish("a", b"{}").unwrap();
        }
        broker.publish("a", b"other").unwrap();
        assert_eq!(waiting(&subscription), [&b"{}"[..], b"{}", b"other"]);
    }

    #[test]
    fn a_full_queue_drops_and_a_large_message_is_refused() {
        let broker = broker(3, 10);
        let subscription = broker.subscribe("a", 1);
        for n in 0..9_u8 {
            broker.publish("a", &[n]).unwrap();
        }
        assert_eq!(waiting(&subscription).len(), 3);
        assert_eq!(broker.publish("a", &[0; 11]), Err(MessageTooLarge { max_bytes: 10 }));
    }

    #[tokio::test]
    async fn several_workers_share_a_subscription() {
        let broker = broker(10, 10);
        let subscription = broker.subscribe("a", 3);
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let subscription = subscription.clone();
                tokio::spawn(async move { subscription.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        for n in 0..3_u8 {
            broker.publish("a", &[n]).unwrap();
        }
        let mut taken = Vec::new();
        for worker in workers {
            taken.extend(worker.await.unwrap().unwrap());
        }
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
    }

    #[tokio::test]
    async fn closing_ends_every_waiting_worker() {
        let broker = broker(10, 10);
        let subscription = broker.subscribe("a", 2);
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let subscription = subscription.clone();
                tokio::spawn(async move { subscription.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        subscription.close();
        for worker in waiting {
            assert_eq!(worker.await.unwrap(), None);
        }
        broker.publish("a", b"late").unwrap();
        assert_eq!(subscription.next().await, None);
    }
}
