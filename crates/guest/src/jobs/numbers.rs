//! What was counted of jobs, for `/metrics`. Two statements, each bounded whatever the number of jobs: the tallies are a row for each state
//! and code, which triggers keep (`sql/migrations`), and the queue is looked at by the indexes of open and of leased jobs, so far and no
//! further.

use thumbs_domain::metric::{MAX_QUEUE_COUNT, Queue, TURNAROUND_BOUNDS_MS, Tally, WORK_BOUNDS_MS};
use thumbs_domain::timestamp::Timestamp;

use super::store::SqlJobStore;
use super::{JobStore, Page, StoreError, statements};
use crate::sql::{Dialect, Sql, SqlRow, SqlValue};

/// What can be counted of a job store.
pub trait Numbers: JobStore {
    /// A tally for each state and code that a job ever had.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tallies(&self) -> Result<Vec<Tally>, StoreError>;

    /// Who waits for what at this moment.
    ///
    /// # Errors
    /// [`StoreError`].
    fn queue(&self, now: Timestamp) -> Result<Queue, StoreError>;

    /// Open jobs, those that have been due longest first; under a lease a job is due when that ends.
    ///
    /// # Errors
    /// [`StoreError`].
    fn longest_due(&self, limit: u32) -> Result<Page, StoreError>;
}

/// Counters before and between the buckets, in the order in which [`tally`] reads them.
const COUNTERS: [&str; 9] = [
    "jobs",
    "entered",
    "attempts",
    "source_bytes",
    "thumbnail_bytes",
    "source_bytes_gone",
    "thumbnail_bytes_gone",
    "cached",
    "turnaround_ms",
];

/// SUM is NUMERIC in PostgreSQL.
fn tallies() -> String {
    let turnaround = TURNAROUND_BOUNDS_MS.iter().map(|bound| format!("turnaround_le_{bound}"));
    let work = WORK_BOUNDS_MS.iter().map(|bound| format!("work_le_{bound}"));
    let columns =
        COUNTERS.map(str::to_owned).into_iter().chain(turnaround).chain(["work_ms".to_owned()]).chain(work);
    let sums: Vec<_> = columns.map(|column| format!("CAST(SUM({column}) AS BIGINT)")).collect();
    format!(
        "SELECT status, code, {} FROM thumbs_tallies GROUP BY status, code ORDER BY status, code",
        sums.join(", ")
    )
}

/// `$1` now, `$2` how far to count. The sign keeps the first from the index of what is due, of which leased jobs may be a small part.
/// New jobs are due before they were made (`NewJob::due_at`), which nobody has waited.
pub(super) const QUEUE: &str = "SELECT \
     (SELECT COALESCE(SUM(1), 0) FROM (SELECT 1 FROM thumbs_jobs WHERE lease_token IS NOT NULL AND +due_at_ms > CAST($1 AS BIGINT) \
     LIMIT CAST($2 AS BIGINT)) leased), \
     (SELECT COALESCE(SUM(1), 0) FROM (SELECT 1 FROM thumbs_jobs WHERE due_at_ms > CAST($1 AS BIGINT) LIMIT CAST($2 AS BIGINT)) later), \
     (SELECT CASE WHEN due_at_ms < created_at_ms THEN created_at_ms ELSE due_at_ms END FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) ORDER BY due_at_ms LIMIT 1), \
     (SELECT callback_due_at_ms FROM thumbs_jobs WHERE callback_due_at_ms <= CAST($1 AS BIGINT) ORDER BY callback_due_at_ms LIMIT 1)";

impl<S: Sql, D: Dialect> Numbers for SqlJobStore<S, D> {
    fn tallies(&self) -> Result<Vec<Tally>, StoreError> {
        self.run(&tallies(), &[])?.into_iter().map(tally).collect()
    }

    fn queue(&self, now: Timestamp) -> Result<Queue, StoreError> {
        let parameters = [SqlValue::Integer(now.unix_millis()), SqlValue::Integer(MAX_QUEUE_COUNT)];
        let row = self.run(QUEUE, &parameters)?.into_iter().next();
        let Some([SqlValue::Integer(leased), SqlValue::Integer(later), job, callback]) = row.as_deref()
        else {
            return Err(StoreError::Corrupt("the numbers of the queue".to_owned()));
        };
        let age_ms = |since: &SqlValue| match since {
            // Whose clock is ahead has made jobs that nobody has waited for yet.
            SqlValue::Integer(since_ms) => Some(now.unix_millis().saturating_sub(*since_ms).max(0)),
            _ => None,
        };
        let (oldest_due_ms, oldest_callback_ms) = (age_ms(job), age_ms(callback));
        Ok(Queue { leased: *leased, later: *later, oldest_due_ms, oldest_callback_ms })
    }

    fn longest_due(&self, limit: u32) -> Result<Page, StoreError> {
        Ok(Page::of(self.run(statements::LONGEST_DUE, &[i64::from(limit).into()])?))
    }
}

fn tally(row: SqlRow) -> Result<Tally, StoreError> {
    let corrupt = || StoreError::Corrupt("a row of thumbs_tallies".to_owned());
    let mut values = row.into_iter();
    let (Some(SqlValue::Text(status)), Some(SqlValue::Text(code))) = (values.next(), values.next()) else {
        return Err(corrupt());
    };
    let integer = |value| match value {
        SqlValue::Integer(integer) => Ok(integer),
        _ => Err(corrupt()),
    };
    let numbers = values.map(integer).collect::<Result<Vec<i64>, _>>()?;
    let (counters, rest) = numbers.split_first_chunk::<9>().ok_or_else(corrupt)?;
    let (turnaround_le, rest) = rest.split_first_chunk().ok_or_else(corrupt)?;
    let (work_ms, rest) = rest.split_first().ok_or_else(corrupt)?;
    let work_le = rest.first_chunk().ok_or_else(corrupt)?;
    let [jobs, entered, attempts, source_bytes, thumbnail_bytes, gone @ .., turnaround_ms] = *counters;
    let [source_bytes_gone, thumbnail_bytes_gone, cached] = gone;
    Ok(Tally {
        status,
        code,
        jobs,
        entered,
        attempts,
        source_bytes,
        thumbnail_bytes,
        source_bytes_gone,
        thumbnail_bytes_gone,
        cached,
        turnaround_ms,
        turnaround_le: *turnaround_le,
        work_ms: *work_ms,
        work_le: *work_le,
    })
}
