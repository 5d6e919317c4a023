//! The few texts that SQLite and PostgreSQL do not share.

use super::schema::Migration;

/// One kind of SQL.
pub trait Dialect {
    /// One statement that takes the job that is due longest. Parameters and columns: `statements.rs`.
    const CLAIM: &'static str;

    /// One integer: 1 where the table `thumbs_schema` exists, else 0.
    const HAS_SCHEMA: &'static str;

    /// All versions of the schema, oldest first, numbered from 1 without gaps.
    const MIGRATIONS: &'static [Migration];
}
