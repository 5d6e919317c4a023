//! Connections to PostgreSQL servers, lent from a pool for each server.
//!
//! Addresses come from guests, so there may be only so many servers. The place of one that nobody uses goes to the next; where all are in
//! use, the next is refused.
//!
//! | file | subject |
//! |---|---|
//! | `address.rs` | what a URL says |
//! | `pool.rs`, `reset.rs` | connections that wait for a borrower, and what becomes of them after one |
//! | `connection.rs`, `tls.rs`, `fault.rs` | making one, by which trust, and why there is none |
//! | `messages.rs` | what is seen of the server's messages before the library has them |
//! | `statements.rs` | what a connection has prepared |
//! | `bounds.rs` | the limits of all this |

mod address;
mod bounds;
mod connection;
#[cfg(test)]
pub(crate) mod fake;
mod fault;
mod messages;
mod pool;
mod reset;
mod statements;
mod tls;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::runtime::Handle;

pub(crate) use self::{address::Address, connection::Connection, pool::Lent};
use self::{bounds::Bounds, connection::Dialer, pool::Pool};
use super::ServerFault;
use crate::{
    limits::Limits,
    numbers::{Connects, Waits},
    permits::Caller,
};

/// Speaks to PostgreSQL servers. Copies share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    caller: Caller,
}

struct Inner {
    numbers: Arc<Numbers>,
    bounds: Bounds,
    home: Handle,
    servers: Servers,
}

/// What is counted of a client's connections.
#[derive(Debug, Default)]
struct Numbers {
    connects: Connects,
    waits: Waits,
}

/// What the pools of a client are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Connections that somebody has.
    pub lent: usize,
    /// Connections that wait for somebody.
    pub idle: usize,
    /// How many somebody may have.
    pub max: usize,
    /// How often somebody waited for one.
    pub waits: u64,
    /// For how long in all.
    pub waited: Duration,
}

/// Each with an address of its server; the last used last.
type Servers = Mutex<Vec<(Arc<Address>, Arc<Pool>)>>;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bounds", &self.inner.bounds).finish_non_exhaustive()
    }
}

impl Client {
    /// With no connection yet. Those to come live on the Tokio runtime that this is called in.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self::within(Bounds::new(limits))
    }

    fn within(bounds: Bounds) -> Self {
        let inner = Arc::new(Inner {
            numbers: Arc::default(),
            bounds,
            home: Handle::current(),
            servers: Mutex::default(),
        });
        // Ends with the last copy of this client.
        let _task = inner.home.spawn(reap(Arc::downgrade(&inner), bounds.max_idle.min(bounds.max_age) / 4));
        Self { inner, caller: Caller::Message }
    }

    /// The same client for somebody: connections for requests leave some to messages and to the host itself.
    #[must_use]
    pub fn on_behalf_of(&self, caller: Caller) -> Self {
        Self { inner: Arc::clone(&self.inner), caller }
    }

    /// What is wrong with a URL, as a clause to follow its name. No credential is in it.
    ///
    /// # Errors
    /// It is not one that [`Client`] can use.
    pub fn validate(url: &str) -> Result<(), String> {
        Address::parse(url).map(drop)
    }

    /// Connects, or has a connection that waits answer. It is kept for the first that needs one.
    ///
    /// # Errors
    /// Whether time or a person mends it, in one sentence with the server and the database in it, and no credential.
    pub async fn check(&self, url: &str) -> Result<(), ServerFault> {
        self.lend_trusting(&parsed(url)?, Duration::ZERO).await.map(drop)
    }

    /// How attempts to connect ended.
    #[must_use]
    pub fn connects(&self) -> &Connects {
        &self.inner.numbers.connects
    }

    /// What all pools are used for at the moment, together.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let waits = &self.inner.numbers.waits;
        let mut usage = Usage { waits: waits.count(), waited: waits.time(), ..Usage::default() };
        for (_, pool) in self.inner.servers().iter() {
            usage.lent += pool.lent();
            usage.idle += pool.idle_len();
            usage.max += self.inner.bounds.max_connections;
        }
        usage
    }

    /// A connection to this address.
    ///
    /// # Errors
    /// As [`Client::check`].
    pub(crate) async fn lend(&self, address: &Arc<Address>) -> Result<Lent, ServerFault> {
        self.lend_trusting(address, self.inner.bounds.trust).await
    }

    async fn lend_trusting(&self, address: &Arc<Address>, trust: Duration) -> Result<Lent, ServerFault> {
        self.pool(address)?.lend(address, trust, self.caller).await
    }

    fn pool(&self, address: &Arc<Address>) -> Result<Arc<Pool>, ServerFault> {
        let Inner { numbers, bounds, home, .. } = &*self.inner;
        let mut servers = self.inner.servers();
        let entry = match servers.iter().position(|(known, _)| known.shares_server(address)) {
            Some(index) => servers.remove(index),
            None => {
                if servers.len() >= bounds.max_servers {
                    let unused = servers.iter().position(|(_, pool)| Arc::strong_count(pool) == 1);
                    let max = bounds.max_servers;
                    let full = format_args!("is on one too many: {max} servers are in use (pg_max_servers)");
                    servers.remove(unused.ok_or_else(|| address.unreachable(full))?);
                }
                let dialer = Dialer::new(*bounds, Arc::clone(numbers));
                (Arc::clone(address), Arc::new(Pool::new(dialer, home.clone())))
            }
        };
        let pool = Arc::clone(&entry.1);
        servers.push(entry);
        Ok(pool)
    }
}

impl Inner {
    fn servers(&self) -> MutexGuard<'_, Vec<(Arc<Address>, Arc<Pool>)>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a URL that a guest or an operator has given.
///
/// # Errors
/// It is none.
pub(crate) fn parsed(url: &str) -> Result<Arc<Address>, ServerFault> {
    Address::parse(url)
        .map(Arc::new)
        .map_err(|clause| ServerFault::Refused(format!("the address of the PostgreSQL database {clause}")))
}

/// Closes what nobody has used for long, and what is old, as long as there is a client.
async fn reap(client: Weak<Inner>, pause: Duration) {
    loop {
        tokio::time::sleep(pause.max(Duration::from_millis(1))).await;
        let Some(client) = client.upgrade() else { return };
        client.servers().retain(|(_, pool)| pool.reap() || Arc::strong_count(pool) > 1);
    }
}

#[cfg(test)]
mod tests;
