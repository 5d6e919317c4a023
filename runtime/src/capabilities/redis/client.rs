//! The Redis client of a runtime: a few servers by address, each with one connection that all instances share (`server.rs`).
//!
//! An address is one server. The redirections of a Redis Cluster are errors, and Sentinels are not asked: what should follow a server to
//! another machine is a name or a proxy.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use tokio::runtime::Handle;

use super::{
    Connector, MessageTooLarge, Session,
    address::Address,
    connect::{Tls, Wire, connect, out_of_reach, refuses},
    other,
    refused::{refusal, repeatable},
    reply::flat,
    server::{Bounds, CommandFault, Request, Server, nothing_to_set_up},
    wit,
};
use crate::{
    capabilities::error::ServerFault,
    limits::{Limits, length},
};

/// Speaks to Redis servers. One per runtime; clones are the same client.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    bounds: Bounds,
    max_message_bytes: usize,
    max_key_bytes: usize,
    max_addresses: usize,
    tls: Arc<Tls>,
    home: Handle,
    /// The one used last is the last.
    servers: Mutex<Vec<Arc<Server>>>,
}

/// Whether a URL is one of a Redis server, before anybody connects.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with its name: "is not a URL ...", "names no host". Nothing of the URL is in
/// the text.
pub fn validate(url: &str) -> Result<(), String> {
    Address::parse(url).map(drop)
}

impl Client {
    /// Without connections; each is made when first used, and lives on the Tokio runtime that this is called in.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            bounds: Bounds::of(limits),
            max_message_bytes: length(limits.max_message_bytes),
            max_key_bytes: length(limits.kv_max_key_bytes),
            max_addresses: length(limits.redis_max_addresses),
            tls: Arc::default(),
            home: Handle::current(),
            servers: Mutex::default(),
        }))
    }

    /// Connects, logs in and asks for a sign of life, on a connection of its own that is closed again.
    ///
    /// # Errors
    /// One sentence with the server's host and port.
    pub async fn check(&self, url: &str) -> Result<(), ServerFault> {
        let address =
            Address::parse(url).map_err(|reason| ServerFault::Refused(format!("the URL {reason}")))?;
        self.connect(&address).await.map(drop)
    }

    /// The server of an address, the same for all who ask.
    pub(crate) fn server(&self, url: &str) -> Result<Arc<Server>, wit::Error> {
        let address = Address::parse(url).map_err(|_| wit::Error::InvalidAddress)?;
        let mut servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.iter().position(|server| *server.address() == address) {
            let server = servers.remove(known);
            servers.push(Arc::clone(&server));
            return Ok(server);
        }
        if servers.len() >= self.0.max_addresses {
            let unused = servers.iter().position(|server| Arc::strong_count(server) == 1);
            servers.remove(unused.ok_or(wit::Error::TooManyConnections)?);
        }
        let inner = &self.0;
        let server =
            Arc::new(Server::new(address, Arc::clone(&inner.tls), inner.bounds.clone(), inner.home.clone()));
        servers.push(Arc::clone(&server));
        Ok(server)
    }

    /// The longest key that the key-value interface takes.
    pub(crate) fn max_key_bytes(&self) -> usize {
        self.0.max_key_bytes
    }

    /// A subscription with a connection of its own. It ends when the connection does.
    pub(crate) async fn subscribe(
        &self,
        address: &Address,
        channel: &str,
    ) -> Result<(PubSubSink, PubSubStream), ServerFault> {
        let wire = self.connect(address).await?;
        let subscribing = async {
            let mut subscription = PubSub::new(&nothing_to_set_up(), wire).await?;
            subscription.subscribe(channel).await?;
            Ok::<_, redis::RedisError>(subscription.split())
        };
        let patience = self.0.bounds.response;
        match tokio::time::timeout(patience, subscribing).await {
            Ok(Ok(subscription)) => Ok(subscription),
            Ok(Err(error)) if error.code() == Some("NOPERM") => {
                Err(refuses(address, "does not let this user subscribe to the channel"))
            }
            Ok(Err(error)) => Err(out_of_reach(address, &format!("does not take a subscription: {error}"))),
            Err(_) => {
                Err(out_of_reach(address, &format!("did not answer within {} ms", patience.as_millis())))
            }
        }
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.0.bounds
    }

    async fn connect(&self, address: &Address) -> Result<Wire, ServerFault> {
        let bounds = &self.0.bounds;
        connect(address, &self.0.tls, bounds.connect, bounds.max_exchange_bytes).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bounds", &self.0.bounds).finish_non_exhaustive()
    }
}

impl Connector for Client {
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>> {
        let session = self.server(address).map(|server| {
            let max_message_bytes = self.0.max_message_bytes;
            Box::new(ServerSession { server, max_message_bytes }) as Box<dyn Session>
        });
        std::future::ready(session).boxed()
    }
}

/// A guest's share of the connection to a server.
#[derive(Debug)]
struct ServerSession {
    server: Arc<Server>,
    max_message_bytes: usize,
}

impl ServerSession {
    async fn run(
        &self,
        name: &str,
        arguments: Vec<wit::RedisParameter>,
    ) -> Result<Vec<wit::RedisResult>, wit::Error> {
        let mut command = redis::cmd(name);
        for argument in &arguments {
            match argument {
                wit::RedisParameter::Int64(number) => command.arg(number),
                wit::RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        drop(arguments);
        let value = self.server.run(&Request::One(command), repeatable(name)).await.map_err(fault)?;
        flat(value).map_err(other)
    }
}

fn fault(fault: CommandFault) -> wit::Error {
    other(fault.to_string())
}

impl Session for ServerSession {
    fn publish<'a>(
        &'a mut self,
        channel: &'a str,
        payload: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            let arguments =
                vec![wit::RedisParameter::Binary(channel.into()), wit::RedisParameter::Binary(payload)];
            self.command("PUBLISH", arguments).await.map(drop)
        }
        .boxed()
    }

    fn command<'a>(
        &'a mut self,
        command: &'a str,
        arguments: Vec<wit::RedisParameter>,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, wit::Error>> {
        async move {
            if let Some(reason) = refusal(command, &arguments) {
                return Err(other(reason));
            }
            if publishes(command)
                && let Some(wit::RedisParameter::Binary(payload)) = arguments.get(1)
                && payload.len() > self.max_message_bytes
            {
                return Err(other(MessageTooLarge { max_bytes: self.max_message_bytes }.to_string()));
            }
            self.run(command, arguments).await
        }
        .boxed()
    }
}

fn publishes(command: &str) -> bool {
    ["PUBLISH", "SPUBLISH"].iter().any(|name| name.eq_ignore_ascii_case(command))
}
