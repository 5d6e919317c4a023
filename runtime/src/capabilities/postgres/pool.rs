//! The connections to one address that wait for a borrower.
//!
//! A connection is looked at before it is lent: one that has ended is passed over, and one that has been idle for a while, or has something to
//! read, is asked whether it still lives, for a network may have dropped it without a word. If one turns out dead, all that were idle then
//! are taken for dead: a server's restart costs one question and not one for each.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult},
};

use super::connection::{Connection, Dialer, Look};
use crate::capabilities::error::ServerFault;

/// A connection that goes back when it is dropped.
pub(super) type Lent = Object<Manager>;

/// All connections to one address.
#[derive(Debug)]
pub(super) struct Pool {
    connections: managed::Pool<Manager>,
    pub(super) dialer: Arc<Dialer>,
}

/// Makes connections, and looks at those that are to be lent again.
#[derive(Debug)]
pub(super) struct Manager {
    dialer: Arc<Dialer>,
    /// What was idle before is dead.
    dead_before: Mutex<Option<Instant>>,
}

impl Pool {
    pub(super) fn new(dialer: Dialer) -> Result<Self, ServerFault> {
        let dialer = Arc::new(dialer);
        let manager = Manager { dialer: Arc::clone(&dialer), dead_before: Mutex::new(None) };
        let connections = managed::Pool::builder(manager)
            .max_size(dialer.bounds.max_connections)
            .wait_timeout(Some(dialer.bounds.acquire_timeout))
            // The one used last: it is the one most likely to live, and has the statements prepared.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| dialer.address.refused(error))?;
        Ok(Self { connections, dialer })
    }

    /// A connection that waited, or a new one.
    ///
    /// # Errors
    /// None could be made, or none came back in time.
    pub(super) async fn lend(&self) -> Result<Lent, ServerFault> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(fault) => fault,
            PoolError::Timeout(_) => {
                let (max, waited) = (self.dialer.bounds.max_connections, self.dialer.bounds.acquire_timeout);
                let waited = waited.as_millis();
                self.dialer.address.unreachable(format_args!(
                    "is busy: all {max} connections of this runtime were in use for {waited} ms"
                ))
            }
            other => self.dialer.address.unreachable(other),
        })
    }

    /// A connection that was lent had ended: whatever has been idle until now is not to be trusted.
    pub(super) fn distrust_idle(&self) {
        self.connections.manager().distrust_idle();
    }
}

impl Manager {
    fn distrust_idle(&self) {
        *self.dead_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = ServerFault;

    async fn create(&self) -> Result<Connection, ServerFault> {
        self.dialer.dial().await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ServerFault> {
        let dead = || Err(RecycleError::message("it has ended"));
        let dead_before = *self.dead_before.lock().unwrap_or_else(PoisonError::into_inner);
        let look = connection.look();
        if look == Look::Ended || dead_before.is_some_and(|moment| connection.idle_since <= moment) {
            return dead();
        }
        if look == Look::Quiet && connection.idle_since.elapsed() < self.dialer.bounds.ask_after_idle {
            return Ok(());
        }
        let asked =
            tokio::time::timeout(self.dialer.bounds.connect_timeout, connection.client.simple_query(""));
        match asked.await {
            Ok(Ok(_)) => Ok(()),
            _ => {
                self.distrust_idle();
                dead()
            }
        }
    }
}
