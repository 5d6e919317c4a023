//! The rules of the job store as statements. What the rules are: `thumbs_domain::machine`; what the texts are:
//! `statements.rs`.

use std::marker::PhantomData;

use thumbs_domain::cursor::Cursor;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, IdempotencyKey, Job, NewJob, Status, Thumbnail};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::{RetryPolicy, WAKE_AGAIN_AFTER_MS};
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::timestamp::Timestamp;

use super::row;
use super::statements;
use super::{Claim, Created, JobStore, Lease, Page, StoreError};
use crate::recipe::Recipe;
use crate::sql::schema;
use crate::sql::{Dialect, SchemaError, Sql, SqlError, SqlRow, SqlValue};

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

    /// Runs a statement. One that the database does not understand was not done: it is run again once the schema is there,
    /// whoever made it, for another first request may have done so just now.
    pub(super) fn run(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SchemaError> {
        match self.sql.query(statement, parameters) {
            Err(SqlError::Refused(_)) => {
                schema::upgrade::<S, D>(&self.sql)?;
                Ok(self.sql.query(statement, parameters)?)
            }
            result => Ok(result?),
        }
    }

    /// Runs a statement that does nothing under another schema than ours: where it did nothing, that may be why.
    pub(super) fn run_guarded(
        &self,
        statement: &str,
        parameters: &[SqlValue],
    ) -> Result<Vec<SqlRow>, SchemaError> {
        let rows = self.run(statement, parameters)?;
        match rows.is_empty() && schema::upgrade::<S, D>(&self.sql)? {
            true => self.run(statement, parameters),
            false => Ok(rows),
        }
    }

    fn job(&self, statement: &str, parameters: &[SqlValue]) -> Result<Option<Job>, StoreError> {
        self.run(statement, parameters)?.into_iter().next().map(row::job).transpose()
    }

    fn postpone(
        &self,
        statement: &str,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.gives_a_row(
            statement,
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

    /// A new job, which is due then; under a lease where it is held.
    fn insert(
        &self,
        job: &NewJob,
        due_at: Timestamp,
        holder: Option<&WorkerId>,
    ) -> Result<Created, StoreError> {
        let parameters = [
            id(&job.id),
            row::json(&job.options)?.into(),
            row::json(&job.source)?.into(),
            millis(due_at),
            millis(job.created_at),
            job.correlation_id.as_str().into(),
            job.trace_parent.as_ref().map(|trace| trace.as_str()).into(),
            job.idempotency_key.as_ref().map(|key| key_of(key, job.owner.as_ref())).into(),
            row::owner(job.owner.as_ref()).into(),
            holder.map(WorkerId::as_str).into(),
            job.place.as_ref().map(|place| place.batch.to_string()).into(),
            job.place.as_ref().map(|place| i64::from(place.part)).into(),
            job.place.as_ref().and_then(|place| place.file_name.as_ref()).map(|name| name.as_str()).into(),
            job.callback.as_ref().map(|url| url.as_str()).into(),
            schema::known::<D>().into(),
        ];
        // Once more where nothing was created and nothing is in the way: another has just brought the schema up to date, or the
        // job that held the key was deleted in between.
        for _ in 0..2 {
            match self.run_guarded(statements::CREATE, &parameters) {
                Ok(rows) if !rows.is_empty() => return Ok(Created::New),
                Ok(_) => {}
                Err(unknown @ SchemaError::Sql(SqlError::Unknown(_))) => {
                    return if self.get(&job.id, Reach::All)?.is_some() {
                        Ok(Created::New)
                    } else {
                        Err(unknown.into())
                    };
                }
                Err(error) => return Err(error.into()),
            }
            let Some(key) = &job.idempotency_key else { continue };
            match self.find_by_idempotency_key(key, job.owner.as_ref())? {
                Some(existing) if existing.id == job.id => return Ok(Created::New),
                Some(existing) => return Ok(Created::Existing(Box::new(existing))),
                None => {}
            }
        }
        Err(StoreError::Unavailable("the database created no job, and none is in its way".to_owned()))
    }

    fn count(&self, statement: &str, parameters: &[SqlValue]) -> Result<u64, StoreError> {
        match self.run(statement, parameters)?.first().map(Vec::as_slice) {
            // A count that is below zero is one that somebody changed by hand.
            Some([SqlValue::Integer(count)]) => Ok(u64::try_from(*count).unwrap_or(0)),
            other => Err(StoreError::Corrupt(format!("expected a count, got {other:?}"))),
        }
    }

    fn gives_a_row(&self, statement: &str, parameters: &[SqlValue]) -> Result<bool, StoreError> {
        Ok(!self.run(statement, parameters)?.is_empty())
    }
}

/// Draws a lot by the worker's id, which nobody else has: FNV-1a (RFC 9923), not negative.
pub(super) fn lot(worker: &WorkerId) -> i64 {
    let hash = worker.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Its high bits depend on all of the text.
    i64::from((hash >> 33) as u32)
}

pub(super) fn millis(moment: Timestamp) -> SqlValue {
    SqlValue::Integer(moment.unix_millis())
}

pub(super) fn id(id: &JobId) -> SqlValue {
    SqlValue::Text(id.to_string())
}

/// What stands in the column of idempotency keys: before the key of an owner its name and a space, which neither has in it, so that
/// owners don't come upon each other's keys.
pub(super) fn key_of(key: &IdempotencyKey, owner: Option<&Owner>) -> String {
    match owner {
        Some(owner) => format!("{owner} {}", key.as_str()),
        None => key.as_str().to_owned(),
    }
}

impl Page {
    /// The jobs of these rows, and why others can't be read.
    pub(super) fn of(rows: Vec<SqlRow>) -> Self {
        let mut page = Self::default();
        for row in rows {
            match row::job(row) {
                Ok(job) => page.jobs.push(job),
                Err(error) => page.unreadable.push(error),
            }
        }
        page
    }
}

impl<S: Sql, D: Dialect> JobStore for SqlJobStore<S, D> {
    fn migrate(&self) -> Result<(), StoreError> {
        schema::upgrade::<S, D>(&self.sql)?;
        Ok(())
    }

    fn create(&self, job: &NewJob) -> Result<Created, StoreError> {
        self.insert(job, job.due_at(), None)
    }

    fn create_held(
        &self,
        job: &NewJob,
        worker: &WorkerId,
        lease_end: Timestamp,
    ) -> Result<Created, StoreError> {
        self.insert(job, lease_end, Some(worker))
    }

    fn find_made(&self, recipe: &Recipe, owner: Option<&Owner>) -> Result<Option<Job>, StoreError> {
        self.job(statements::FIND_MADE, &[row::owner(owner).into(), recipe.to_string().into()])
    }

    fn get(&self, job: &JobId, reach: Reach<'_>) -> Result<Option<Job>, StoreError> {
        Ok(self.job(statements::GET, &[id(job)])?.filter(|job| reach.covers(job.owner.as_ref())))
    }

    fn find_by_worker(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError> {
        self.job(statements::FIND_BY_WORKER, &[worker.as_str().into()])
    }

    fn find_by_idempotency_key(
        &self,
        key: &IdempotencyKey,
        owner: Option<&Owner>,
    ) -> Result<Option<Job>, StoreError> {
        self.job(statements::FIND_BY_IDEMPOTENCY_KEY, &[key_of(key, owner).into()])
    }

    fn find(&self, ids: &[JobId], reach: Reach<'_>) -> Result<Page, StoreError> {
        if ids.is_empty() {
            return Ok(Page::default());
        }
        let parameters: Vec<_> = ids.iter().map(id).collect();
        let mut page = Page::of(self.run(&statements::find(ids.len()), &parameters)?);
        page.jobs.retain(|job| reach.covers(job.owner.as_ref()));
        Ok(page)
    }

    fn list(&self, query: &ListQuery, reach: Reach<'_>) -> Result<Page, StoreError> {
        // One more than the page holds tells whether there is a next one.
        let limit = SqlValue::Integer(i64::from(query.limit) + 1);
        let status = query.status.map(|status| SqlValue::from(status.name()));
        let after = query.after.map(|cursor| id(&cursor.0));
        let owner = match reach {
            Reach::All => None,
            Reach::Of(owner) => Some(SqlValue::from(row::owner(Some(owner)))),
            Reach::Nothing => return Ok(Page::default()),
        };
        let code = query.code.map(|code| SqlValue::from(code.row().code));
        // A code is of failed jobs alone, so it stands for their status.
        let status = status.filter(|_| code.is_none());
        let statement = match (&owner, &code, &status, &after) {
            (None, Some(_), _, None) => statements::LIST_CODE,
            (None, Some(_), _, Some(_)) => statements::LIST_CODE_AFTER,
            (None, None, None, None) => statements::LIST,
            (None, None, None, Some(_)) => statements::LIST_AFTER,
            (None, None, Some(_), None) => statements::LIST_STATUS,
            (None, None, Some(_), Some(_)) => statements::LIST_STATUS_AFTER,
            (Some(_), Some(_), _, None) => statements::LIST_OWNER_CODE,
            (Some(_), Some(_), _, Some(_)) => statements::LIST_OWNER_CODE_AFTER,
            (Some(_), None, None, None) => statements::LIST_OWNER,
            (Some(_), None, None, Some(_)) => statements::LIST_OWNER_AFTER,
            (Some(_), None, Some(_), None) => statements::LIST_OWNER_STATUS,
            (Some(_), None, Some(_), Some(_)) => statements::LIST_OWNER_STATUS_AFTER,
        };
        let parameters: Vec<_> = [owner, code, status, after, Some(limit)].into_iter().flatten().collect();
        let rows = self.run(statement, &parameters)?;
        let page_len = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > page_len;
        let rows: Vec<_> = rows.into_iter().take(page_len).collect();
        let next = rows.last().and_then(row::id).map(Cursor).filter(|_| has_more);
        Ok(Page { next, ..Page::of(rows) })
    }

    fn claim(&self, worker: &WorkerId, policy: &RetryPolicy, now: Timestamp) -> Result<Claim, StoreError> {
        let lost = Failure::from(JobCode::WorkerLost);
        let claimed = self.run_guarded(
            &statements::claim::<D>(),
            &[
                millis(now),
                i64::from(policy.max_attempts).into(),
                millis(policy.lease_end(now)),
                worker.as_str().into(),
                lost.code.as_ref().into(),
                lost.message.as_ref().into(),
                lot(worker).into(),
                schema::known::<D>().into(),
            ],
        )?;
        let Some(row) = claimed.into_iter().next() else { return Ok(Claim::Nothing) };
        let (job, more_due) = row::claimed(row)?;
        Ok(match job.status {
            Status::Failed => Claim::GivenUp(Box::new(job)),
            Status::Processing | Status::Succeeded => Claim::Leased { job: Box::new(job), more_due },
        })
    }

    fn queued(&self) -> Result<u64, StoreError> {
        self.count(statements::QUEUED, &[])
    }

    fn queued_of(&self, owner: &Owner, at_most: u64) -> Result<u64, StoreError> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.count(statements::QUEUED_OF_OWNER, &[row::owner(Some(owner)).into(), at_most.into()])
    }

    fn has_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.gives_a_row(statements::HAS_DUE, &[millis(now)])
    }

    fn extend(&self, lease: Lease<'_>, lease_end: Timestamp) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::EXTEND,
            &[millis(lease_end), id(lease.job), lease.worker.as_str().into()],
        )
    }

    fn succeed(
        &self,
        lease: Lease<'_>,
        made: &Thumbnail,
        cost: &Cost,
        recipe: &Recipe,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.gives_a_row(
            statements::SUCCEED,
            &[
                row::thumbnail(made)?.into(),
                row::json(cost)?.into(),
                recipe.to_string().into(),
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
        self.postpone(statements::RETRY, lease, failure, due_at, now)
    }

    fn give_back(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.postpone(statements::GIVE_BACK, lease, failure, due_at, now)
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
