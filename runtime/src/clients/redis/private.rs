//! A connection that one borrower has for itself: whatever it is told there, nobody else's commands wait for it or see what it changed.

use std::sync::Arc;

use redis::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::AbortOnDropHandle;

use super::{
    command::{CommandFault, Request},
    server::{Connection, Server},
};
use crate::memory::Held;

/// A connection to a server. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Private {
    server: Arc<Server>,
    connection: Connection,
    _permit: OwnedSemaphorePermit,
}

impl Private {
    /// To this server.
    ///
    /// # Errors
    /// There is none, or there are as many as may be.
    pub(crate) async fn open(server: &Arc<Server>) -> Result<Self, CommandFault> {
        let permit = server.private_permit().ok_or(CommandFault::NoneLeft)?;
        // Costs nothing where it is there, and fails at once where the server is known to be silent.
        server.connection().await?;
        let connecting = Arc::clone(server);
        let connecting = server.home().spawn(async move { connecting.connect().await });
        let connection = AbortOnDropHandle::new(connecting).await;
        let connection = connection.unwrap_or_else(|_| Err(server.abandoned()))?;
        Ok(Self { server: Arc::clone(server), connection, _permit: permit })
    }

    /// Runs a command, once, whose answer is counted in this memory before it is read. After a fault that [`CommandFault::ends_connection`], no other can be run.
    ///
    /// # Errors
    /// It gave nothing.
    pub(crate) async fn run(&mut self, request: &Request, memory: Held) -> Result<Value, CommandFault> {
        let _opened = self.connection.read_into(memory);
        self.server.exchange(&self.connection, request).await
    }
}
