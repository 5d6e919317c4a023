//! From a channel of a Redis server to this process: one subscription per runtime, whose messages the broker hands to the workers.
//!
//! A subscription is kept for as long as the runtime runs. When it is lost, it is taken up again after a pause, for ever;
//! being down when the runtime starts is the same as being lost. An outage is logged when it begins and when it ends, and once more where a
//! server that could not be reached turns out to refuse.
//!
//! What is published while nobody listens is gone. So after each subscription, the first included, those who asked for it are woken: they look
//! whether they missed something.
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

use super::broker::{Broker, Channel, Drops};
use crate::{
    backoff::Backoff,
    clients::{
        ServerFault,
        redis::{Address, Client, out_of_reach},
    },
    telemetry::{Event, Logger},
};

/// The pause after the first failed attempt to subscribe.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// One channel of one server, forwarded to the broker.
#[derive(Debug)]
pub struct Forward {
    client: Client,
    address: Address,
    channel: Channel,
    broker: Arc<Broker>,
    log: Logger,
}

impl Forward {
    /// Of a channel; `url` is where its server is. Nothing happens before [`Forward::run`].
    ///
    /// # Errors
    /// As [`crate::clients::redis::validate`].
    pub fn new(
        client: &Client,
        url: &str,
        channel: Channel,
        broker: &Arc<Broker>,
        log: &Logger,
    ) -> Result<Self, String> {
        Ok(Self {
            client: client.clone(),
            address: Address::parse(url)?,
            channel,
            broker: Arc::clone(broker),
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
        let mut backoff = Backoff::new(FIRST_PAUSE, self.client.bounds().max_pause);
        let mut outage = None;
        loop {
            let begun = Instant::now();
            let fault = match self.client.subscribe(&self.address, self.channel.name()).await {
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
        self.broker.missed(&self.channel);
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
            let (server, channel) = (self.address.to_string(), self.channel.name());
            drops.count(&self.log, Some(&server), channel, &error.to_string());
        }
    }

    fn begun(&self, outage: Option<ServerFault>) {
        let (server, channel) = (&*self.address.to_string(), self.channel.name());
        self.log.event(&match outage {
            Some(_) => Event::SubscriptionBack { server, channel },
            None => Event::Subscribed { server, channel },
        });
    }

    fn lost(&self, fault: &ServerFault) {
        let (server, channel, cause) = (&*self.address.to_string(), self.channel.name(), &*fault.to_string());
        self.log.event(&match fault {
            ServerFault::Unreachable(_) => Event::SubscriptionLost { server, channel, cause },
            ServerFault::Refused(_) => Event::SubscriptionRefused { server, channel, cause },
        });
    }
}

/// Whether an outage that was logged for one reason should be logged again for this one: it needs a person now.
fn is_graver(fault: &ServerFault, known: &ServerFault) -> bool {
    matches!((known, fault), (ServerFault::Unreachable(_), ServerFault::Refused(_)))
}
