//! One statement on one connection: values in, values out, within bounds.

use std::time::{Duration, Instant};

use rusqlite::{
    Connection, Error, ErrorCode, Statement,
    limits::Limit,
    params_from_iter,
    types::{Value, ValueRef},
};

use super::{
    SqliteError,
    policy::{Costs, OnlyCheap},
    wit,
};
use crate::memory::{Held, OutOfMemory};

/// How long reading may take on an async thread.
const INLINE_TIME: Duration = Duration::from_millis(1);
/// The largest value that is read there.
const INLINE_VALUE_BYTES: i32 = 64 * 1024;
/// Between two looks at the clock: fewer where others wait.
const INLINE_STEPS_PER_LOOK: i32 = 1_000;
const STEPS_PER_LOOK: i32 = 10_000;

/// What a statement may give and take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_rows: usize,
    /// Of all values together.
    pub(super) max_bytes: usize,
    /// Of one value.
    pub(super) max_value_bytes: i32,
    pub(super) timeout: Duration,
    /// How long a connection is kept between two statements.
    pub(super) max_idle: Duration,
}

/// What became of an attempt to read at once.
pub(super) enum Outcome {
    /// It ran.
    Done(Result<wit::QueryResult, SqliteError>),
    /// It only reads, and takes longer, or larger values, than a task may hold up others with.
    TooMuch,
    /// Whether it only reads is to be seen elsewhere: a step of it may take long.
    Costly,
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
    let (handed, until) = (memory.bytes(), Instant::now() + INLINE_TIME);
    let only_cheap = OnlyCheap::begin();
    let small = INLINE_VALUE_BYTES.min(bounds.max_value_bytes);
    let watched = connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, small).and_then(|_| {
        connection.progress_handler(INLINE_STEPS_PER_LOOK, Some(move || Instant::now() >= until))
    });
    let prepared = watched.and_then(|()| connection.prepare_cached(sql));
    let outcome = match prepared.map_err(QueryError::from) {
        Err(_) if only_cheap.has_denied() => Outcome::Costly,
        Err(QueryError::Interrupted) => Outcome::Costly,
        Err(error) => Outcome::Done(Err(error.into_failure())),
        Ok(statement) if !statement.readonly() => Outcome::Writes,
        Ok(mut statement) => match query(&mut statement, parameters, bounds, memory) {
            // Compiled again after the schema had changed.
            Err(_) if only_cheap.has_denied() => too_much(memory, handed),
            Err(QueryError::Interrupted | QueryError::TooBig(_)) => too_much(memory, handed),
            result => Outcome::Done(result.map_err(QueryError::into_failure)),
        },
    };
    stop_watching(connection);
    // It was a larger one before.
    let _set = connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, bounds.max_value_bytes);
    outcome
}

fn too_much(memory: &mut Held, handed_bytes: usize) -> Outcome {
    memory.shrink_to(handed_bytes);
    Outcome::TooMuch
}

/// Whether a statement only reads. Blocks.
///
/// # Errors
/// It is none, or one that nobody may run.
pub(super) fn only_reads(connection: &Connection, sql: &str) -> Result<bool, wit::Error> {
    connection.prepare(sql).map(|statement| statement.readonly()).map_err(|error| wit_error(&error))
}

/// Runs any statement until `deadline`. Blocks.
pub(super) fn run(
    connection: &mut Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds,
    memory: &mut Held,
    deadline: Instant,
) -> Result<wit::QueryResult, SqliteError> {
    connection
        .progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() >= deadline))
        .map_err(|error| SqliteError::Guest(wit_error(&error)))?;
    let handed = memory.bytes();
    // Only what is cheap is kept prepared: the next attempt to read at once takes it from there, and is not asked again.
    let (cheap, was_denied) = {
        let only_cheap = OnlyCheap::begin();
        let prepared = connection.prepare_cached(sql).map_err(QueryError::from);
        let result = prepared.and_then(|mut statement| query(&mut statement, parameters, bounds, memory));
        (result, only_cheap.has_denied())
    };
    let result = match cheap {
        Err(_) if was_denied => {
            memory.shrink_to(handed);
            costly(connection, sql, parameters, bounds, memory)
        }
        result => result,
    };
    stop_watching(connection);
    // It was a larger one before.
    let _set = connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, bounds.max_value_bytes);
    result.map_err(QueryError::into_failure)
}

/// Runs a statement of which a step may take long: how long is bounded by the length of its values.
fn costly(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds,
    memory: &mut Held,
) -> Result<wit::QueryResult, QueryError> {
    Costs::begin();
    let mut statement = connection.prepare(sql)?;
    let costs = Costs::get();
    if costs.are_lasting() {
        return Err(QueryError::TooMuch(
            "a function that takes long with long values can't be part of a table or an index".into(),
        ));
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, costs.max_value_bytes().min(bounds.max_value_bytes))?;
    query(&mut statement, parameters, bounds, memory)
}

/// The handler must not outlive its statement: it would stop the rollback of a connection that goes back.
fn stop_watching(connection: &mut Connection) {
    // Fails only while the connection is in use, which it is not.
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
}

enum QueryError {
    Interrupted,
    /// A value is longer than any may be here.
    TooBig(Error),
    TooMuch(String),
    /// The instance has no room for its rows.
    OutOfMemory(OutOfMemory),
    Sqlite(Error),
}

impl QueryError {
    fn into_failure(self) -> SqliteError {
        SqliteError::Guest(match self {
            Self::Interrupted => wit::Error::Io("the statement takes too long".into()),
            Self::TooMuch(reason) => wit::Error::Io(reason),
            Self::OutOfMemory(error) => return error.into(),
            Self::TooBig(error) | Self::Sqlite(error) => wit_error(&error),
        })
    }
}

impl From<OutOfMemory> for QueryError {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
            Some(ErrorCode::TooBig) => Self::TooBig(error),
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
