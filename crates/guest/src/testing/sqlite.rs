//! SQLite as a driver instead of a host interface.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::jobs::SqlJobStore;
use crate::sql::{Dialect, Sql, SqlError, SqlRow, SqlValue, Sqlite};

/// Statements that are kept compiled: more than the job store has.
const PREPARED: usize = 128;

/// A connection, and whether it works.
#[derive(Debug)]
pub struct Driver {
    connection: Connection,
    is_down: Arc<AtomicBool>,
}

impl Driver {
    /// Over this connection.
    pub fn new(connection: Connection) -> Self {
        // Some tests ask the same a million times.
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Self { connection, is_down: Arc::default() }
    }
}

/// The job store that ships, over an empty database of its own, and the switch that takes it down.
///
/// # Panics
/// When there is no memory for it.
#[expect(clippy::expect_used, reason = "a test fails loudly")]
pub fn memory_store() -> (SqlJobStore<Driver, Sqlite>, Arc<AtomicBool>) {
    let driver = Driver::new(Connection::open_in_memory().expect("a database in memory"));
    let is_down = driver.is_down.clone();
    (SqlJobStore::new(driver), is_down)
}

impl Sql for Driver {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(SqlError::Unreachable("secret-host:5432 refused".to_owned()));
        }
        let judged = |error: rusqlite::Error| Sqlite::judge(error.to_string());
        let parameters = params_from_iter(parameters.iter().map(|value| match value {
            SqlValue::Null => Value::Null,
            SqlValue::Integer(integer) => Value::Integer(*integer),
            SqlValue::Text(text) => Value::Text(text.clone()),
        }));
        let mut statement = self.connection.prepare_cached(statement).map_err(judged)?;
        let columns = statement.column_count();
        let mut rows = statement.query(parameters).map_err(judged)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(judged)? {
            let values = (0..columns).map(|column| value(row.get_ref(column).map_err(judged)?));
            all.push(values.collect::<Result<SqlRow, SqlError>>()?);
        }
        Ok(all)
    }
}

fn value(value: ValueRef<'_>) -> Result<SqlValue, SqlError> {
    match value {
        ValueRef::Null => Ok(SqlValue::Null),
        ValueRef::Integer(integer) => Ok(SqlValue::Integer(integer)),
        ValueRef::Text(text) => Ok(SqlValue::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(SqlError::Unknown("a column of an unknown type".to_owned()))
        }
    }
}
