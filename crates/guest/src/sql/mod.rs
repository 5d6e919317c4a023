//! SQL: one statement at a time, in the database that the operator chose, and the schema that the service keeps there.
//!
//! | file | subject |
//! |---|---|
//! | `value.rs` | what goes into a statement and comes out |
//! | `error.rs` | why a statement gave nothing, and whether it may have been done |
//! | `migration.rs`, `migrations/` | a version of the schema as a file, cut into statements |
//! | `dialect.rs` | the few texts that SQLite and PostgreSQL do not share |
//! | `schema.rs` | bringing a database to the newest version |
//! | `sqlite.rs`, `postgres.rs` | each dialect, and the host's interface to it |
//!
//! Nothing here knows what the tables mean; that is for who asks (`jobs/`).

mod dialect;
mod error;
mod migration;
mod postgres;
pub(crate) mod schema;
mod sqlite;
mod value;

pub use dialect::Dialect;
pub use error::{SchemaError, SqlError};
pub use migration::{Migration, Step, statements};
pub use postgres::{HostPostgres, Postgres};
pub use sqlite::{HostSqlite, Sqlite};
pub use value::{SqlRow, SqlValue};

/// Runs single statements, each its own transaction. No call may depend on the session of another: they may use different
/// connections, and between two of them none is held.
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
