//! PostgreSQL: its dialect, and the host's interface to it. For several hosts, or many jobs.

use spin_sdk::pg::{Connection, DbValue, ParameterValue, PgError};
use thumbs_domain::variable::Variable;

use super::Sql;
use super::dialect::Dialect;
use super::error::SqlError;
use super::migration::{Migration, Step};
use super::value::{SqlRow, SqlValue};
use crate::grant;
use crate::redact::redact;

/// PostgreSQL 12 or newer.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

/// The key of the advisory lock under which a schema is made: the ASCII of "thumbs".
const SCHEMA_LOCK: i64 = 127_991_995_523_699;

impl Dialect for Postgres {
    const PASS_OVER_LOCKED: &'static str = " FOR UPDATE SKIP LOCKED";

    const HAS_SCHEMA: &'static str =
        "SELECT CAST(CASE WHEN to_regclass('thumbs_schema') IS NULL THEN 0 ELSE 1 END AS BIGINT)";

    const MIGRATIONS: &'static [Migration] = &[
        Migration { version: 1, sql: include_str!("migrations/0001-jobs.postgres.sql") },
        Migration { version: 2, sql: include_str!("migrations/0002-leases.postgres.sql") },
        Migration { version: 3, sql: include_str!("migrations/0003-setbacks.postgres.sql") },
        Migration { version: 4, sql: include_str!("migrations/0004-tallies.postgres.sql") },
        Migration { version: 5, sql: include_str!("migrations/0005-owners.postgres.sql") },
        Migration { version: 6, sql: include_str!("migrations/0006-life.postgres.sql") },
        Migration { version: 7, sql: include_str!("migrations/0007-rates.postgres.sql") },
        Migration { version: 8, sql: include_str!("migrations/0008-recipes.postgres.sql") },
        Migration { version: 9, sql: include_str!("migrations/0009-batches.postgres.sql") },
        Migration { version: 10, sql: include_str!("migrations/0010-callbacks.postgres.sql") },
        Migration { version: 11, sql: include_str!("migrations/0011-variants.postgres.sql") },
    ];

    /// One block is one transaction. The lock is held until all of it stands, and is then given up whatever happens: without
    /// it, two that create a table at once collide in the server's own catalogues, IF NOT EXISTS or not. What another made
    /// meanwhile is certainly seen by CREATE TABLE alone; `to_regclass` may answer from what the session remembers.
    fn steps(migration: &Migration) -> Vec<Step> {
        let Migration { version, sql } = migration;
        let block = format!(
            "DO $migration$
            BEGIN
                PERFORM pg_advisory_xact_lock({SCHEMA_LOCK});
                CREATE TABLE IF NOT EXISTS thumbs_schema (version BIGINT PRIMARY KEY);
                IF EXISTS (SELECT 1 FROM thumbs_schema WHERE version >= {version}) THEN
                    RETURN;
                END IF;
                {sql}
            END
            $migration$"
        );
        vec![Step { text: block.into(), unless: None }]
    }

    /// A host tells no more than words: with the SQLSTATE in parentheses on our runtime, as the driver's own `SqlState(E42P01)`
    /// on Spin. Class 42 is said before anything is done: a table or a column is missing, or may not be used. So is 25006, by a server that only
    /// reads: a standby whose primary is being replaced, and as good as one that is not there.
    ///
    /// Everything else counts as unknown, for Spin says `query-failed` of a connection that broke as well.
    fn judge(words: String) -> SqlError {
        if words.contains("SQLSTATE 42") || words.contains("SqlState(E42") {
            SqlError::Refused(words)
        } else if words.contains("SQLSTATE 25006") || words.contains("SqlState(E25006") {
            SqlError::Unreachable(words)
        } else {
            SqlError::Unknown(words)
        }
    }
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

    fn words(&self, error: PgError) -> String {
        match error {
            PgError::ConnectionFailed(cause) => not_connected(&redact(&cause, &self.address), &self.address),
            PgError::QueryFailed(cause)
            | PgError::BadParameter(cause)
            | PgError::ValueConversionFailed(cause)
            | PgError::Other(cause) => redact(&cause, &self.address),
        }
    }
}

impl Sql for HostPostgres {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let connection =
            Connection::open(&self.address).map_err(|error| SqlError::Unreachable(self.words(error)))?;
        let parameters: Vec<ParameterValue> = parameters.iter().map(parameter).collect();
        let result =
            connection.query(statement, &parameters).map_err(|error| Postgres::judge(self.words(error)))?;
        result.rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect()
    }
}

/// What a host says of a connection that it does not make, with the setting that mends it, where one does: it is said in the
/// host's terms, and an operator has variables.
fn not_connected(cause: &str, address: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    // The second is Spin's.
    let hint = if says(&["allowed_outbound_hosts", "is not permitted"]) {
        grant::missing(Variable::DatabaseUrl, address, Variable::DatabaseOutbound)
    } else if says(&["ConfigParse", "invalid connection string"]) && address.contains("ssl") {
        "this host does not take all of database_url: of sslmode, Spin knows disable, prefer and require alone, and no \
         sslrootcert, which `thumbs up` takes"
            .to_owned()
    } else if says(&["certificate verify failed", "self-signed", "self signed", "UnknownIssuer"]) {
        "the server's certificate is of no authority that this host trusts: let it trust the authority, or set sslmode=disable in \
         database_url"
            .to_owned()
    } else {
        return cause.to_owned();
    };
    format!("{cause}; {hint}")
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
        _ => Err(SqlError::Unknown("a column of an unknown type".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_can_not_work_is_named() {
        let address = "postgres://u:hunter2@db.example/thumbs?sslmode=verify-full";
        for (cause, named) in [
            (
                "the address is not in allowed_outbound_hosts",
                "set database_outbound to postgres://db.example:5432",
            ),
            ("address [redacted] is not permitted", "set database_outbound to postgres://db.example:5432"),
            ("Error { kind: ConfigParse, cause: Some(InvalidValue(\"sslmode\")) }", "`thumbs up` takes"),
            ("error performing TLS handshake: certificate verify failed", "sslmode=disable"),
        ] {
            let words = not_connected(cause, address);
            assert!(words.starts_with(cause) && words.contains(named), "{words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
        assert_eq!(not_connected("connection refused", address), "connection refused");
    }

    #[test]
    fn what_is_certainly_not_done_is_told_from_what_may_be() {
        for words in [
            "relation \"thumbs_jobs\" does not exist (SQLSTATE 42P01)",
            "la columna «min_compatible» no existe (SQLSTATE 42703)",
            "Error { kind: Db, cause: Some(DbError { severity: \"ERROR\", code: SqlState(E42P01), message: \"\" }) }",
        ] {
            assert_eq!(Postgres::judge(words.to_owned()), SqlError::Refused(words.to_owned()));
        }
        for words in [
            "cannot execute INSERT in a read-only transaction (SQLSTATE 25006)",
            "Error { kind: Db, cause: Some(DbError { severity: \"ERROR\", code: SqlState(E25006), message: \"\" }) }",
        ] {
            assert_eq!(Postgres::judge(words.to_owned()), SqlError::Unreachable(words.to_owned()));
        }
        for words in [
            "the statement took longer than 10000 ms, and was stopped",
            "canceling statement due to user request (SQLSTATE 57014)",
            "Error { kind: Closed, cause: None }",
            "Error { kind: Db, cause: Some(DbError { code: SqlState(E40001) }) }",
        ] {
            assert_eq!(Postgres::judge(words.to_owned()), SqlError::Unknown(words.to_owned()));
        }
    }
}
