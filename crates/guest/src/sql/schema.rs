//! Bringing a database to the schema that this version knows.
//!
//! It is done at start (the message `migrate`), and, where nobody sent that, by the first statement that misses something. The
//! ordinary statement pays nothing for it: a write asks in passing whether the schema is one that this version may work with
//! ([`may_work!`]), and only one that did nothing, or was refused, leads here.

use super::Sql;
use super::dialect::Dialect;
use super::error::{SchemaError, SqlError};
use super::migration::Step;
use super::value::SqlValue;

/// True while the database has our version of the schema and none that we may not work with; takes the number of a placeholder
/// for [`known`].
macro_rules! may_work {
    ($placeholder:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM thumbs_schema WHERE version = CAST(",
            $placeholder,
            " AS BIGINT)) AND NOT EXISTS (SELECT 1 FROM thumbs_schema WHERE min_compatible > CAST(",
            $placeholder,
            " AS BIGINT))"
        )
    };
}

pub(crate) use may_work;

const VERSION: &str = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM thumbs_schema";
const MIN_COMPATIBLE: &str = "SELECT CAST(COALESCE(MAX(min_compatible), 0) AS BIGINT) FROM thumbs_schema";

/// The newest version that this program knows.
pub(crate) fn known<D: Dialect>() -> i64 {
    D::MIGRATIONS.last().map_or(0, |newest| newest.version)
}

/// Brings the schema to the newest version. True where it was older; nothing is done where it is there already.
///
/// # Errors
/// [`SchemaError::TooNew`] where a newer version of the service left one that this must not work with.
pub(crate) fn upgrade<S: Sql, D: Dialect>(sql: &S) -> Result<bool, SchemaError> {
    let found = if integer(sql, D::HAS_SCHEMA)? == 0 { 0 } else { integer(sql, VERSION)? };
    let known = known::<D>();
    if found > known && integer(sql, MIN_COMPATIBLE)? > known {
        return Err(SchemaError::TooNew { found, known });
    }
    let missing = D::MIGRATIONS.iter().filter(|migration| migration.version > found);
    missing.flat_map(D::steps).try_for_each(|step| run(sql, &step))?;
    Ok(found < known)
}

fn run<S: Sql>(sql: &S, step: &Step) -> Result<(), SqlError> {
    if is_done(sql, step)? {
        return Ok(());
    }
    match sql.query(&step.text, &[]) {
        Ok(_) => Ok(()),
        // Another was at it at the same time, or the answer was lost.
        Err(error) => {
            if is_done(sql, step)? {
                Ok(())
            } else {
                Err(error)
            }
        }
    }
}

fn is_done<S: Sql>(sql: &S, step: &Step) -> Result<bool, SqlError> {
    match step.unless {
        Some(question) => Ok(!sql.query(question, &[])?.is_empty()),
        None => Ok(false),
    }
}

fn integer<S: Sql>(sql: &S, question: &str) -> Result<i64, SchemaError> {
    match sql.query(question, &[])?.first().map(Vec::as_slice) {
        Some([SqlValue::Integer(value)]) => Ok(*value),
        other => Err(SchemaError::Nonsense(format!("expected one integer, got {other:?}"))),
    }
}
