//! Connections to Redis servers: for each server one that all share, and others that nobody shares.
//!
//! An address is one server. The redirections of a Redis Cluster are errors, and Sentinels are not asked: what should follow a server to
//! another machine is a name or a proxy.
//!
//! | file | subject |
//! |---|---|
//! | `address.rs` | what a URL says |
//! | `connect.rs`, `answers.rs` | making a connection, and the bound on what it reads |
//! | `server.rs` | the connection that all share, and its replacement |
//! | `private.rs` | one that a single borrower has |
//! | `command.rs` | what is sent, and why it gave nothing |

mod address;
mod answers;
mod command;
mod connect;
mod private;
mod server;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::aio::{PubSub, PubSubSink, PubSubStream};
use tokio::{runtime::Handle, sync::Semaphore};

use self::connect::{Tls, Wire, connect, refuses};
pub(crate) use self::{
    address::Address,
    command::{CommandFault, Request, sentence},
    connect::out_of_reach,
    private::Private,
    server::Server,
};
use super::{ServerFault, account::Account};
use crate::{
    limits::{Limits, length, millis},
    numbers::Connects,
};

/// Speaks to Redis servers. Copies share their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    common: Common,
    max_addresses: usize,
    /// The one used last is the last.
    servers: Mutex<Vec<Arc<Server>>>,
}

/// What all servers of a client have in common.
#[derive(Clone, Debug)]
struct Common {
    bounds: Bounds,
    tls: Arc<Tls>,
    /// Where connections are made and live.
    home: Handle,
    /// For connections that nobody shares.
    private: Arc<Semaphore>,
    connects: Arc<Connects>,
}

impl Common {
    /// A new connection, logged in.
    async fn wire(&self, address: &Address, account: &Arc<Account>) -> Result<Wire, ServerFault> {
        let Self { bounds, tls, connects, .. } = self;
        connects.count(connect(address, tls, bounds.connect, bounds.max_exchange_bytes, account).await)
    }
}

/// How long things may take, and how large they may be: the rows of the table that are Redis' own.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) connect: Duration,
    pub(crate) response: Duration,
    pub(crate) max_pause: Duration,
    pub(crate) max_exchange_bytes: u64,
}

impl Bounds {
    fn new(limits: &Limits) -> Self {
        Self {
            connect: millis(limits.redis_connect_timeout_ms),
            response: millis(limits.redis_response_timeout_ms),
            max_pause: millis(limits.max_reconnect_pause_ms),
            max_exchange_bytes: limits.redis_max_exchange_bytes,
        }
    }
}

/// The client has as many addresses as it takes, and all are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyAddresses;

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
        let private = Arc::new(Semaphore::new(length(limits.redis_max_private_connections)));
        let common = Common {
            bounds: Bounds::new(limits),
            tls: Arc::default(),
            home: Handle::current(),
            private,
            connects: Arc::default(),
        };
        let max_addresses = length(limits.redis_max_addresses);
        Self(Arc::new(Inner { common, max_addresses, servers: Mutex::default() }))
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
    ///
    /// # Errors
    /// As many others are in use as may be.
    pub(crate) fn server(&self, address: Address) -> Result<Arc<Server>, TooManyAddresses> {
        let mut servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = servers.iter().position(|server| *server.address() == address);
        let server = match known {
            Some(known) => servers.remove(known),
            None => {
                if servers.len() >= self.0.max_addresses {
                    let unused = servers.iter().position(|server| Arc::strong_count(server) == 1);
                    servers.remove(unused.ok_or(TooManyAddresses)?);
                }
                Arc::new(Server::new(address, self.0.common.clone()))
            }
        };
        servers.push(Arc::clone(&server));
        Ok(server)
    }

    /// A subscription with a connection of its own. It ends when the connection does.
    ///
    /// # Errors
    /// There is no connection, or the server does not take the subscription.
    pub(crate) async fn subscribe(
        &self,
        address: &Address,
        channel: &str,
    ) -> Result<(PubSubSink, PubSubStream), ServerFault> {
        let wire = self.connect(address).await?;
        let subscribing = async {
            let mut subscription = PubSub::new(&server::nothing_to_set_up(), wire).await?;
            subscription.subscribe(channel).await?;
            Ok::<_, redis::RedisError>(subscription.split())
        };
        let patience = self.bounds().response;
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

    /// How attempts to connect ended.
    #[must_use]
    pub fn connects(&self) -> &Connects {
        &self.0.common.connects
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.0.common.bounds
    }

    async fn connect(&self, address: &Address) -> Result<Wire, ServerFault> {
        self.0.common.wire(address, &Arc::default()).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bounds", self.bounds()).finish_non_exhaustive()
    }
}
