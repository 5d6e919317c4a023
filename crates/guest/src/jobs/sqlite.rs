//! SQLite: its dialect, and the host's interface to it. For one host with its own disk.

use spin_sdk::sqlite::{Connection, Error, Value};

use super::dialect::Dialect;
use super::schema::Migration;
use super::sql::{Sql, SqlError, SqlRow, SqlValue};
use super::statements::{claim, columns, schema_is_known};

/// SQLite 3.37 or newer. It has one writer at a time, so an update that chooses its row needs no lock.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Dialect for Sqlite {
    const CLAIM: &'static str = claim!("");

    const HAS_SCHEMA: &'static str =
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'thumbs_schema'";

    const MIGRATIONS: &'static [Migration] = &[Migration {
        version: 1,
        // The host may share one connection among all instances, so there is no transaction of our own around these.
        statements: &[
            "CREATE TABLE IF NOT EXISTS thumbs_schema (version INTEGER PRIMARY KEY) STRICT",
            "CREATE TABLE IF NOT EXISTS thumbs_jobs (
                id TEXT NOT NULL PRIMARY KEY,
                status TEXT NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed')),
                options TEXT NOT NULL,
                source TEXT NOT NULL,
                thumbnail TEXT,
                error_code TEXT,
                error_message TEXT,
                cost TEXT,
                attempts INTEGER NOT NULL,
                due_at_ms INTEGER,
                lease_token TEXT,
                woken_at_ms INTEGER,
                created_at_ms INTEGER NOT NULL,
                updated_at_ms INTEGER NOT NULL,
                correlation_id TEXT NOT NULL,
                trace_parent TEXT,
                idempotency_key TEXT UNIQUE,
                fingerprint TEXT,
                CHECK ((status = 'processing') = (due_at_ms IS NOT NULL))
            ) STRICT",
            // Holds the open jobs alone, so the claim does not feel the finished ones. It asks for due_at_ms only: asked for
            // the status as well, SQLite would take the other index and sort.
            "CREATE INDEX IF NOT EXISTS thumbs_jobs_due ON thumbs_jobs (due_at_ms) WHERE due_at_ms IS NOT NULL",
            "CREATE INDEX IF NOT EXISTS thumbs_jobs_status ON thumbs_jobs (status, id)",
            "INSERT INTO thumbs_schema (version) VALUES (1) ON CONFLICT DO NOTHING",
        ],
    }];
}

/// The host's SQLite. The connection is opened by the first statement.
#[derive(Debug)]
pub struct HostSqlite {
    label: String,
    connection: std::cell::OnceCell<Connection>,
}

impl HostSqlite {
    /// The database with this label in the manifest.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), connection: std::cell::OnceCell::new() }
    }

    fn connection(&self) -> Result<&Connection, SqlError> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection);
        }
        let opened = Connection::open(&self.label).map_err(error)?;
        Ok(self.connection.get_or_init(|| opened))
    }
}

impl Sql for HostSqlite {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        let result = self.connection()?.execute(statement, &parameters).map_err(error)?;
        result.rows.into_iter().map(|row| row.values.into_iter().map(value).collect()).collect()
    }
}

fn parameter(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(integer) => Value::Integer(*integer),
        SqlValue::Text(text) => Value::Text(text.clone()),
    }
}

fn value(value: Value) -> Result<SqlValue, SqlError> {
    match value {
        Value::Null => Ok(SqlValue::Null),
        Value::Integer(integer) => Ok(SqlValue::Integer(integer)),
        Value::Text(text) => Ok(SqlValue::Text(text)),
        Value::Real(_) | Value::Blob(_) => Err(SqlError::Refused("a column of an unknown type".to_owned())),
    }
}

fn error(error: Error) -> SqlError {
    match error {
        Error::Io(cause) => SqlError::Refused(cause),
        Error::NoSuchDatabase => {
            SqlError::Unreachable("the host has no SQLite database of this label".to_owned())
        }
        Error::AccessDenied => {
            SqlError::Unreachable("the manifest does not grant this SQLite database".to_owned())
        }
        Error::InvalidConnection => SqlError::Unreachable("the SQLite connection is closed".to_owned()),
        Error::DatabaseFull => SqlError::Unreachable("the SQLite database is full".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::statements;

    #[test]
    fn every_statement_finds_its_rows_by_an_index_and_sorts_nothing() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for statement in Sqlite::MIGRATIONS.iter().flat_map(|migration| migration.statements) {
            connection.execute_batch(statement).unwrap();
        }
        let (by_id, by_key) = ("sqlite_autoindex_thumbs_jobs_1", "sqlite_autoindex_thumbs_jobs_2");
        for (statement, index) in [
            (Sqlite::CLAIM, "thumbs_jobs_due"),
            (statements::HAS_DUE, "thumbs_jobs_due"),
            (statements::GET, by_id),
            (statements::FIND_BY_WORKER, "thumbs_jobs_due"),
            (statements::LIST, by_id),
            (statements::LIST_AFTER, by_id),
            (statements::LIST_STATUS, "thumbs_jobs_status"),
            (statements::LIST_STATUS_AFTER, "thumbs_jobs_status"),
            (statements::FIND_BY_IDEMPOTENCY_KEY, by_key),
            (statements::SUCCEED, by_id),
            (statements::RETRY, by_id),
            (statements::GIVE_UP, by_id),
            (statements::NOTE_WAKE_UP, by_id),
        ] {
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let mut rows = explain.raw_query();
            let mut plan = String::new();
            while let Some(row) = rows.next().unwrap() {
                plan += &row.get::<_, String>(3).unwrap();
                plan += "; ";
            }
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{statement}: {plan}");
        }
    }
}
