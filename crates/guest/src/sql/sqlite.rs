//! SQLite: its dialect, and the host's interface to it. For one host with its own disk.

use spin_sdk::sqlite::{Connection, Error, Value};

use super::Sql;
use super::dialect::Dialect;
use super::error::SqlError;
use super::migration::{Migration, Step, statements};
use super::value::{SqlRow, SqlValue};

/// SQLite 3.37 or newer. It has one writer at a time, so an update that chooses its row needs no lock.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Dialect for Sqlite {
    const PASS_OVER_LOCKED: &'static str = "";

    const HAS_SCHEMA: &'static str =
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'thumbs_schema'";

    const MIGRATIONS: &'static [Migration] = &[
        Migration { version: 1, sql: include_str!("migrations/0001-jobs.sqlite.sql") },
        Migration { version: 2, sql: include_str!("migrations/0002-leases.sqlite.sql") },
        Migration { version: 3, sql: include_str!("migrations/0003-setbacks.sqlite.sql") },
        Migration { version: 4, sql: include_str!("migrations/0004-tallies.sqlite.sql") },
        Migration { version: 5, sql: include_str!("migrations/0005-owners.sqlite.sql") },
        Migration { version: 6, sql: include_str!("migrations/0006-life.sqlite.sql") },
        Migration { version: 7, sql: include_str!("migrations/0007-rates.sqlite.sql") },
        Migration { version: 8, sql: include_str!("migrations/0008-recipes.sqlite.sql") },
        Migration { version: 9, sql: include_str!("migrations/0009-batches.sqlite.sql") },
        Migration { version: 10, sql: include_str!("migrations/0010-callbacks.sqlite.sql") },
        Migration { version: 11, sql: include_str!("migrations/0011-variants.sqlite.sql") },
    ];

    /// The host may share one connection among all instances, so there is no transaction of our own around the statements.
    fn steps(migration: &Migration) -> Vec<Step> {
        statements(migration.sql)
    }

    /// The words are SQLite's own, which have been the same for as long as it has them.
    fn judge(words: String) -> SqlError {
        let refusals = ["no such table", "no such column", "has no column named"];
        if refusals.iter().any(|refusal| words.contains(refusal)) {
            SqlError::Refused(words)
        } else {
            SqlError::Unknown(words)
        }
    }
}

/// The host's SQLite.
///
/// Each statement opens a connection and gives it back: there are only so many, and one that waits for a job, an upload or a
/// decoder in between must not keep it from the others. The host keeps connections and what they have prepared.
#[derive(Debug)]
pub struct HostSqlite {
    label: String,
}

impl HostSqlite {
    /// The database with this label in the manifest.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into() }
    }
}

impl Sql for HostSqlite {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let connection = Connection::open(&self.label).map_err(not_open)?;
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        let result = connection.execute(statement, &parameters).map_err(not_done)?;
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
        Value::Real(_) | Value::Blob(_) => Err(SqlError::Unknown("a column of an unknown type".to_owned())),
    }
}

fn not_open(error: Error) -> SqlError {
    SqlError::Unreachable(words(error))
}

fn not_done(error: Error) -> SqlError {
    Sqlite::judge(words(error))
}

fn words(error: Error) -> String {
    match error {
        Error::Io(cause) => cause,
        Error::NoSuchDatabase => "the host has no SQLite database of this label".to_owned(),
        Error::AccessDenied => "the manifest does not grant this SQLite database".to_owned(),
        Error::InvalidConnection => "the SQLite connection is closed".to_owned(),
        Error::DatabaseFull => "the SQLite database is full".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_sqlite_does_not_understand_is_refused() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE a (b TEXT UNIQUE) STRICT; INSERT INTO a VALUES ('x')")
            .unwrap();
        for (statement, is_refused) in [
            ("SELECT 1 FROM missing", true),
            ("SELECT missing FROM a", true),
            ("INSERT INTO a (missing) VALUES (1)", true),
            ("UPDATE missing SET b = 1", true),
            ("INSERT INTO a VALUES ('x')", false),
        ] {
            let error = connection.execute_batch(statement).unwrap_err().to_string();
            let judged = Sqlite::judge(error);
            assert_eq!(matches!(judged, SqlError::Refused(_)), is_refused, "{statement}: {judged:?}");
        }
        for words in ["database is locked", "the database is busy writing", "the statement takes too long"] {
            assert_eq!(Sqlite::judge(words.to_owned()), SqlError::Unknown(words.to_owned()));
        }
    }
}
