//! From a channel of a Redis server to this process: one subscription per runtime, whose messages the in-process broker hands to the workers.
//!
//! A subscription is kept for as long as the runtime runs. When it is lost, it is taken up again after a pause (`backoff.rs`), for ever;
//! being down when the runtime starts is the same as being lost. An outage is logged when it begins and when it ends, and once more where a
//! server that could not be reached turns out to refuse.
//!
//! What is published while nobody listens is gone. So after each subscription, the first included, one message of the caller's goes to
//! the workers: they look whether they missed something.
//!
//! A connection whose other end is gone without a word looks like a quiet channel. So the server is asked for a sign of life as often as it
//! may take to give one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use redis::aio::PubSubSink;
use tokio_util::sync::CancellationToken;

use super::{Broker, Client, Message, address::Address, backoff::Backoff, connect::out_of_reach};
use crate::{
    capabilities::error::ServerFault,
    telemetry::{Level, Logger},
};

/// Messages that are dropped are logged at most this often, with their number.
const DROPS_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// One channel of one server, forwarded to the broker.
#[derive(Debug)]
pub struct Forward {
    client: Client,
    address: Address,
    channel: String,
    broker: Arc<Broker>,
    wake_up: Message,
    log: Logger,
}

impl Forward {
    /// Of a channel; `wake_up` is what the broker gets after each subscription. Nothing happens before [`Forward::run`].
    ///
    /// # Errors
    /// As [`super::validate`].
    pub fn new(
        client: &Client,
        url: &str,
        channel: impl Into<String>,
        broker: &Arc<Broker>,
        wake_up: &[u8],
        log: &Logger,
    ) -> Result<Self, String> {
        Ok(Self {
            client: client.clone(),
            address: Address::parse(url)?,
            channel: channel.into(),
            broker: Arc::clone(broker),
            wake_up: wake_up.to_owned(),
            log: log.clone(),
        })
    }

    /// Forwards until stopped.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.forward() => {}
        }
    }

    async fn forward(&self) {
        let mut backoff = Backoff::new(self.client.bounds().max_pause);
        let mut outage = None;
        loop {
            let begun = Instant::now();
            let fault = match self.client.subscribe(&self.address, &self.channel).await {
                Ok((sink, messages)) => {
                    self.begun(outage.take());
                    let fault = self.listen(sink, messages).await;
                    // One that is lost as soon as it is made must not be made in a hurry.
                    if begun.elapsed() > self.client.bounds().max_pause {
                        backoff.reset();
                    }
                    fault
                }
                Err(fault) => fault,
            };
            if outage.as_ref().is_none_or(|known| is_graver(&fault, known)) {
                self.lost(&fault);
                outage = Some(fault);
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Hands on messages until the connection is lost, and says why it was.
    async fn listen(
        &self,
        sink: PubSubSink,
        messages: impl futures_util::Stream<Item = redis::Msg>,
    ) -> ServerFault {
        self.hand_on(&self.wake_up, &mut Drops::default());
        let handing_on = async {
            let mut messages = std::pin::pin!(messages);
            let mut drops = Drops::default();
            while let Some(message) = messages.next().await {
                self.hand_on(message.get_payload_bytes(), &mut drops);
            }
            out_of_reach(&self.address, "closed the connection")
        };
        // Beside the messages and not between them: they must not pile up while an answer is waited for.
        tokio::select! {
            fault = handing_on => fault,
            fault = self.ask(sink) => fault,
        }
    }

    /// Asks for a sign of life, again and again, and ends when there is none.
    async fn ask(&self, mut sink: PubSubSink) -> ServerFault {
        let patience = self.client.bounds().response;
        loop {
            tokio::time::sleep(patience).await;
            match tokio::time::timeout(patience, sink.ping::<redis::Value>()).await {
                // An error of the server's is a sign of life too: a user may not be allowed to PING.
                Ok(Ok(_)) => {}
                Ok(Err(error)) if error.clone().into_server_errors().is_some() => {}
                Ok(Err(_)) => return out_of_reach(&self.address, "closed the connection"),
                Err(_) => {
                    let what = format!("gave no sign of life within {} ms", patience.as_millis());
                    return out_of_reach(&self.address, &what);
                }
            }
        }
    }

    fn hand_on(&self, message: &[u8], drops: &mut Drops) {
        if let Err(error) = self.broker.publish(&self.channel, message) {
            drops.count += 1;
            if drops.logged.is_none_or(|logged| logged.elapsed() >= DROPS_LOGGED_EVERY) {
                let fields = [("cause", error.to_string().into()), ("messages", drops.count.into())];
                self.event(Level::Warn, "message-dropped", &fields);
                *drops = Drops { count: 0, logged: Some(Instant::now()) };
            }
        }
    }

    fn begun(&self, outage: Option<ServerFault>) {
        let event = if outage.is_some() { "subscription-back" } else { "subscribed" };
        self.event(Level::Info, event, &[]);
    }

    fn lost(&self, fault: &ServerFault) {
        let level = match fault {
            ServerFault::Unreachable(_) => Level::Warn,
            ServerFault::Refused(_) => Level::Error,
        };
        self.event(level, "subscription-lost", &[("cause", fault.to_string().into())]);
    }

    fn event(&self, level: Level, event: &str, fields: &[(&str, serde_json::Value)]) {
        let mut all =
            vec![("server", self.address.to_string().into()), ("channel", self.channel.as_str().into())];
        all.extend_from_slice(fields);
        self.log.event(level, event, &all);
    }
}

/// What was dropped since it was last logged.
#[derive(Debug, Default)]
struct Drops {
    count: u64,
    logged: Option<Instant>,
}

/// Whether an outage that was logged for one reason should be logged again for this one: it needs a person now.
fn is_graver(fault: &ServerFault, known: &ServerFault) -> bool {
    matches!((known, fault), (ServerFault::Unreachable(_), ServerFault::Refused(_)))
}
