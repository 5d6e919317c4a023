//! The connections to one server: so many and no more, for all users and databases of it together.
//!
//! A connection that comes back is reset before it is lent again (`reset.rs`), on the runtime that it lives on; where that fails or takes too
//! long, it is closed. One that has been idle for a while, or looks as if it had ended, is asked whether it still lives before it is lent,
//! for a network may have dropped it without a word. If one turns out dead, all that are idle then are taken for dead: a server's restart
//! costs one question and not one for each.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::{
    address::Address,
    bounds::Bounds,
    connection::{Connection, Dialer},
    reset::reset,
};
use crate::{
    clients::ServerFault,
    permits::{Caller, Permit, Permits},
};

/// One server's connections.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) dialer: Arc<Dialer>,
    home: Handle,
    /// One for each connection that is lent, on its way to a borrower or on its way back.
    permits: Permits,
    /// The last used last: it is the one most likely to live, and has the statements prepared.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(dialer: Dialer, home: Handle) -> Self {
        let permits = Permits::new(dialer.bounds.max_connections, dialer.bounds.reserved_connections);
        Self { dialer: Arc::new(dialer), home, permits, idle: Mutex::default() }
    }

    /// A connection to this address: one that waited, and was used within `trust`, or a new one.
    ///
    /// # Errors
    /// None could be made, or none came back in time.
    pub(super) async fn lend(
        self: &Arc<Self>,
        address: &Arc<Address>,
        trust: Duration,
        caller: Caller,
    ) -> Result<Lent, ServerFault> {
        let bounds = self.bounds();
        let permit = tokio::time::timeout(bounds.acquire_timeout, self.permits.acquire(caller));
        let Ok(Some(permit)) = self.dialer.numbers.waits.measure(permit).await else {
            let (max, waited_ms) = (bounds.max_connections, bounds.acquire_timeout.as_millis());
            return Err(address.unreachable(format_args!(
                "is busy: all {max} connections of this runtime to its server were in use for {waited_ms} ms"
            )));
        };
        let connection = loop {
            match self.take(address) {
                None => break self.dial(address).await?,
                Some(idle) if idle.since.elapsed() < trust && idle.connection.is_quiet() => {
                    break idle.connection;
                }
                Some(idle) => {
                    let asked = idle.connection.client.simple_query("");
                    match tokio::time::timeout(bounds.connect_timeout, asked).await {
                        Ok(Ok(_)) => break idle.connection,
                        _ => self.distrust_idle(),
                    }
                }
            }
        };
        Ok(Lent { connection: Some(connection), permit: Some(permit), pool: Arc::clone(self) })
    }

    /// A connection that was lent had ended: whatever is idle now is not to be trusted.
    pub(super) fn distrust_idle(&self) {
        self.idle().clear();
    }

    /// Closes what has been idle, or has lived, for too long. Whether anything is left.
    pub(super) fn reap(&self) -> bool {
        let mut idle = self.idle();
        idle.retain(|idle| self.may_go_on(idle));
        !idle.is_empty()
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.dialer.bounds
    }

    /// The idle connection to this address that was used last.
    fn take(&self, address: &Address) -> Option<Idle> {
        let mut idle = self.idle();
        idle.retain(|idle| self.may_go_on(idle));
        let known = idle.iter().rposition(|idle| *idle.connection.address == *address);
        if let Some(index) = known {
            return Some(idle.remove(index));
        }
        // What is lent and what is idle are together within the bound: one that is idle for another address gives way.
        while idle.len() > self.permits.free() {
            idle.remove(0);
        }
        None
    }

    async fn dial(&self, address: &Arc<Address>) -> Result<Connection, ServerFault> {
        let (dialer, address) = (Arc::clone(&self.dialer), Arc::clone(address));
        let dialing = AbortOnDropHandle::new(self.home.spawn({
            let address = Arc::clone(&address);
            async move { dialer.dial(address).await }
        }));
        match dialing.await {
            Ok(dialed) => dialed,
            Err(failure) => match failure.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(address.unreachable("is no longer connected to: the runtime ends")),
            },
        }
    }

    fn put_back(&self, connection: Connection) {
        self.idle().push(Idle { connection, since: Instant::now() });
    }

    fn may_go_on(&self, idle: &Idle) -> bool {
        idle.since.elapsed() < self.bounds().max_idle
            && idle.connection.born.elapsed() < self.bounds().max_age
    }

    /// How many connections somebody has.
    pub(super) fn lent(&self) -> usize {
        self.permits.taken()
    }

    /// How many wait for somebody.
    pub(super) fn idle_len(&self) -> usize {
        self.idle().len()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A borrowed connection. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Lent {
    /// Some until it is dropped.
    connection: Option<Connection>,
    permit: Option<Permit>,
    pool: Arc<Pool>,
}

impl Lent {
    /// The connection itself; none only while it is being dropped.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Closes it: it has ended.
    pub(crate) fn close(mut self) {
        self.connection = None;
    }

    /// Gives it up in the middle of a statement, which the server is told to stop. It keeps its place in the pool until it was told.
    pub(crate) fn abandon(mut self) {
        let (Some(connection), permit) = (self.connection.take(), self.permit.take()) else { return };
        let dialer = Arc::clone(&self.pool.dialer);
        // Ends by itself: telling has a timeout.
        let _task = self.pool.home.spawn(async move {
            dialer.cancel(&connection).await;
            drop((connection, permit));
        });
    }

    /// It had ended before its borrower did anything: so may others have, and this closes them with it.
    pub(crate) fn was_dead(self) {
        self.pool.distrust_idle();
        self.close();
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (pool, permit) = (Arc::clone(&self.pool), self.permit.take());
        // Where the runtime is gone this runs never, and the connection ends with it.
        let _task = self.pool.home.spawn(async move {
            let reset = tokio::time::timeout(pool.bounds().reset_timeout, reset(&mut connection));
            if reset.await.unwrap_or_default() {
                pool.put_back(connection);
            }
            drop(permit);
        });
    }
}
