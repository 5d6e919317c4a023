//! What answers for the addresses that the manifest's triggers listen on: the servers there, this process, or another server.
//!
//! A guest connects to the address that it knows, and never learns which it was. This process carries messages and nothing else, so every
//! other command is an error. Any address that no trigger listens on is a server's.

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Broker, Channel};
use crate::{
    capabilities::redis::{Connector, RedisError, Session, wit},
    memory::Held,
    secret::Secret,
};

/// Who answers in the place of the servers that the manifest names.
#[derive(Clone, Debug)]
pub enum By {
    /// This process.
    Process(Arc<Broker>),
    /// The server at this URL.
    Server(Secret),
}

/// Connects guests: to the stand-in for the addresses that it answers for, to the server for any other.
pub struct StandIn {
    addresses: BTreeSet<String>,
    by: By,
    servers: Arc<dyn Connector>,
}

impl StandIn {
    /// For these addresses, as guests write them.
    #[must_use]
    pub fn new(addresses: BTreeSet<String>, by: By, servers: Arc<dyn Connector>) -> Self {
        Self { addresses, by, servers }
    }
}

impl Connector for StandIn {
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>> {
        match &self.by {
            _ if !self.addresses.contains(address) => self.servers.open(address),
            By::Server(url) => self.servers.open(url.expose()),
            By::Process(broker) => {
                let session = Local { broker: Arc::clone(broker), server: address.to_owned() };
                std::future::ready(Ok(Box::new(session) as _)).boxed()
            }
        }
    }
}

/// Addresses may hold passwords.
impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("by", &self.by).finish_non_exhaustive()
    }
}

/// A guest's connection to this process.
struct Local {
    broker: Arc<Broker>,
    server: String,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local")
    }
}

impl Session for Local {
    fn publish<'a>(
        &'a mut self,
        channel: &'a str,
        payload: Vec<u8>,
        _: &'a Held,
    ) -> BoxFuture<'a, Result<(), RedisError>> {
        let sent = self.broker.publish(&Channel::new(self.server.as_str(), channel), &payload);
        std::future::ready(sent.map_err(|error| RedisError::Guest(wit::Error::Other(error.to_string()))))
            .boxed()
    }

    fn command<'a>(
        &'a mut self,
        command: &'a str,
        _: Vec<wit::RedisParameter>,
        _: &'a Held,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, RedisError>> {
        let text = format!("no Redis server is set (--redis), so there is only PUBLISH, not {command:?}");
        std::future::ready(Err(RedisError::Guest(wit::Error::Other(text)))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        limits::Limits,
        memory::CallMemory,
        messages::Delivery,
        telemetry::{CaptureSink, Level, Logger},
    };

    const OWN: &str = "redis://localhost:6379";

    /// Connects to nothing, and remembers to what.
    #[derive(Debug, Default)]
    struct Asked(Mutex<Vec<String>>);

    impl Connector for Asked {
        fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>> {
            self.0.lock().unwrap().push(address.to_owned());
            std::future::ready(Err(wit::Error::InvalidAddress)).boxed()
        }
    }

    fn stand_in(by: By) -> (StandIn, Arc<Asked>) {
        let servers = Arc::new(Asked::default());
        (StandIn::new([OWN.to_owned()].into(), by, Arc::clone(&servers) as _), servers)
    }

    #[tokio::test]
    async fn the_process_carries_messages_and_nothing_else() {
        let log = Logger::new(Arc::new(CaptureSink::new()), Level::Debug);
        let broker = Arc::new(Broker::new(&Limits::default(), &log));
        let subscription = broker.subscribe(&Channel::new(OWN, "wake"), Delivery::default());
        let (connector, servers) = stand_in(By::Process(broker));
        let mut session = connector.open(OWN).await.unwrap();
        let memory = CallMemory::of_test(1_000).call(0).unwrap();
        session.publish("wake", b"{}".to_vec(), &memory).await.unwrap();
        assert_eq!(subscription.next().await.as_deref(), Some(&b"{}"[..]));
        match session.command("GET", vec![], &memory).await {
            Err(RedisError::Guest(wit::Error::Other(text))) if text.contains("only PUBLISH") => {}
            other => panic!("{other:?}"),
        }
        assert!(connector.open("redis://localhost:6379/3").await.is_err(), "another database is a server's");
        assert_eq!(*servers.0.lock().unwrap(), ["redis://localhost:6379/3"]);
    }

    #[tokio::test]
    async fn a_server_may_answer_in_the_place_of_another() {
        let (connector, servers) = stand_in(By::Server(Secret::new("redis://:hunter2@cache:7000")));
        for address in [OWN, "redis://elsewhere"] {
            let _ = connector.open(address).await;
        }
        assert_eq!(*servers.0.lock().unwrap(), ["redis://:hunter2@cache:7000", "redis://elsewhere"]);
        assert!(!format!("{connector:?}").contains("hunter2"));
    }
}
