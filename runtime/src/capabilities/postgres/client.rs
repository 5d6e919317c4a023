//! The runtime's client: one pool for each address.
//!
//! Addresses come from guests, so there may be only so many pools. The place of one that nobody uses goes to the next address; where all
//! are in use, the next address is refused.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    Connector, Session as _, address::Address, bounds::Bounds, connection::Dialer, pool::Pool,
    rdbms_types::Error, session::Session,
};
use crate::{capabilities::error::ServerFault, limits::Limits, secret::Secret};

/// By the address as it was given, which may hold a password; the last used last.
type Pools = Vec<(Secret, Arc<Pool>)>;

/// Speaks to PostgreSQL servers. Copies share their connections.
#[derive(Clone)]
pub struct Client {
    bounds: Bounds,
    pools: Arc<Mutex<Pools>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Client {
    /// With no connection yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { bounds: Bounds::new(limits), pools: Arc::default() }
    }

    /// What is wrong with a URL, as a clause to follow its name. No credential is in it.
    ///
    /// # Errors
    /// It is not one that [`Client`] can use.
    pub fn validate(url: &str) -> Result<(), String> {
        Address::parse(url).map(drop)
    }

    /// Connects, and has the server answer a statement. The connection is kept for the first that needs one.
    ///
    /// # Errors
    /// Whether time or a person mends it, in one sentence with the server and the database in it, and no credential.
    pub async fn check(&self, url: &str) -> Result<(), ServerFault> {
        let pool = self.pool(url)?;
        let mut session = Session::new(Arc::clone(&pool), pool.lend().await?);
        match session.execute("SELECT 1", Vec::new()).await {
            Ok(_) => Ok(()),
            // Already a sentence: a connection that waited had ended, and no other could be made.
            Err(Error::ConnectionFailed(sentence)) => Err(ServerFault::Unreachable(sentence)),
            Err(
                Error::QueryFailed(words)
                | Error::BadParameter(words)
                | Error::ValueConversionFailed(words)
                | Error::Other(words),
            ) => Err(pool.dialer.address.unreachable(format_args!("does not answer: {words}"))),
        }
    }

    fn pool(&self, url: &str) -> Result<Arc<Pool>, ServerFault> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pools.iter().position(|(known, _)| known.expose() == url);
        let entry = match known {
            Some(index) => pools.remove(index),
            None => {
                let address = Address::parse(url).map_err(|clause| {
                    ServerFault::Refused(format!("the address of the PostgreSQL database {clause}"))
                })?;
                if pools.len() >= self.bounds.max_addresses {
                    let unused = pools.iter().position(|(_, pool)| Arc::strong_count(pool) == 1);
                    let max = self.bounds.max_addresses;
                    let full = format_args!("is one too many: {max} addresses are in use (pg_max_addresses)");
                    pools.remove(unused.ok_or_else(|| address.unreachable(full))?);
                }
                (Secret::new(url), Arc::new(Pool::new(Dialer::new(address, self.bounds))?))
            }
        };
        let pool = Arc::clone(&entry.1);
        pools.push(entry);
        Ok(pool)
    }
}

impl Connector for Client {
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn super::Session>, Error>> {
        let open = async move {
            let pool = self.pool(address)?;
            let lent = pool.lend().await?;
            Ok(Box::new(Session::new(pool, lent)) as Box<dyn super::Session>)
        };
        open.map(|opened: Result<_, ServerFault>| {
            opened.map_err(|fault| Error::ConnectionFailed(fault.to_string()))
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests;
