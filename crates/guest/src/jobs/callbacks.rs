//! Callbacks, by the same kind of claim as jobs: one statement takes one, and who settles it must hold it.
//!
//! Which one it is, is chosen before from what is due and what is under way, for no receiver may have all places
//! ([`thumbs_domain::callback::turn`]). Of several who choose the same one takes it, and the others choose again.
//!
//! Nothing here makes one due: a trigger does, in the statement that ends the job (`sql/migrations`).

use std::collections::BTreeMap;

use thumbs_domain::callback::{LEASE_MS, LOOKED_AT, PLACES, Receiver, Settlement, Turn, UNDER_WAY_MS, turn};
use thumbs_domain::id::WorkerId;
use thumbs_domain::job::Job;
use thumbs_domain::timestamp::Timestamp;

use super::statements::columns;
use super::store::{SqlJobStore, id, lot, millis};
use super::{JobStore, Lease, StoreError, row};
use crate::sql::schema::{self, may_work};
use crate::sql::{Dialect, Sql, SqlValue};

/// A callback that is the caller's until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedCallback {
    /// Its job; the callback's `attempts` counts this attempt.
    pub job: Box<Job>,
    /// Another may be sent at the same time, or might have been a moment ago.
    pub more_due: bool,
}

/// Callbacks that are due.
pub trait Callbacks: JobStore {
    /// Whether one is due.
    ///
    /// # Errors
    /// [`StoreError`].
    fn has_due_callback(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Takes the one whose turn it is, if any is due whose receiver may have another attempt, and gives it to `worker` until `lease_end`,
    /// which is [`LEASE_MS`] from now.
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

/// What a choice is made from, with when it is due: those due longest and those due last, and what is under way, which says so by a 1. `$1` now,
/// `$2` how many of each; a lease that ends between `$3` and `$4` is of an attempt that is under way, and `$5` is how many of these are read.
pub(super) const OPEN: &str = "SELECT id, callback_url, callback_due_at_ms, 0 FROM (SELECT id, callback_url, callback_due_at_ms FROM thumbs_jobs \
     WHERE callback_due_at_ms <= CAST($1 AS BIGINT) ORDER BY callback_due_at_ms LIMIT CAST($2 AS BIGINT)) longest \
     UNION ALL SELECT id, callback_url, callback_due_at_ms, 0 FROM (SELECT id, callback_url, callback_due_at_ms FROM thumbs_jobs \
     WHERE callback_due_at_ms <= CAST($1 AS BIGINT) ORDER BY callback_due_at_ms DESC LIMIT CAST($2 AS BIGINT)) latest \
     UNION ALL SELECT id, callback_url, callback_due_at_ms, 1 FROM (SELECT id, callback_url, callback_due_at_ms FROM thumbs_jobs \
     WHERE callback_due_at_ms > CAST($3 AS BIGINT) AND callback_due_at_ms <= CAST($4 AS BIGINT) AND callback_token IS NOT NULL \
     ORDER BY callback_due_at_ms LIMIT CAST($5 AS BIGINT)) held";

/// `$1` lease end, `$2` worker, `$3` the job, `$4` now, `$5` newest known schema.
pub(super) const CLAIM: &str = concat!(
    "UPDATE thumbs_jobs SET callback_attempts = callback_attempts + 1, callback_due_at_ms = CAST($1 AS BIGINT), ",
    "callback_token = CAST($2 AS TEXT) WHERE id = CAST($3 AS TEXT) AND callback_due_at_ms <= CAST($4 AS BIGINT) AND ",
    may_work!("$5"),
    " RETURNING ",
    columns!(),
);

/// How often one chooses again where another was faster. Whoever was has woken one more, if there is more to do.
const CHOICES: u64 = 4;

/// Of the attempts that are under way so many are read: those of forty processes.
const UNDER_WAY_READ: usize = 40 * PLACES;

pub(super) const SETTLE: &str = "UPDATE thumbs_jobs SET callback_state = CAST($1 AS TEXT), callback_due_at_ms = CAST($2 AS BIGINT), \
     callback_status = CAST($3 AS BIGINT), callback_error = CAST($4 AS TEXT), callback_delivered_at_ms = CAST($5 AS BIGINT), \
     callback_token = NULL WHERE id = $6 AND callback_token = $7 RETURNING id";

impl<S: Sql, D: Dialect> SqlJobStore<S, D> {
    fn callback_turn(
        &self,
        worker: &WorkerId,
        choice: u64,
        now: Timestamp,
    ) -> Result<Option<Turn>, StoreError> {
        let parameters = [
            millis(now),
            i64::from(LOOKED_AT).into(),
            millis(now.plus_millis(LEASE_MS - UNDER_WAY_MS)),
            // Clocks of processes differ by a little.
            millis(now.plus_millis(LEASE_MS + UNDER_WAY_MS)),
            i64::try_from(UNDER_WAY_READ).unwrap_or(i64::MAX).into(),
        ];
        let mut due = BTreeMap::new();
        let mut under_way = Vec::new();
        for row in self.run(OPEN, &parameters)? {
            let (Some(job), [_, url, SqlValue::Integer(due_at), SqlValue::Integer(is_under_way)]) =
                (row::id(&row), &row[..])
            else {
                return Err(StoreError::Corrupt("a callback that is open".to_owned()));
            };
            let receiver = Receiver::of(if let SqlValue::Text(url) = url { url } else { "" });
            match is_under_way {
                // The two ends of a short queue are the same.
                0 => {
                    due.insert((*due_at, job), receiver);
                }
                _ => under_way.push(receiver),
            }
        }
        let due: Vec<_> = due.into_iter().map(|((_, job), receiver)| (job, receiver)).collect();
        Ok(turn(&due, &under_way, lot(worker).unsigned_abs().wrapping_add(choice)))
    }
}

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
        for choice in 0..CHOICES {
            let Some(Turn { job, more_due }) = self.callback_turn(worker, choice, now)? else {
                return Ok(None);
            };
            let parameters = [
                millis(lease_end),
                worker.as_str().into(),
                id(&job),
                millis(now),
                schema::known::<D>().into(),
            ];
            if let Some(row) = self.run_guarded(CLAIM, &parameters)?.into_iter().next() {
                return Ok(Some(ClaimedCallback { job: Box::new(row::job(row)?), more_due }));
            }
        }
        Ok(None)
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
