//! The few texts that SQLite and PostgreSQL do not share.

use super::error::SqlError;
use super::migration::{Migration, Step};

/// One kind of SQL.
pub trait Dialect {
    /// What a choice of rows ends with so that rows which another such statement holds are passed over.
    const PASS_OVER_LOCKED: &'static str;

    /// One integer: 1 where the table `thumbs_schema` exists, else 0.
    const HAS_SCHEMA: &'static str;

    /// All versions of the schema, oldest first, numbered from 1 without gaps.
    const MIGRATIONS: &'static [Migration];

    /// What is run for a migration, in this order, each its own transaction. A step may be run again, and at the same time by
    /// others: a crash between two of them, or two first requests at once, do no harm.
    fn steps(migration: &Migration) -> Vec<Step>;

    /// What the database's words for a failed statement, as a host passes them on, say of its outcome.
    fn judge(words: String) -> SqlError;
}
