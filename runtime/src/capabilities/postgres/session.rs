//! What a guest has open: a lent connection, the statements it runs, and the state in which it goes back.
//!
//! | how the session ends | what becomes of its connection |
//! |---|---|
//! | after plain statements | it goes back |
//! | after statements about transactions | it goes back behind a `ROLLBACK` |
//! | after anything else (`trace.rs`) | it is closed |
//! | in the middle of a statement: too long, too much, or the guest is gone | the server is told to stop, and it is closed |

use std::{sync::Arc, time::Instant};

use deadpool::managed::Object;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::runtime::Handle;

use super::{
    pool::{Lent, Pool},
    rdbms_types::{Error, ParameterValue, RowSet},
    statement::{self, Outcome, Stop, Want},
    trace::Trace,
};

/// A guest's connection.
#[derive(Debug)]
pub(super) struct Session {
    pool: Arc<Pool>,
    /// None once it is lost.
    lent: Option<Lent>,
    trace: Trace,
    /// Nothing was run yet, so nothing is lost with the connection.
    is_new: bool,
    /// A statement was begun and not ended.
    is_running: bool,
}

impl Session {
    pub(super) fn new(pool: Arc<Pool>, lent: Lent) -> Self {
        Self { pool, lent: Some(lent), trace: Trace::Nothing, is_new: true, is_running: false }
    }

    async fn run(&mut self, text: &str, parameters: &[ParameterValue], want: Want) -> Result<Outcome, Error> {
        let bounds = self.pool.dialer.bounds;
        if text.len() > bounds.max_statement_bytes {
            let max = bounds.max_statement_bytes;
            return Err(Error::QueryFailed(format!("the statement is longer than {max} bytes")));
        }
        if text.contains('\0') {
            return Err(Error::QueryFailed("the statement has a NUL in it".into()));
        }
        let result =
            tokio::time::timeout(bounds.statement_timeout, self.attempt(text, parameters, want)).await;
        result.unwrap_or_else(|_| {
            self.abandon();
            let millis = bounds.statement_timeout.as_millis();
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
        match self.once(text, parameters, want).await {
            // A connection may end between the look at it and its first statement. What was certainly not done is done on another.
            Err(Stop::Lost { maybe_done: false, .. }) if is_first => {
                self.pool.distrust_idle();
                let lent =
                    self.pool.lend().await.map_err(|fault| Error::ConnectionFailed(fault.to_string()))?;
                self.lent = Some(lent);
                self.once(text, parameters, want).await.map_err(|stop| self.ended(stop))
            }
            result => result.map_err(|stop| self.ended(stop)),
        }
    }

    async fn once(&mut self, text: &str, parameters: &[ParameterValue], want: Want) -> Result<Outcome, Stop> {
        let lost = || Stop::Lost { maybe_done: false, cause: "it was lost with an earlier statement".into() };
        let connection = self.lent.as_mut().ok_or_else(lost)?;
        let bounds = self.pool.dialer.bounds;
        self.is_running = true;
        let result = statement::run(connection, text, parameters, want, &bounds, &mut self.trace).await;
        self.is_running = false;
        match &result {
            Err(Stop::Lost { .. }) => self.close(),
            Err(Stop::Broken(_)) => self.abandon(),
            _ => {}
        }
        result
    }

    fn ended(&self, stop: Stop) -> Error {
        match stop {
            Stop::Refused(error) | Stop::Broken(error) | Stop::Stale(error) => error,
            Stop::Lost { maybe_done, cause } => {
                let doubt =
                    if maybe_done { ", and whether the statement was carried out is not known" } else { "" };
                Error::ConnectionFailed(format!("the connection was lost: {cause}{doubt}"))
            }
        }
    }

    /// Gives the connection up for good.
    fn close(&mut self) {
        if let Some(lent) = self.lent.take() {
            drop(Object::take(lent));
        }
    }

    /// Gives the connection up in the middle of a statement. It keeps its place in the pool until the server was told.
    fn abandon(&mut self) {
        self.is_running = false;
        let Some(lent) = self.lent.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => {
                let pool = Arc::clone(&self.pool);
                // Ends by itself: telling has a timeout.
                let _task = runtime.spawn(async move {
                    pool.dialer.cancel(&lent).await;
                    drop(Object::take(lent));
                });
            }
            Err(_) => drop(Object::take(lent)),
        }
    }
}

impl super::Session for Session {
    fn query<'a>(
        &'a mut self,
        statement: &'a str,
        parameters: Vec<ParameterValue>,
    ) -> BoxFuture<'a, Result<RowSet, Error>> {
        async move { Ok(self.run(statement, &parameters, Want::Rows).await?.rows) }.boxed()
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a str,
        parameters: Vec<ParameterValue>,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        async move { Ok(self.run(statement, &parameters, Want::Count).await?.count) }.boxed()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_running {
            return self.abandon();
        }
        if self.trace == Trace::Anything {
            return self.close();
        }
        let Some(mut lent) = self.lent.take() else { return };
        if self.trace == Trace::Transaction {
            // Sent with the first poll, and answered before anything that the next borrower sends: nobody has to wait for it.
            let _answer = lent.client.batch_execute("ROLLBACK").now_or_never();
        }
        lent.idle_since = Instant::now();
    }
}
