//! PostgreSQL: its dialect, and the host's interface to it. For several hosts, or many jobs.

use spin_sdk::pg::{Connection, DbValue, ParameterValue, PgError};

use super::dialect::Dialect;
use super::schema::Migration;
use super::sql::{Sql, SqlError, SqlRow, SqlValue};
use super::statements::{claim, columns, schema_is_known};
use crate::redact::redact;

/// PostgreSQL 12 or newer.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

impl Dialect for Postgres {
    /// Rows that another claim holds are passed over, so that many workers never wait for each other.
    const CLAIM: &'static str = claim!(" FOR UPDATE SKIP LOCKED");

    const HAS_SCHEMA: &'static str =
        "SELECT CAST(CASE WHEN to_regclass('thumbs_schema') IS NULL THEN 0 ELSE 1 END AS BIGINT)";

    const MIGRATIONS: &'static [Migration] = &[Migration {
        version: 1,
        // One block is one transaction: the lock is held until all of it stands, and is then given up whatever happens.
        // The number is the ASCII of "thumbs". Ids compare by bytes (COLLATE "C"), as they do everywhere else.
        statements: &["DO $migration$
            BEGIN
                PERFORM pg_advisory_xact_lock(127991995523699);
                CREATE TABLE IF NOT EXISTS thumbs_schema (version BIGINT PRIMARY KEY);
                IF EXISTS (SELECT 1 FROM thumbs_schema WHERE version >= 1) THEN
                    RETURN;
                END IF;
                CREATE TABLE thumbs_jobs (
                    id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
                    status TEXT COLLATE \"C\" NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed')),
                    options TEXT NOT NULL,
                    source TEXT NOT NULL,
                    thumbnail TEXT,
                    error_code TEXT,
                    error_message TEXT,
                    cost TEXT,
                    attempts BIGINT NOT NULL,
                    due_at_ms BIGINT,
                    lease_token TEXT,
                    woken_at_ms BIGINT,
                    created_at_ms BIGINT NOT NULL,
                    updated_at_ms BIGINT NOT NULL,
                    correlation_id TEXT NOT NULL,
                    trace_parent TEXT,
                    idempotency_key TEXT COLLATE \"C\" UNIQUE,
                    fingerprint TEXT,
                    CHECK ((status = 'processing') = (due_at_ms IS NOT NULL))
                );
                CREATE INDEX thumbs_jobs_due ON thumbs_jobs (due_at_ms) WHERE due_at_ms IS NOT NULL;
                CREATE INDEX thumbs_jobs_status ON thumbs_jobs (status, id);
                INSERT INTO thumbs_schema (version) VALUES (1);
            END
            $migration$"],
    }];
}

/// The host's PostgreSQL.
///
/// Each statement takes a connection from the host's pool and gives it back: one that waits for a job, an upload or a decoder
/// in between holds none.
pub struct HostPostgres {
    address: String,
}

impl HostPostgres {
    /// The database at this address, `postgres://user:password@host:port/database`.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into() }
    }

    fn error(&self, error: PgError) -> SqlError {
        match error {
            PgError::ConnectionFailed(cause) => SqlError::Unreachable(redact(&cause, &self.address)),
            PgError::QueryFailed(cause)
            | PgError::BadParameter(cause)
            | PgError::ValueConversionFailed(cause)
            | PgError::Other(cause) => SqlError::Refused(redact(&cause, &self.address)),
        }
    }
}

impl Sql for HostPostgres {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let connection = Connection::open(&self.address).map_err(|error| self.error(error))?;
        let parameters: Vec<ParameterValue> = parameters.iter().map(parameter).collect();
        let result = connection.query(statement, &parameters).map_err(|error| self.error(error))?;
        result.rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect()
    }
}

fn parameter(value: &SqlValue) -> ParameterValue {
    match value {
        SqlValue::Null => ParameterValue::DbNull,
        SqlValue::Integer(integer) => ParameterValue::Int64(*integer),
        SqlValue::Text(text) => ParameterValue::Str(text.clone()),
    }
}

fn value(value: DbValue) -> Result<SqlValue, SqlError> {
    match value {
        DbValue::DbNull => Ok(SqlValue::Null),
        DbValue::Int64(integer) => Ok(SqlValue::Integer(integer)),
        DbValue::Int32(integer) => Ok(SqlValue::Integer(integer.into())),
        DbValue::Str(text) => Ok(SqlValue::Text(text)),
        _ => Err(SqlError::Refused("a column of an unknown type".to_owned())),
    }
}
