//! One statement on one connection: values in, values out, within bounds.

use std::time::{Duration, Instant};

use rusqlite::{
    Connection, Error, ErrorCode, Statement, params_from_iter,
    types::{Value, ValueRef},
};

use super::wit;
use crate::memory::{Held, OutOfMemory};

/// How long reading may take on an async thread, in steps of SQLite's machine: some hundred microseconds.
const INLINE_STEPS: i32 = 20_000;
/// Between two looks at the clock.
const STEPS_PER_LOOK: i32 = 10_000;

/// What a statement may give and take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_rows: usize,
    /// Of all values together.
    pub(super) max_bytes: usize,
    pub(super) timeout: Duration,
    /// How long a connection is kept between two statements.
    pub(super) max_idle: Duration,
}

/// What became of an attempt to read at once.
pub(super) enum Outcome {
    /// It ran.
    Done(Result<wit::QueryResult, wit::Error>),
    /// It only reads, and takes longer than a task may hold up others.
    TooLong,
    /// It does not only read; nothing was run.
    Writes,
}

/// Runs a statement that only reads, if that is quick. Must be outside a transaction: `COMMIT` "only reads" to SQLite.
pub(super) fn try_reading(
    connection: &mut Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds,
    memory: &mut Held,
) -> Outcome {
    let handed = memory.bytes();
    if let Err(error) = connection.progress_handler(INLINE_STEPS, Some(|| true)) {
        return Outcome::Done(Err(wit_error(&error)));
    }
    let outcome = match connection.prepare_cached(sql) {
        Err(error) => Outcome::Done(Err(wit_error(&error))),
        Ok(statement) if !statement.readonly() => Outcome::Writes,
        Ok(mut statement) => match query(&mut statement, parameters, bounds, memory) {
            Err(QueryError::Interrupted) => {
                memory.shrink_to(handed);
                Outcome::TooLong
            }
            result => Outcome::Done(result.map_err(QueryError::into_wit)),
        },
    };
    stop_watching(connection);
    outcome
}

/// Runs any statement until `deadline`. Blocks.
pub(super) fn run(
    connection: &mut Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds,
    memory: &mut Held,
    deadline: Instant,
) -> Result<wit::QueryResult, wit::Error> {
    connection
        .progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() >= deadline))
        .map_err(|error| wit_error(&error))?;
    let result = match connection.prepare_cached(sql) {
        Ok(mut statement) => query(&mut statement, parameters, bounds, memory).map_err(QueryError::into_wit),
        Err(error) => Err(wit_error(&error)),
    };
    stop_watching(connection);
    result
}

/// The handler must not outlive its statement: it would stop the rollback of a connection that goes back.
fn stop_watching(connection: &mut Connection) {
    // Fails only while the connection is in use, which it is not.
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
}

enum QueryError {
    Interrupted,
    TooMuch(String),
    Sqlite(Error),
}

impl QueryError {
    fn into_wit(self) -> wit::Error {
        match self {
            Self::Interrupted => wit::Error::Io("the statement takes too long".into()),
            Self::TooMuch(reason) => wit::Error::Io(reason),
            Self::Sqlite(error) => wit_error(&error),
        }
    }
}

impl From<OutOfMemory> for QueryError {
    fn from(error: OutOfMemory) -> Self {
        Self::TooMuch(format!("the result is too large: {error}"))
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
            _ => Self::Sqlite(error),
        }
    }
}

fn query(
    statement: &mut Statement<'_>,
    parameters: &[Value],
    bounds: &Bounds,
    memory: &mut Held,
) -> Result<wit::QueryResult, QueryError> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    let mut found = statement.query(params_from_iter(parameters))?;
    while let Some(row) = found.next()? {
        if rows.len() == bounds.max_rows {
            return Err(QueryError::TooMuch(format!("the result has more than {} rows", bounds.max_rows)));
        }
        let mut values = Vec::with_capacity(columns.len());
        for column in 0..columns.len() {
            let value = row.get_ref(column)?;
            let size = size(value);
            bytes = bytes.saturating_add(size);
            if bytes > bounds.max_bytes {
                return Err(QueryError::TooMuch(format!(
                    "the result has more than {} bytes",
                    bounds.max_bytes
                )));
            }
            memory.grow(size)?;
            values.push(result(value)?);
        }
        rows.push(wit::RowResult { values });
    }
    Ok(wit::QueryResult { columns, rows })
}

/// What a value of a row counts: its bytes, and a little for being there.
fn size(value: ValueRef<'_>) -> usize {
    size_of::<wit::Value>()
        + match value {
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        }
}

fn result(value: ValueRef<'_>) -> Result<wit::Value, QueryError> {
    Ok(match value {
        ValueRef::Null => wit::Value::Null,
        ValueRef::Integer(integer) => wit::Value::Integer(integer),
        ValueRef::Real(real) => wit::Value::Real(real),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(|_| QueryError::TooMuch("a text is not UTF-8".into()))?;
            wit::Value::Text(text.to_owned())
        }
        ValueRef::Blob(blob) => wit::Value::Blob(blob.to_owned()),
    })
}

/// What a parameter takes besides its place in the list.
pub(super) fn parameter_bytes(value: &wit::Value) -> usize {
    match value {
        wit::Value::Text(text) => text.len(),
        wit::Value::Blob(blob) => blob.len(),
        wit::Value::Null | wit::Value::Integer(_) | wit::Value::Real(_) => 0,
    }
}

/// A parameter as SQLite takes it.
pub(super) fn parameter(value: wit::Value) -> Value {
    match value {
        wit::Value::Null => Value::Null,
        wit::Value::Integer(integer) => Value::Integer(integer),
        wit::Value::Real(real) => Value::Real(real),
        wit::Value::Text(text) => Value::Text(text),
        wit::Value::Blob(blob) => Value::Blob(blob),
    }
}

fn wit_error(error: &Error) -> wit::Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => wit::Error::DatabaseFull,
        Some(ErrorCode::AuthorizationForStatementDenied) => wit::Error::AccessDenied,
        _ => wit::Error::Io(error.to_string()),
    }
}
