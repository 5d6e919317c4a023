//! What a guest has open: a lent connection, and the statements that it runs there.
//!
//! | how the session ends | what becomes of its connection |
//! |---|---|
//! | between two statements | it goes back, and is reset before anybody else has it |
//! | in the middle of one: too long, too much, no form for it (COPY), or the guest is gone | the server is told to stop, and it is closed |
//! | the connection is lost | it is closed |

use std::sync::Arc;

use super::{
    rdbms_types::{Error, ParameterValue, RowSet},
    statement::{self, Bounds, Outcome, Stop, Want},
};
use crate::clients::postgres::{Address, Client, Lent, parsed};

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
    last_result_bytes: usize,
}

impl Session {
    /// A connection to this address, which is granted.
    ///
    /// # Errors
    /// The address is none, or there is no connection to it; in a sentence without a credential.
    pub async fn open(client: &Client, address: &str, bounds: Bounds) -> Result<Self, Error> {
        let failed = |fault: crate::clients::ServerFault| Error::ConnectionFailed(fault.to_string());
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
            last_result_bytes: 0,
        })
    }

    /// Runs a statement for its rows.
    ///
    /// # Errors
    /// Those of the interface.
    ///
    /// # Cancel safety
    /// The statement of a future that is dropped is stopped, and may have run; the session is lost.
    pub async fn query(&mut self, statement: &str, parameters: Vec<ParameterValue>) -> Result<RowSet, Error> {
        let outcome = self.run(statement, &parameters, Want::Rows).await?;
        self.last_result_bytes = outcome.bytes;
        Ok(outcome.rows)
    }

    /// What the values of the last query take in memory.
    #[must_use]
    pub fn last_result_bytes(&self) -> usize {
        self.last_result_bytes
    }

    /// Runs a statement for the number of rows that it changed.
    ///
    /// # Errors
    /// Those of the interface.
    ///
    /// # Cancel safety
    /// As of [`Session::query`].
    pub async fn execute(&mut self, statement: &str, parameters: Vec<ParameterValue>) -> Result<u64, Error> {
        Ok(self.run(statement, &parameters, Want::Count).await?.count)
    }

    async fn run(&mut self, text: &str, parameters: &[ParameterValue], want: Want) -> Result<Outcome, Error> {
        let bounds = self.bounds;
        if text.len() > bounds.max_statement_bytes {
            let max = bounds.max_statement_bytes;
            return Err(Error::QueryFailed(format!("the statement is longer than {max} bytes")));
        }
        if text.contains('\0') {
            return Err(Error::QueryFailed("the statement has a NUL in it".into()));
        }
        let result = tokio::time::timeout(bounds.timeout, self.attempt(text, parameters, want)).await;
        result.unwrap_or_else(|_| {
            self.abandon();
            let millis = bounds.timeout.as_millis();
            Err(Error::QueryFailed(format!("the statement took longer than {millis} ms, and was stopped")))
        })
    }

    async fn attempt(
        &mut self,
        text: &str,
        parameters: &[ParameterValue],
        want: Want,
    ) -> Result<Outcome, Error> {
        let is_first = std::mem::replace(&mut self.is_new, false);
        let stop = match self.once(text, parameters, want).await {
            Ok(outcome) => return Ok(outcome),
            // A connection may end between the look at it and its first statement. What was certainly not done is done on another.
            Err(Stop::Lost { maybe_done: false, .. }) if is_first => {
                if let Some(lent) = self.lent.take() {
                    lent.was_dead();
                }
                let lent = self.client.lend(&self.address).await;
                self.lent = Some(lent.map_err(|fault| Error::ConnectionFailed(fault.to_string()))?);
                match self.once(text, parameters, want).await {
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
            Stop::Broken(_) => self.abandon(),
            Stop::Refused(_) | Stop::Stale(_) => {}
        }
        Err(stop.into_wit())
    }

    async fn once(&mut self, text: &str, parameters: &[ParameterValue], want: Want) -> Result<Outcome, Stop> {
        let lost = || Stop::Lost { maybe_done: false, cause: "it was lost with an earlier statement".into() };
        let connection = self.lent.as_mut().and_then(Lent::connection).ok_or_else(lost)?;
        self.is_running = true;
        let result = statement::run(connection, text, parameters, want, &self.bounds).await;
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
        }
    }
}
