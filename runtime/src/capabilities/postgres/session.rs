//! What a guest has open: a lent connection, and the statements that it runs there.
//!
//! | how the session ends | what becomes of its connection |
//! |---|---|
//! | between two statements | it goes back, and is reset before anybody else has it |
//! | in the middle of one: too long, too much, no memory, no form for it (COPY), or the guest is gone | the server is told to stop, and it is closed |
//! | the connection is lost | it is closed |
//! | the server turns out to only read | it is closed, and those that wait with it: where it is a standby now, the address leads to another server, or soon will |
//! | a transaction was refused to write | the guest goes on with it, and it is closed then: the guest may have asked for that, or the server only reads |

use std::sync::Arc;

use super::{
    super::error::Failure,
    PostgresError,
    rdbms_types::{Error, ParameterValue, RowSet},
    statement::{self, Bounds, Outcome, Stop, Want},
};
use crate::{
    clients::{
        ServerFault,
        postgres::{Address, Client, Lent, parsed},
    },
    memory::Held,
};

/// A guest's connection.
#[derive(Debug)]
pub struct Session {
    client: Client,
    address: Arc<Address>,
    bounds: Bounds,
    /// None once it is lost.
    lent: Option<Lent>,
    /// Nothing was run yet, so nothing is lost with the connection.
    is_new: bool,
    /// A statement was begun and not ended.
    is_running: bool,
    /// The server may be one that only reads: nobody is to have the connection next.
    is_doubted: bool,
}

impl Session {
    /// A connection to this address, which is granted.
    ///
    /// # Errors
    /// The address is none, or there is no connection to it; in a sentence without a credential.
    pub async fn open(client: &Client, address: &str, bounds: Bounds) -> Result<Self, Error> {
        let failed = |fault: ServerFault| Error::ConnectionFailed(fault.to_string());
        let address = parsed(address).map_err(failed)?;
        let lent = client.lend(&address).await.map_err(failed)?;
        let client = client.clone();
        Ok(Self {
            client,
            address,
            bounds,
            lent: Some(lent),
            is_new: true,
            is_running: false,
            is_doubted: false,
        })
    }

    /// Runs a statement for its rows, whose memory is taken before they are read.
    ///
    /// # Errors
    /// Those of the interface, and a trap where there is no memory.
    ///
    /// # Cancel safety
    /// The statement of a future that is dropped is stopped, and may have run; the session is lost.
    pub async fn query(
        &mut self,
        statement: &str,
        parameters: Vec<ParameterValue>,
        memory: &mut Held,
    ) -> Result<RowSet, PostgresError> {
        Ok(self.run(statement, &parameters, Want::Rows, memory).await?.rows)
    }

    /// Runs a statement for the number of rows that it changed.
    ///
    /// # Errors
    /// As of [`Session::query`].
    ///
    /// # Cancel safety
    /// As of [`Session::query`].
    pub async fn execute(
        &mut self,
        statement: &str,
        parameters: Vec<ParameterValue>,
        memory: &mut Held,
    ) -> Result<u64, PostgresError> {
        Ok(self.run(statement, &parameters, Want::Count, memory).await?.count)
    }

    async fn run(
        &mut self,
        text: &str,
        parameters: &[ParameterValue],
        want: Want,
        memory: &mut Held,
    ) -> Result<Outcome, PostgresError> {
        let bounds = self.bounds;
        let failed = |words: String| Err(Failure::Guest(Error::QueryFailed(words)));
        if text.len() > bounds.max_statement_bytes {
            let max = bounds.max_statement_bytes;
            return failed(format!("the statement is longer than {max} bytes"));
        }
        if text.contains('\0') {
            return failed("the statement has a NUL in it".into());
        }
        let attempt = self.attempt(text, parameters, want, memory);
        tokio::time::timeout(bounds.timeout, attempt).await.unwrap_or_else(|_| {
            self.abandon();
            let millis = bounds.timeout.as_millis();
            failed(format!("the statement took longer than {millis} ms, and was stopped"))
        })
    }

    async fn attempt(
        &mut self,
        text: &str,
        parameters: &[ParameterValue],
        want: Want,
        memory: &mut Held,
    ) -> Result<Outcome, PostgresError> {
        let is_first = std::mem::replace(&mut self.is_new, false);
        let stop = match self.once(text, parameters, want, memory).await {
            Ok(outcome) => return Ok(outcome),
            // A connection may end between the look at it and its first statement. What was certainly not done is done on another.
            Err(Stop::Lost { maybe_done: false, .. }) if is_first => {
                if let Some(lent) = self.lent.take() {
                    lent.was_dead();
                }
                let lent = self.client.lend(&self.address).await;
                let failed = |fault: ServerFault| Failure::Guest(Error::ConnectionFailed(fault.to_string()));
                self.lent = Some(lent.map_err(failed)?);
                match self.once(text, parameters, want, memory).await {
                    Ok(outcome) => return Ok(outcome),
                    Err(stop) => stop,
                }
            }
            Err(stop) => stop,
        };
        match &stop {
            Stop::Lost { .. } => {
                if let Some(lent) = self.lent.take() {
                    lent.close();
                }
            }
            Stop::OnlyReads(_) => {
                if let Some(lent) = self.lent.take() {
                    lent.was_dead();
                }
            }
            Stop::Broken(_) | Stop::OutOfMemory(_) => self.abandon(),
            Stop::MayNotWrite(_) => self.is_doubted = true,
            Stop::Refused(_) | Stop::Stale(_) => {}
        }
        Err(stop.into_failure())
    }

    async fn once(
        &mut self,
        text: &str,
        parameters: &[ParameterValue],
        want: Want,
        memory: &mut Held,
    ) -> Result<Outcome, Stop> {
        let lost = || Stop::Lost { maybe_done: false, cause: "it was lost with an earlier statement".into() };
        let connection = self.lent.as_mut().and_then(Lent::connection).ok_or_else(lost)?;
        self.is_running = true;
        let opened = connection.read_into(memory.beside());
        let result = statement::run(connection, text, parameters, want, &self.bounds, memory).await;
        drop(opened);
        self.is_running = false;
        result
    }

    /// Gives the connection up in the middle of a statement.
    fn abandon(&mut self) {
        self.is_running = false;
        if let Some(lent) = self.lent.take() {
            lent.abandon();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_running {
            self.abandon();
        } else if self.is_doubted
            && let Some(lent) = self.lent.take()
        {
            lent.close();
        }
    }
}
