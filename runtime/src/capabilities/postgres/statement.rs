//! One statement on one connection: prepared or taken from the connection's cache, its rows counted while they come.

use std::{error::Error as _, pin::pin, time::Duration};

use futures_util::TryStreamExt as _;
use tokio_postgres::{
    Statement,
    error::{DbError, Severity, SqlState},
};

use super::{
    super::error::Failure,
    PostgresError,
    rdbms_types::{Error, ParameterValue, RowSet},
    value,
};
use crate::{
    clients::postgres::Connection,
    limits::{Limits, length, millis},
    memory::{Held, OutOfMemory},
};

/// What a statement may take and give.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub(super) timeout: Duration,
    pub(super) max_statement_bytes: usize,
    pub(super) max_value_bytes: usize,
    pub(super) max_rows: usize,
    /// Of all values together.
    pub(super) max_result_bytes: usize,
}

impl Bounds {
    /// The rows of the table that hold for SQL.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            timeout: millis(limits.sql_statement_timeout_ms),
            max_statement_bytes: length(limits.sql_max_statement_bytes),
            max_value_bytes: length(limits.sql_max_value_bytes),
            max_rows: length(limits.sql_max_rows),
            max_result_bytes: length(limits.sql_max_result_bytes),
        }
    }
}

/// What is wanted of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Its rows.
    Rows,
    /// How many rows it changed or gave; the rows themselves are passed over.
    Count,
}

/// What a statement gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rows: RowSet,
    pub(super) count: u64,
}

/// Why it gave nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The statement is at fault, and the connection is as before.
    Refused(Error),
    /// The connection is in the middle of something that nobody wants to hear the end of.
    Broken(Error),
    /// The connection has ended.
    Lost {
        /// Whether the statement may have been carried out.
        maybe_done: bool,
        /// The driver's words.
        cause: String,
    },
    /// What was prepared for it no longer stands; nothing was carried out.
    Stale(Error),
    /// The server only reads, as a standby does; nothing was carried out.
    OnlyReads(Error),
    /// The transaction only reads: its guest has made it so, or the server.
    MayNotWrite(Error),
    /// The instance has no room for what it gives, the rest of which nobody wants to hear.
    OutOfMemory(OutOfMemory),
}

impl From<OutOfMemory> for Stop {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl Stop {
    pub(super) fn into_failure(self) -> PostgresError {
        Failure::Guest(match self {
            Self::OutOfMemory(error) => return error.into(),
            Self::Refused(error)
            | Self::Broken(error)
            | Self::Stale(error)
            | Self::OnlyReads(error)
            | Self::MayNotWrite(error) => error,
            Self::Lost { maybe_done, cause } => {
                let doubt =
                    if maybe_done { ", and whether the statement was carried out is not known" } else { "" };
                Error::ConnectionFailed(format!("the connection was lost: {cause}{doubt}"))
            }
        })
    }
}

/// Runs a statement.
pub(super) async fn run(
    connection: &mut Connection,
    text: &str,
    parameters: &[ParameterValue],
    want: Want,
    bounds: &Bounds,
    memory: &mut Held,
) -> Result<Outcome, Stop> {
    let Some(statement) = connection.statements.get(text) else {
        let statement = prepare(connection, text, bounds).await?;
        return execute(connection, &statement, parameters, want, bounds, memory).await;
    };
    match execute(connection, &statement, parameters, want, bounds, memory).await {
        Err(Stop::Stale(error)) => {
            connection.statements.forget(text);
            if connection.in_transaction() {
                // The refusal has ended it.
                return Err(Stop::Refused(error));
            }
            let statement = prepare(connection, text, bounds).await?;
            execute(connection, &statement, parameters, want, bounds, memory).await
        }
        result => result,
    }
}

/// Nothing has been carried out when this fails.
async fn prepare(connection: &mut Connection, text: &str, bounds: &Bounds) -> Result<Statement, Stop> {
    let prepared = connection.client.prepare(text).await;
    let statement = prepared.map_err(|error| stop(connection, &error, false, bounds))?;
    connection.statements.keep(text, &statement);
    Ok(statement)
}

async fn execute(
    connection: &Connection,
    statement: &Statement,
    parameters: &[ParameterValue],
    want: Want,
    bounds: &Bounds,
    memory: &mut Held,
) -> Result<Outcome, Stop> {
    let parameters =
        value::bind(parameters, statement.params(), bounds.max_value_bytes).map_err(Stop::Refused)?;
    if connection.client.is_closed() {
        return Err(Stop::Lost {
            maybe_done: false,
            cause: "the connection was closed while it was idle".into(),
        });
    }
    let stopped = |error| stop(connection, &error, true, bounds);
    let mut found = pin!(connection.client.query_raw(statement, parameters).await.map_err(stopped)?);
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = found.try_next().await.map_err(stopped)? {
        if want == Want::Count {
            continue;
        }
        if rows.len() == bounds.max_rows {
            return Err(Stop::Broken(too_much(format!("more than {} rows", bounds.max_rows))));
        }
        let (values, size) = value::row(&row, bounds.max_value_bytes).map_err(Stop::Broken)?;
        bytes = bytes.saturating_add(size);
        if bytes > bounds.max_result_bytes {
            return Err(Stop::Broken(too_many_bytes(bounds.max_result_bytes)));
        }
        memory.grow(size)?;
        rows.push(values);
    }
    let rows = RowSet { columns: value::columns(statement.columns()), rows };
    Ok(Outcome { rows, count: found.rows_affected().unwrap_or_default() })
}

fn too_much(what: String) -> Error {
    Error::QueryFailed(format!("the result has {what}"))
}

fn too_many_bytes(max: usize) -> Error {
    too_much(format!("more than {max} bytes"))
}

/// What an error of the driver means for the statement and for its connection.
fn stop(connection: &Connection, error: &tokio_postgres::Error, maybe_done: bool, bounds: &Bounds) -> Stop {
    if connection.was_refused_memory() {
        return Stop::OutOfMemory(OutOfMemory);
    }
    if connection.was_too_long() {
        return Stop::Broken(too_many_bytes(bounds.max_result_bytes));
    }
    if let Some(refusal) = error.as_db_error() {
        return match refused(refusal, maybe_done) {
            Stop::OnlyReads(error) if connection.in_transaction() => Stop::MayNotWrite(error),
            stop => stop,
        };
    }
    if error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>) {
        return Stop::Lost { maybe_done, cause: error.to_string() };
    }
    // A message out of place: COPY, which this interface has no form for.
    Stop::Broken(Error::QueryFailed(format!("the statement can't be run through this interface: {error}")))
}

fn refused(refusal: &DbError, maybe_done: bool) -> Stop {
    let code = refusal.code();
    let words = format!("{} (SQLSTATE {})", refusal.message(), code.code());
    if matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
        return Stop::Lost { maybe_done, cause: words };
    }
    // A plan whose columns have changed has no code of its own, but a place in the server's source that it comes from.
    let plan_changed =
        *code == SqlState::FEATURE_NOT_SUPPORTED && refusal.routine() == Some("RevalidateCachedQuery");
    if plan_changed || *code == SqlState::INVALID_SQL_STATEMENT_NAME {
        return Stop::Stale(Error::QueryFailed(words));
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Stop::OnlyReads(Error::QueryFailed(words));
    }
    Stop::Refused(Error::QueryFailed(words))
}
