//! The rules of the job store as statements. What the rules are: `thumbs_domain::machine`; what the texts are:
//! `statements.rs` and the dialects.

use std::marker::PhantomData;

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, IdempotencyKey, Job, NewJob, Status, Thumbnail};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::{RetryPolicy, WAKE_AGAIN_AFTER_MS};
use thumbs_domain::timestamp::Timestamp;

use super::dialect::Dialect;
use super::row;
use super::schema;
use super::sql::{Sql, SqlError, SqlRow, SqlValue};
use super::statements;
use super::{Claim, Created, JobStore, Lease, Page, StoreError};

/// A job store in any database that speaks one of the dialects.
#[derive(Debug)]
pub struct SqlJobStore<S, D> {
    sql: S,
    dialect: PhantomData<D>,
}

impl<S: Sql, D: Dialect> SqlJobStore<S, D> {
    /// Nothing is asked of the database before the first call of [`JobStore`].
    pub fn new(sql: S) -> Self {
        Self { sql, dialect: PhantomData }
    }

    /// Runs a statement; where it is refused, sees to it that the schema is there and runs it again, whoever created the
    /// schema: another first request may have done so just now. Every statement of the store may be run again.
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, StoreError> {
        match self.sql.query(statement, parameters) {
            Ok(rows) => Ok(rows),
            Err(SqlError::Refused(_)) => {
                schema::upgrade::<S, D>(&self.sql)?;
                self.sql.query(statement, parameters).map_err(schema::unavailable)
            }
            Err(unreachable) => Err(schema::unavailable(unreachable)),
        }
    }

    fn job(&self, statement: &str, parameters: &[SqlValue]) -> Result<Option<Job>, StoreError> {
        self.query(statement, parameters)?.into_iter().next().map(row::job).transpose()
    }

    fn gives_a_row(&self, statement: &str, parameters: &[SqlValue]) -> Result<bool, StoreError> {
        Ok(!self.query(statement, parameters)?.is_empty())
    }
}

fn millis(moment: Timestamp) -> SqlValue {
    SqlValue::Integer(moment.unix_millis())
}

fn id(id: &JobId) -> SqlValue {
    SqlValue::Text(id.to_string())
}

impl<S: Sql, D: Dialect> JobStore for SqlJobStore<S, D> {
    fn create(&self, job: &NewJob) -> Result<Created, StoreError> {
        let key = job.idempotency.as_ref().map(|idempotency| idempotency.key.as_str());
        let created = self.gives_a_row(
            statements::CREATE,
            &[
                id(&job.id),
                row::json(&job.options)?.into(),
                row::json(&job.source)?.into(),
                millis(job.created_at),
                job.correlation_id.as_str().into(),
                job.trace_parent.as_ref().map(|trace| trace.as_str()).into(),
                key.into(),
                job.idempotency.as_ref().map(|idempotency| idempotency.fingerprint.to_string()).into(),
                schema::known::<D>().into(),
            ],
        )?;
        if created {
            return Ok(Created::New);
        }
        schema::version::<S, D>(&self.sql)?;
        let existing = match &job.idempotency {
            Some(idempotency) => self.find_by_idempotency_key(&idempotency.key)?,
            None => None,
        };
        // Neither created nor there: the job that held the key was deleted in between.
        let vanished = || StoreError::Unavailable("the job with this idempotency key vanished".to_owned());
        existing.map(|job| Created::Existing(Box::new(job))).ok_or_else(vanished)
    }

    fn get(&self, job: &JobId) -> Result<Option<Job>, StoreError> {
        self.job(statements::GET, &[id(job)])
    }

    fn find_by_worker(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError> {
        self.job(statements::FIND_BY_WORKER, &[worker.as_str().into()])
    }

    fn find_by_idempotency_key(&self, key: &IdempotencyKey) -> Result<Option<Job>, StoreError> {
        self.job(statements::FIND_BY_IDEMPOTENCY_KEY, &[key.as_str().into()])
    }

    fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        // One more than the page holds tells whether there is a next one.
        let limit = SqlValue::Integer(i64::from(query.limit) + 1);
        let status = query.status.map(|status| SqlValue::from(status.name()));
        let after = query.after.map(|cursor| id(&cursor.0));
        let rows = match (status, after) {
            (None, None) => self.query(statements::LIST, &[limit]),
            (None, Some(after)) => self.query(statements::LIST_AFTER, &[after, limit]),
            (Some(status), None) => self.query(statements::LIST_STATUS, &[status, limit]),
            (Some(status), Some(after)) => self.query(statements::LIST_STATUS_AFTER, &[status, after, limit]),
        }?;
        let mut jobs = rows.into_iter().map(row::job).collect::<Result<Vec<_>, _>>()?;
        let page_len = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let has_more = jobs.len() > page_len;
        jobs.truncate(page_len);
        Ok(Page { jobs, has_more })
    }

    fn claim(&self, worker: &WorkerId, policy: &RetryPolicy, now: Timestamp) -> Result<Claim, StoreError> {
        let lost = Failure::from(JobCode::WorkerLost);
        let claimed = self.job(
            D::CLAIM,
            &[
                millis(now),
                i64::from(policy.max_attempts).into(),
                millis(policy.lease_end(now)),
                worker.as_str().into(),
                lost.code.as_ref().into(),
                lost.message.as_ref().into(),
                schema::known::<D>().into(),
            ],
        )?;
        match claimed {
            Some(job) if job.status == Status::Failed => Ok(Claim::GivenUp(Box::new(job))),
            Some(job) => Ok(Claim::Leased(Box::new(job))),
            None => {
                schema::version::<S, D>(&self.sql)?;
                Ok(Claim::Nothing)
            }
        }
    }

    fn has_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.gives_a_row(statements::HAS_DUE, &[millis(now)])
    }

    fn succeed(
        &self,
        lease: Lease<'_>,
        made: &Thumbnail,
        cost: &Cost,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::SUCCEED,
            &[
                row::json(made)?.into(),
                row::json(cost)?.into(),
                millis(now),
                id(lease.job),
                lease.worker.as_str().into(),
            ],
        )
    }

    fn retry(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::RETRY,
            &[
                failure.code.as_ref().into(),
                failure.message.as_ref().into(),
                millis(due_at),
                millis(now),
                id(lease.job),
                lease.worker.as_str().into(),
            ],
        )
    }

    fn give_up(&self, lease: Lease<'_>, failure: &Failure, now: Timestamp) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::GIVE_UP,
            &[
                failure.code.as_ref().into(),
                failure.message.as_ref().into(),
                millis(now),
                id(lease.job),
                lease.worker.as_str().into(),
            ],
        )
    }

    fn note_wake_up(&self, job: &JobId, now: Timestamp) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::NOTE_WAKE_UP,
            &[millis(now), id(job), millis(now.plus_millis(-WAKE_AGAIN_AFTER_MS))],
        )
    }
}
