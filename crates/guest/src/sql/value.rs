//! What goes into a statement and comes out.

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

/// One row, in the order of the statement's columns.
pub type SqlRow = Vec<SqlValue>;

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
