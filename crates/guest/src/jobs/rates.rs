//! Buckets of tokens in the job store's database, so that all replicas take from the same. What a bucket is: `thumbs_domain::rate`.
//!
//! A token is one statement. Buckets that are full again are taken away by those who ask, now and then and some at a time, so that the table
//! has as many rows as there were clients lately. It is a table of its own, of which no statement on jobs knows.

use thumbs_domain::rate::{Rate, Tokens};
use thumbs_domain::timestamp::Timestamp;

use super::StoreError;
use super::store::SqlJobStore;
use crate::sql::{Dialect, Sql, SqlValue};

/// Where buckets are.
pub trait Rates {
    /// Takes a token out of a bucket, if there is one.
    ///
    /// # Errors
    /// [`StoreError`]; a token may have been taken.
    fn take(&self, bucket: &str, rate: Rate, now: Timestamp) -> Result<Tokens, StoreError>;
}

/// No row where there is no token. `$1` the bucket, `$2` now, `$3` how long a token takes to come, `$4` how long an empty bucket takes to
/// fill, `$5` how far beyond that a bucket may be full; all in microseconds. What is further was written by a clock that was put back since,
/// or under another rate, and counts as full.
pub(super) const TAKE: &str = "INSERT INTO thumbs_buckets (bucket, full_at_us) VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT)) \
     ON CONFLICT (bucket) DO UPDATE SET full_at_us = CAST($3 AS BIGINT) + CASE \
     WHEN thumbs_buckets.full_at_us > CAST($2 AS BIGINT) + CAST($4 AS BIGINT) + CAST($5 AS BIGINT) THEN CAST($2 AS BIGINT) \
     WHEN thumbs_buckets.full_at_us > CAST($2 AS BIGINT) THEN thumbs_buckets.full_at_us ELSE CAST($2 AS BIGINT) END \
     WHERE thumbs_buckets.full_at_us + CAST($3 AS BIGINT) <= CAST($2 AS BIGINT) + CAST($4 AS BIGINT) \
     OR thumbs_buckets.full_at_us > CAST($2 AS BIGINT) + CAST($4 AS BIGINT) + CAST($5 AS BIGINT) RETURNING full_at_us";

/// `$1` now.
pub(super) const SWEEP: &str = "DELETE FROM thumbs_buckets WHERE full_at_us <= CAST($1 AS BIGINT) AND bucket IN \
     (SELECT bucket FROM thumbs_buckets WHERE full_at_us <= CAST($1 AS BIGINT) ORDER BY full_at_us LIMIT 100)";

/// One in so many requests sweeps, by the milliseconds of its moment: buckets go faster than they come.
const SWEEP_ONE_IN: i64 = 32;

/// How far the clocks of replicas may be apart.
const MAX_SKEW_US: i64 = 60_000_000;

impl<S: Sql, D: Dialect> Rates for SqlJobStore<S, D> {
    fn take(&self, bucket: &str, rate: Rate, now: Timestamp) -> Result<Tokens, StoreError> {
        let now_us = now.unix_millis().saturating_mul(1000);
        let parameters = [
            bucket.into(),
            now_us.into(),
            rate.spacing_us().into(),
            rate.span_us().into(),
            MAX_SKEW_US.into(),
        ];
        let taken = self.run(TAKE, &parameters)?;
        if now.unix_millis() % SWEEP_ONE_IN == 0 {
            self.run(SWEEP, &[now_us.into()])?;
        }
        match taken.first().map(Vec::as_slice) {
            Some([SqlValue::Integer(full_at_us)]) => Ok(rate.taken(*full_at_us, now_us)),
            None => Ok(rate.refused()),
            other => Err(StoreError::Corrupt(format!("a bucket holds {other:?}"))),
        }
    }
}
