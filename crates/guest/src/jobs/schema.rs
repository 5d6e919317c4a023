//! Bringing a database to the schema that this version knows.
//!
//! Nobody runs a migration by hand, and the ordinary statement pays nothing for it: only when a statement is refused does the
//! store look whether the schema is missing or old, and mends it. What the driver's error says is not asked, for its wording
//! is nobody's promise.

use super::StoreError;
use super::dialect::Dialect;
use super::sql::{Sql, SqlError, SqlValue};
use super::statements;

/// One version of the schema.
///
/// Every statement may be run again, at the same time by others too: a crash between two of them, or two first requests
/// at once, must do no harm. The last one records the version in `thumbs_schema`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What the database has after it.
    pub version: i64,
    /// In this order, each its own transaction.
    pub statements: &'static [&'static str],
}

/// The newest version that this program knows.
pub(super) fn known<D: Dialect>() -> i64 {
    D::MIGRATIONS.last().map_or(0, |newest| newest.version)
}

/// Brings the schema to the newest version; does nothing where it is there already.
pub(super) fn upgrade<S: Sql, D: Dialect>(sql: &S) -> Result<(), StoreError> {
    let found = version::<S, D>(sql)?;
    let missing = D::MIGRATIONS.iter().filter(|migration| migration.version > found);
    for statement in missing.flat_map(|migration| migration.statements) {
        sql.query(statement, &[]).map_err(unavailable)?;
    }
    Ok(())
}

/// The version that the database has; 0 before the first.
///
/// # Errors
/// [`StoreError::SchemaTooNew`] where this program does not know it.
pub(super) fn version<S: Sql, D: Dialect>(sql: &S) -> Result<i64, StoreError> {
    if integer(sql, D::HAS_SCHEMA)? == 0 {
        return Ok(0);
    }
    let found = integer(sql, statements::SCHEMA_VERSION)?;
    let known = known::<D>();
    if found > known { Err(StoreError::SchemaTooNew { found, known }) } else { Ok(found) }
}

fn integer<S: Sql>(sql: &S, statement: &str) -> Result<i64, StoreError> {
    match sql.query(statement, &[]).map_err(unavailable)?.first().map(Vec::as_slice) {
        Some([SqlValue::Integer(value)]) => Ok(*value),
        other => Err(StoreError::Corrupt(format!("expected one integer, got {other:?}"))),
    }
}

pub(super) fn unavailable(error: SqlError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
