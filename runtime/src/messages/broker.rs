//! Messages within this process: from whoever sends one to the subscriptions of its channel; bounded, and at most once, as Redis' own are.
//!
//! A channel is one of a server: two servers may each have one of the same name. Equal messages are all delivered, unless a subscription
//! asks for less: where a message only says "look", one that waits for each worker makes further ones superfluous, for whoever takes it
//! looks at the same state, later.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{
    capabilities::redis::MessageTooLarge,
    limits::{Limits, length},
    telemetry::{Event, Logger},
};

/// Messages that are dropped are logged at most this often, with their number.
const DROPS_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// A payload, as it was sent.
pub type Message = Vec<u8>;

/// A channel of a server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Channel {
    server: String,
    name: String,
}

impl Channel {
    /// `server` is the address as the manifest and the guests write it; it may hold a password and is never shown.
    #[must_use]
    pub fn new(server: impl Into<String>, name: impl Into<String>) -> Self {
        Self { server: server.into(), name: name.into() }
    }

    /// The address of its server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What one subscription asks for. The default is what Redis does.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// At most this many equal messages wait; none is no bound but that of all messages.
    pub max_equal: Option<usize>,
    /// What the subscription is sent where it may have missed messages; none is nothing.
    pub wake_up: Option<Message>,
}

/// Carries messages from publishers to the subscriptions of a channel.
#[derive(Debug)]
pub struct Broker {
    max_message_bytes: usize,
    max_pending: usize,
    log: Logger,
    channels: Mutex<HashMap<Channel, Vec<Arc<Queue>>>>,
}

#[derive(Debug)]
struct Queue {
    channel: String,
    delivery: Delivery,
    max_pending: usize,
    log: Logger,
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    messages: VecDeque<Message>,
    drops: Drops,
    closed: bool,
}

/// One subscriber's end of a channel, which several workers may share: each message goes to one of them.
#[derive(Clone, Debug)]
pub struct Subscription(Arc<Queue>);

impl Broker {
    /// Without subscriptions.
    #[must_use]
    pub fn new(limits: &Limits, log: &Logger) -> Self {
        Self {
            max_message_bytes: length(limits.max_message_bytes),
            max_pending: length(limits.max_pending_messages),
            log: log.clone(),
            channels: Mutex::default(),
        }
    }

    /// Listens to a channel.
    pub fn subscribe(&self, channel: &Channel, delivery: Delivery) -> Subscription {
        let queue = Arc::new(Queue {
            channel: channel.name.clone(),
            delivery,
            max_pending: self.max_pending,
            log: self.log.clone(),
            pending: Mutex::default(),
            arrived: Notify::new(),
        });
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.entry(channel.clone()).or_default().push(Arc::clone(&queue));
        Subscription(queue)
    }

    /// Sends a message; without a subscriber it is lost, as on Redis.
    ///
    /// # Errors
    /// It has too many bytes.
    pub fn publish(&self, channel: &Channel, message: &[u8]) -> Result<(), MessageTooLarge> {
        if message.len() > self.max_message_bytes {
            return Err(MessageTooLarge { max_bytes: self.max_message_bytes });
        }
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for queue in channels.get(channel).into_iter().flatten() {
            queue.offer(message);
        }
        Ok(())
    }

    /// Messages of a channel may have been missed: wakes its subscriptions.
    pub fn missed(&self, channel: &Channel) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for queue in channels.get(channel).into_iter().flatten() {
            queue.wake();
        }
    }
}

impl Queue {
    /// Dropped when the queue is full; passed over when it holds enough equal ones.
    fn offer(&self, message: &[u8]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.closed {
            return;
        }
        if let Some(max_equal) = self.delivery.max_equal
            && pending.messages.iter().filter(|waiting| *waiting == message).count() >= max_equal
        {
            return;
        }
        if pending.messages.len() >= self.max_pending {
            let cause = format!("more than {} messages wait for a worker", self.max_pending);
            pending.drops.count(&self.log, None, &self.channel, &cause);
            return;
        }
        pending.messages.push_back(message.to_owned());
        drop(pending);
        self.arrived.notify_one();
    }

    fn wake(&self) {
        if let Some(wake_up) = &self.delivery.wake_up {
            self.offer(wake_up);
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

    /// Sends the wake-up that this subscription asked for, if it did, to it alone.
    pub fn wake(&self) {
        self.0.wake();
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

/// What was dropped since it was last logged.
#[derive(Debug, Default)]
pub(super) struct Drops {
    count: u64,
    logged: Option<Instant>,
}

impl Drops {
    /// One more, which is logged unless one was a moment ago. `server` is where it came from, if not from this process, without a secret.
    pub(super) fn count(&mut self, log: &Logger, server: Option<&str>, channel: &str, cause: &str) {
        self.count += 1;
        if self.logged.is_none_or(|logged| logged.elapsed() >= DROPS_LOGGED_EVERY) {
            log.event(&Event::MessageDropped { server, channel, cause, messages: self.count });
            *self = Self { count: 0, logged: Some(Instant::now()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{CaptureSink, Level};

    fn broker(max_pending_messages: u64) -> (Broker, CaptureSink) {
        let sink = CaptureSink::new();
        let limits = Limits { max_pending_messages, max_message_bytes: 10, ..Limits::default() };
        (Broker::new(&limits, &Logger::new(Arc::new(sink.clone()), Level::Debug)), sink)
    }

    fn channel(name: &str) -> Channel {
        Channel::new("redis://one", name)
    }

    fn waiting(subscription: &Subscription) -> Vec<Message> {
        subscription.0.pending.lock().unwrap().messages.clone().into()
    }

    #[tokio::test]
    async fn a_message_goes_to_its_channel_alone_and_once() {
        let (broker, _) = broker(10);
        let [a, b, elsewhere] = [channel("a"), channel("b"), Channel::new("redis://two", "a")]
            .map(|channel| broker.subscribe(&channel, Delivery::default()));
        broker.publish(&channel("a"), b"1").unwrap();
        broker.publish(&channel("nobody"), b"2").unwrap();
        assert_eq!(a.next().await.unwrap(), b"1");
        for other in [a, b, elsewhere] {
            assert!(waiting(&other).is_empty());
        }
    }

    #[test]
    fn equal_messages_are_all_delivered_unless_a_subscription_asks_for_less() {
        let (broker, _) = broker(10);
        let plain = broker.subscribe(&channel("a"), Delivery::default());
        let merging = broker.subscribe(&channel("a"), Delivery { max_equal: Some(2), wake_up: None });
        for message in [b"{}", b"{}", b"{}", b"[]"] {
            broker.publish(&channel("a"), message).unwrap();
        }
        assert_eq!(waiting(&plain), [b"{}", b"{}", b"{}", b"[]"]);
        assert_eq!(waiting(&merging), [b"{}", b"{}", b"[]"]);
    }

    #[test]
    fn only_who_asked_for_it_is_woken() {
        let (broker, _) = broker(10);
        let asked = Delivery { max_equal: None, wake_up: Some(b"look".to_vec()) };
        let (asked, other) =
            (broker.subscribe(&channel("a"), asked), broker.subscribe(&channel("a"), Delivery::default()));
        broker.missed(&channel("a"));
        broker.missed(&channel("b"));
        other.wake();
        assert_eq!((waiting(&asked), waiting(&other)), (vec![b"look".to_vec()], vec![]));
        asked.wake();
        assert_eq!(waiting(&asked).len(), 2);
    }

    #[test]
    fn a_full_queue_drops_and_says_so_once_and_a_large_message_is_refused() {
        let (broker, log) = broker(3);
        let subscription = broker.subscribe(&channel("a"), Delivery::default());
        for n in 0..9_u8 {
            broker.publish(&channel("a"), &[n]).unwrap();
        }
        assert_eq!(waiting(&subscription).len(), 3);
        let [line] = &log.lines()[..] else { panic!("{:?}", log.lines()) };
        assert_eq!((line.event.as_str(), &line.fields["channel"]), ("message-dropped", &"a".into()));
        assert_eq!(broker.publish(&channel("a"), &[0; 11]), Err(MessageTooLarge { max_bytes: 10 }));
    }

    #[tokio::test]
    async fn several_workers_share_a_subscription() {
        let (broker, _) = broker(10);
        let subscription = broker.subscribe(&channel("a"), Delivery::default());
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let subscription = subscription.clone();
                tokio::spawn(async move { subscription.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        for n in 0..3_u8 {
            broker.publish(&channel("a"), &[n]).unwrap();
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
        let (broker, _) = broker(10);
        let subscription = broker.subscribe(&channel("a"), Delivery::default());
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
        broker.publish(&channel("a"), b"late").unwrap();
        assert_eq!(subscription.next().await, None);
    }

    #[test]
    fn no_password_of_a_server_is_shown() {
        let (broker, _) = broker(10);
        broker.subscribe(&Channel::new("redis://:hunter2@h", "a"), Delivery::default());
        let shown = format!("{broker:?}");
        assert!(shown.contains("\"a\"") && !shown.contains("hunter2"), "{shown}");
    }
}
