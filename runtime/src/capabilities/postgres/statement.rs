//! One statement on one connection: prepared or taken from the connection's cache, its rows counted while they come.

use std::{error::Error as _, pin::pin};

use futures_util::TryStreamExt as _;
use tokio_postgres::{
    Statement,
    error::{DbError, Severity, SqlState},
};

use super::{
    bounds::Bounds,
    connection::Connection,
    rdbms_types::{Error, ParameterValue, RowSet},
    trace::Trace,
    value,
};

/// Prepared statements that a connection keeps, as many as one to SQLite does.
const CACHED_STATEMENTS: usize = 64;
/// Longer texts are prepared each time: a guest can make as many as it likes.
const MAX_CACHED_STATEMENT_BYTES: usize = 4096;

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
}

/// The statements that a connection has prepared, the last used last.
#[derive(Debug, Default)]
pub(super) struct Statements(Vec<(Box<str>, Prepared)>);

#[derive(Clone, Debug)]
struct Prepared {
    statement: Statement,
    trace: Trace,
}

impl Statements {
    fn get(&mut self, text: &str) -> Option<Prepared> {
        let index = self.0.iter().rposition(|(known, _)| **known == *text)?;
        // Moves it to the end.
        if let Some(tail) = self.0.get_mut(index..) {
            tail.rotate_left(1);
        }
        self.0.last().map(|(_, prepared)| prepared.clone())
    }

    fn keep(&mut self, text: &str, prepared: &Prepared) {
        if text.len() > MAX_CACHED_STATEMENT_BYTES {
            return;
        }
        if self.0.len() >= CACHED_STATEMENTS {
            // The server forgets it too: the driver says so when the last handle goes.
            self.0.remove(0);
        }
        self.0.push((text.into(), prepared.clone()));
    }

    fn forget(&mut self, text: &str) {
        self.0.retain(|(known, _)| **known != *text);
    }
}

/// Runs a statement. `trace` takes up what it may leave in the session, before it can have left anything.
pub(super) async fn run(
    connection: &mut Connection,
    text: &str,
    parameters: &[ParameterValue],
    want: Want,
    bounds: &Bounds,
    trace: &mut Trace,
) -> Result<Outcome, Stop> {
    let cached = connection.statements.get(text);
    let is_cached = cached.is_some();
    let prepared = match cached {
        Some(prepared) => prepared,
        None => prepare(connection, text).await?,
    };
    *trace = (*trace).max(prepared.trace);
    let result = match execute(connection, &prepared.statement, parameters, want, bounds).await {
        Err(Stop::Stale(error)) if is_cached => {
            connection.statements.forget(text);
            if *trace != Trace::Nothing {
                // The transaction that it was in has been ended by the refusal.
                return Err(Stop::Refused(error));
            }
            let prepared = prepare(connection, text).await?;
            execute(connection, &prepared.statement, parameters, want, bounds).await
        }
        result => result,
    };
    if prepared.trace == Trace::Anything {
        // It may have been DEALLOCATE.
        connection.statements.0.clear();
    }
    match result {
        Err(Stop::Stale(error)) => Err(Stop::Refused(error)),
        result => result,
    }
}

/// Nothing has been carried out when this fails.
async fn prepare(connection: &mut Connection, text: &str) -> Result<Prepared, Stop> {
    let statement = connection.client.prepare(text).await.map_err(|error| stop(connection, &error, false))?;
    let prepared = Prepared { statement, trace: Trace::of(text) };
    connection.statements.keep(text, &prepared);
    Ok(prepared)
}

async fn execute(
    connection: &Connection,
    statement: &Statement,
    parameters: &[ParameterValue],
    want: Want,
    bounds: &Bounds,
) -> Result<Outcome, Stop> {
    let parameters =
        value::bind(parameters, statement.params(), bounds.max_value_bytes).map_err(Stop::Refused)?;
    if connection.client.is_closed() {
        return Err(Stop::Lost {
            maybe_done: false,
            cause: "the connection was closed while it was idle".into(),
        });
    }
    let stopped = |error| stop(connection, &error, true);
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
fn stop(connection: &Connection, error: &tokio_postgres::Error, maybe_done: bool) -> Stop {
    if connection.tripped.get() {
        return Stop::Broken(too_many_bytes(connection.max_result_bytes));
    }
    if let Some(refusal) = error.as_db_error() {
        return refused(refusal, maybe_done);
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
    Stop::Refused(Error::QueryFailed(words))
}
