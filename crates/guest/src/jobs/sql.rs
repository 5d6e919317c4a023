//! The seam between the rules of the store and a database: run one statement, get rows. It knows no job.

use thiserror::Error;

/// A value going in or coming out. The tables use no other kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// SQL's NULL.
    Null,
    /// INTEGER in SQLite, BIGINT in PostgreSQL.
    Integer(i64),
    /// TEXT.
    Text(String),
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for SqlValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row, in the order of the statement's columns.
pub type SqlRow = Vec<SqlValue>;

/// The statement was not done, or not known to be done. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SqlError {
    /// There is no connection.
    #[error("{0}")]
    Unreachable(String),
    /// The database refused the statement, say because a table is missing.
    #[error("{0}")]
    Refused(String),
}

/// Runs single statements, each its own transaction. No call may depend on the session of another: they may use different
/// connections.
pub trait Sql {
    /// Runs a statement whose placeholders are `$1`, `$2`, ... and returns its rows, if it has any.
    ///
    /// PostgreSQL binds them by their numbers, SQLite by the order in which they first appear; so they must first appear in
    /// the order of their numbers.
    ///
    /// # Errors
    /// [`SqlError`].
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError>;
}
