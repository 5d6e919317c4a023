//! The job store: the rows that are the queue.
//!
//! [`JobStore`] is what components use. [`SqlJobStore`] is the one implementation of its rules, over the two small seams of
//! [`crate::sql`]: one runs a statement (a host interface, or in tests a driver), the other holds the few texts that SQLite and
//! PostgreSQL do not share.
//!
//! Invariants, which the contract kit (`contract/`) checks against both:
//! - each transition of a job is one statement, so it needs no transaction and no session, and holds no connection meanwhile;
//! - whoever finishes or fails a job must hold its lease: a worker that comes too late changes nothing;
//! - nothing is run again unless it is certain that it was not done;
//! - owners take turns: what one has waiting does not make another wait for all of it;
//! - claim and first page take the same time with a thousand rows and with a million.

mod batches;
mod callbacks;
#[cfg(feature = "contract")]
pub mod contract;
mod life;
mod numbers;
mod open;
mod rates;
mod row;
mod statements;
mod store;

pub use batches::{Batch, Batches};
pub use callbacks::{Callbacks, ClaimedCallback};
pub use life::{Due, Garbage, Holder, Life, Revived, Search};
pub use numbers::Numbers;
pub use open::{Whole, open, open_life, open_numbers, open_rates, open_whole};
pub use rates::Rates;
pub use store::SqlJobStore;

use crate::recipe::Recipe;
use crate::sql::SchemaError;
use thiserror::Error;
use thumbs_domain::cursor::Cursor;
use thumbs_domain::failure::Failure;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, IdempotencyKey, Job, NewJob, Thumbnail};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::timestamp::Timestamp;

/// Why the store could not do what was asked. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It can't be reached or answers with a fault. Trying again may help.
    #[error("the job store is unavailable: {0}")]
    Unavailable(String),
    /// A newer version of the service has been here; this one must not write what it might not understand.
    #[error(
        "the job store has schema {found}, and this version, which knows {known}, may not work with it: run the newer version"
    )]
    SchemaTooNew {
        /// The schema's version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A row does not hold what it should.
    #[error("the job store holds a row that can't be read: {0}")]
    Corrupt(String),
}

impl From<SchemaError> for StoreError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Sql(error) => Self::Unavailable(error.to_string()),
            SchemaError::TooNew { found, known } => Self::SchemaTooNew { found, known },
            SchemaError::Nonsense(what) => Self::Corrupt(what),
        }
    }
}

/// What became of a job that was to be created.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is there and due.
    New,
    /// Its idempotency key belongs to this job, which is another, and nothing was created.
    Existing(Box<Job>),
}

/// What a claim got.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// A job is this worker's until its lease ends.
    Leased {
        /// The job; `attempts` counts this attempt.
        job: Box<Job>,
        /// Another job is due as well, or was a moment ago.
        more_due: bool,
    },
    /// The job's last worker never came back and no attempt is left: the claim has failed it. There may be others due.
    GivenUp(Box<Job>),
    /// No job is due.
    Nothing,
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// At most as many as asked for.
    pub jobs: Vec<Job>,
    /// Why other rows of the page are not among them: each is [`StoreError::Corrupt`]. A newer version may have written what this
    /// one does not know, and that must not hide the rest.
    pub unreadable: Vec<StoreError>,
    /// Where older jobs follow, if any do.
    pub next: Option<Cursor>,
}

/// The rows that are the queue. The clocks of all workers must agree to a few seconds: a clock that is off makes a lease
/// longer or shorter, and the guard of the lease keeps that harmless.
///
/// Every function may give [`StoreError`]; after an error a write may have happened or not.
pub trait JobStore {
    /// Brings the database to the schema that this version knows. Whatever is asked first does so by itself; at start it is
    /// done before a client waits for it.
    fn migrate(&self) -> Result<(), StoreError>;

    /// Adds a job that is due at once, for workers whose clocks are behind as well
    /// ([`thumbs_domain::job::MAX_CLOCK_LAG_MS`]). The idempotency key of the row, being unique, is the only truth about
    /// repetitions. Where it is not known whether the row was written, it is read.
    fn create(&self, job: &NewJob) -> Result<Created, StoreError>;

    /// The same, and `worker` has the job until `lease_end`: it is nobody else's to make. It counts as no attempt.
    fn create_held(
        &self,
        job: &NewJob,
        worker: &WorkerId,
        lease_end: Timestamp,
    ) -> Result<Created, StoreError>;

    /// The newest job of this owner that succeeded by this recipe.
    fn find_made(&self, recipe: &Recipe, owner: Option<&Owner>) -> Result<Option<Job>, StoreError>;

    /// The job with this id, where it is within reach.
    fn get(&self, id: &JobId, reach: Reach<'_>) -> Result<Option<Job>, StoreError>;

    /// The job that this worker holds.
    fn find_by_worker(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError>;

    /// The job that a request of this owner with this key made: what others call theirs does not matter.
    fn find_by_idempotency_key(
        &self,
        key: &IdempotencyKey,
        owner: Option<&Owner>,
    ) -> Result<Option<Job>, StoreError>;

    /// These jobs, in any order, as far as there are such within reach.
    fn find(&self, ids: &[JobId], reach: Reach<'_>) -> Result<Page, StoreError>;

    /// One page of the jobs within reach.
    fn list(&self, query: &ListQuery, reach: Reach<'_>) -> Result<Page, StoreError>;

    /// Takes a job that is due, if any, and gives it to `worker`: of the owner whose turn it is, the one that has been due longest.
    /// Of many callers at the same time each gets another job.
    fn claim(&self, worker: &WorkerId, policy: &RetryPolicy, now: Timestamp) -> Result<Claim, StoreError>;

    /// How many jobs are open: waiting, or being made.
    fn queued(&self) -> Result<u64, StoreError>;

    /// How many of this owner are, so far and no further.
    fn queued_of(&self, owner: &Owner, at_most: u64) -> Result<u64, StoreError>;

    /// Whether any job is due.
    fn has_due(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// The caller has the job until `lease_end`. False where the lease was no longer its own: nothing is changed then.
    fn extend(&self, lease: Lease<'_>, lease_end: Timestamp) -> Result<bool, StoreError>;

    /// The job succeeded, by this recipe. False where the lease was no longer the caller's: nothing is changed then.
    fn succeed(
        &self,
        lease: Lease<'_>,
        made: &Thumbnail,
        cost: &Cost,
        recipe: &Recipe,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The attempt failed, and the job is due again at `due_at`. False as for [`JobStore::succeed`].
    fn retry(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// As [`JobStore::retry`], for an attempt that the service itself failed: it is no longer among the job's attempts.
    fn give_back(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The job failed for good. False as for [`JobStore::succeed`].
    fn give_up(&self, lease: Lease<'_>, failure: &Failure, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes that a read woke the workers for the job. False where another read just did: this one need not.
    fn note_wake_up(&self, id: &JobId, now: Timestamp) -> Result<bool, StoreError>;
}

/// A worker's proof that the job is its own.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    /// The job.
    pub job: &'a JobId,
    /// Who claimed it.
    pub worker: &'a WorkerId,
}
