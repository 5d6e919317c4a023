//! Why a statement gave nothing, by what is known of its outcome. The texts are for the log.

use thiserror::Error;

/// A statement that gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SqlError {
    /// It never got to the database: certainly not done.
    #[error("{0}")]
    Unreachable(String),
    /// The database does not understand it, say because a table is missing: certainly not done. This alone leads to a look at
    /// the schema.
    #[error("{0}")]
    Refused(String),
    /// Anything else: it may have been done, may be done yet, or not. Who wants to know has to read.
    #[error("{0}")]
    Unknown(String),
}

/// A statement, or the schema that it needs, gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A newer version of the service has been here, and this one must not work with what it left.
    #[error(
        "the database has schema {found}, and this version, which knows {known}, may not work with it: run the newer version"
    )]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The answer is none that the question has.
    #[error("{0}")]
    Nonsense(String),
}
