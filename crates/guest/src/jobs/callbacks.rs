//! Callbacks, by the same kind of claim as jobs: one statement takes the one that has been due longest, and who settles it must hold it.
//!
//! Nothing here makes one due: a trigger does, in the statement that ends the job (`sql/migrations`).

use thumbs_domain::callback::Settlement;
use thumbs_domain::id::WorkerId;
use thumbs_domain::job::Job;
use thumbs_domain::timestamp::Timestamp;

use super::statements::columns;
use super::store::{SqlJobStore, id, millis};
use super::{JobStore, Lease, StoreError, row};
use crate::sql::schema::{self, may_work};
use crate::sql::{Dialect, Sql};

/// A callback that is the caller's until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedCallback {
    /// Its job; the callback's `attempts` counts this attempt.
    pub job: Box<Job>,
    /// Another is due as well, or was a moment ago.
    pub more_due: bool,
}

/// Callbacks that are due.
pub trait Callbacks: JobStore {
    /// Whether one is due.
    ///
    /// # Errors
    /// [`StoreError`].
    fn has_due_callback(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Takes the one that has been due longest, if any is, and gives it to `worker` until `lease_end`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn claim_callback(
        &self,
        worker: &WorkerId,
        lease_end: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ClaimedCallback>, StoreError>;

    /// Writes down how an attempt went. False where it was no longer the caller's: nothing is changed then.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settle_callback(&self, lease: Lease<'_>, settlement: &Settlement) -> Result<bool, StoreError>;
}

pub(super) const HAS_DUE: &str =
    "SELECT 1 FROM thumbs_jobs WHERE callback_due_at_ms <= CAST($1 AS BIGINT) LIMIT 1";

/// `$1` lease end, `$2` worker, `$3` now, `$4` newest known schema. Whether more is due is asked as a claim of jobs asks it.
pub(super) fn claim<D: Dialect>() -> String {
    const CHOICE: &str = "UPDATE thumbs_jobs SET callback_attempts = callback_attempts + 1, callback_due_at_ms = CAST($1 AS BIGINT), \
         callback_token = CAST($2 AS TEXT) WHERE id = (SELECT id FROM thumbs_jobs \
         WHERE callback_due_at_ms <= CAST($3 AS BIGINT) ORDER BY callback_due_at_ms LIMIT 1";
    const REST: &str = concat!(
        ") AND ",
        may_work!("$4"),
        " RETURNING ",
        columns!(),
        ", CASE WHEN EXISTS (SELECT 1 FROM thumbs_jobs other WHERE other.callback_due_at_ms <= CAST($3 AS BIGINT) ",
        "AND other.id <> thumbs_jobs.id) THEN 1 ELSE 0 END"
    );
    [CHOICE, D::PASS_OVER_LOCKED, REST].concat()
}

pub(super) const SETTLE: &str = "UPDATE thumbs_jobs SET callback_state = CAST($1 AS TEXT), callback_due_at_ms = CAST($2 AS BIGINT), \
     callback_status = CAST($3 AS BIGINT), callback_error = CAST($4 AS TEXT), callback_delivered_at_ms = CAST($5 AS BIGINT), \
     callback_token = NULL WHERE id = $6 AND callback_token = $7 RETURNING id";

impl<S: Sql, D: Dialect> Callbacks for SqlJobStore<S, D> {
    fn has_due_callback(&self, now: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.run(HAS_DUE, &[millis(now)])?.is_empty())
    }

    fn claim_callback(
        &self,
        worker: &WorkerId,
        lease_end: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ClaimedCallback>, StoreError> {
        let parameters =
            [millis(lease_end), worker.as_str().into(), millis(now), schema::known::<D>().into()];
        let claimed = self.run_guarded(&claim::<D>(), &parameters)?.into_iter().next();
        let claimed = claimed.map(row::claimed).transpose()?;
        Ok(claimed.map(|(job, more_due)| ClaimedCallback { job: Box::new(job), more_due }))
    }

    fn settle_callback(&self, lease: Lease<'_>, settlement: &Settlement) -> Result<bool, StoreError> {
        let Settlement { state, due_at, status, fault, delivered_at } = settlement;
        let parameters = [
            state.name().into(),
            due_at.map(Timestamp::unix_millis).into(),
            status.map(i64::from).into(),
            fault.map(|fault| fault.name()).into(),
            delivered_at.map(Timestamp::unix_millis).into(),
            id(lease.job),
            lease.worker.as_str().into(),
        ];
        Ok(!self.run(SETTLE, &parameters)?.is_empty())
    }
}
