//! A job's life beyond the making of its thumbnail: somebody has it tried again, or it goes, itself or its original.
//!
//! No blob is deleted here. What a row no longer names is noted in the same statement, by triggers (`sql/migrations`): a note stays until its
//! blob is gone ([`crate::garbage`]), so a crash in between leaves garbage that is known, and never a row that names no blob.

use thumbs_domain::digest::Digest;
use thumbs_domain::history::{self, Entry};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, MAX_CLOCK_LAG_MS, Status};
use thumbs_domain::object_key::{Kind, Listed, ObjectKey};
use thumbs_domain::owner::Reach;
use thumbs_domain::timestamp::Timestamp;

use super::row;
use super::statements;
use super::store::{SqlJobStore, id, millis};
use super::{JobStore, StoreError};
use crate::sql::schema;
use crate::sql::{Dialect, Sql, SqlRow, SqlValue};

/// What became of the wish to have a job tried again.
#[derive(Clone, Debug, PartialEq)]
pub enum Revived {
    /// It is due, as if it had just come.
    Due(Box<Job>),
    /// It did not fail, so there is nothing to try again.
    NotFailed(Status),
    /// It failed, and its original is kept no longer.
    OriginalGone,
    /// There is no such job.
    Unknown,
}

/// A blob that no row names any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Garbage {
    /// The job that it was of.
    pub job: JobId,
    /// The content of the thumbnail; none where the blob is the original.
    pub thumbnail: Option<Digest>,
}

impl Garbage {
    /// Where it is.
    pub fn key(&self) -> ObjectKey {
        match &self.thumbnail {
            Some(content) => ObjectKey::thumbnail(&self.job, content),
            None => ObjectKey::upload(&self.job),
        }
    }

    /// As its note has it.
    fn content(&self) -> String {
        self.thumbnail.map(|content| content.to_string()).unwrap_or_default()
    }
}

/// A job that has blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which one, as the row has it.
    pub job: String,
    /// What the row says of the thumbnail, where the job has its last one.
    thumbnail: Option<String>,
    /// It failed, and can't be tried again.
    has_none: bool,
}

impl Holder {
    /// Whether it has no thumbnail, and never will.
    pub fn has_none(&self) -> bool {
        self.has_none
    }

    /// Whether the blob may be this job's, now or later.
    pub fn may_have(&self, blob: &Listed) -> bool {
        match (&self.thumbnail, &blob.content) {
            (Some(thumbnail), Some(content)) => thumbnail.contains(content.as_str()),
            // A job that is tried again makes another thumbnail, or the same.
            _ => blob.content.is_none() || !self.has_none,
        }
    }
}

/// A search that goes on where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// For blobs of this kind that no job has.
    Orphans(Kind),
    /// The same one: not where it is, but since when it is held up there by what can't be deleted; the beginning of time where it is not.
    Held(Kind),
    /// Through the notes of blobs that no row names any more, past those that can't be deleted.
    Garbage,
}

impl Search {
    fn name(self) -> &'static str {
        match self {
            Self::Orphans(kind) => kind.folder(),
            Self::Held(Kind::Upload) => "uploads-held",
            Self::Held(Kind::Thumbnail) => "thumbnails-held",
            Self::Garbage => "garbage",
        }
    }
}

/// Who may look at what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// A job waits for a worker.
    pub job: bool,
    /// It is time to look for what is kept no longer.
    pub sweep: bool,
    /// A job is due later than it can be meant.
    pub stray: bool,
}

/// Jobs that are tried again, and jobs that go. Every function may give [`StoreError`]. A job out of reach is none.
pub trait Life: JobStore {
    /// What a worker that was woken finds. No job is due later than `latest`, unless a clock was wrong.
    fn due(&self, now: Timestamp, latest: Timestamp) -> Result<Due, StoreError>;

    /// Makes such jobs due now, a thousand at most. Gives how many.
    fn hasten(&self, now: Timestamp, latest: Timestamp) -> Result<u32, StoreError>;

    /// How the last attempts at a job went, oldest first; none where there is no such job.
    fn history(&self, job: &JobId, reach: Reach<'_>) -> Result<Option<Vec<Entry>>, StoreError>;

    /// Makes a failed job due again with all its attempts before it, if its original is still there. Its age counts from now.
    fn revive(&self, job: &JobId, reach: Reach<'_>, now: Timestamp) -> Result<Revived, StoreError>;

    /// Deletes the row, wherever the job stands. False where there was none. A worker that holds the job has no lease any more.
    fn delete(&self, job: &JobId, reach: Reach<'_>) -> Result<bool, StoreError>;

    /// At most `limit` blobs of jobs that went and that were made at this moment or later, oldest first.
    fn garbage(&self, from: Timestamp, limit: u32) -> Result<Vec<Garbage>, StoreError>;

    /// These are no longer there.
    fn forget(&self, garbage: &[Garbage]) -> Result<(), StoreError>;

    /// Takes it upon the caller to look for what is kept no longer, and puts it off to `next` for all others. False where another was faster.
    fn claim_sweep(&self, now: Timestamp, next: Timestamp) -> Result<bool, StoreError>;

    /// More is left than one sweep takes: the next is due now.
    fn call_for_sweep(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Up to which moment somebody has looked, by when the jobs were made; none where nobody ever did.
    fn looked(&self, search: Search) -> Result<Option<Timestamp>, StoreError>;

    /// Somebody has looked up to this moment.
    fn look(&self, search: Search, up_to: Timestamp) -> Result<(), StoreError>;

    /// What those of these jobs that are there, at most a few hundred, say of their blobs.
    fn holders(&self, jobs: &[JobId]) -> Result<Vec<Holder>, StoreError>;

    /// Deletes the rows of at most `limit` jobs of each state that came before this moment and are done. Gives how many went.
    fn expire_jobs(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Gives up the originals of at most `limit` jobs that were done by `done_by`. Gives how many went.
    fn expire_originals(&self, done_by: Timestamp, now: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

impl<S: Sql, D: Dialect> SqlJobStore<S, D> {
    /// Whether a caller of this reach may know of the job. Whose a job is never changes, so it is still so a statement later.
    fn is_within(&self, job: &JobId, reach: Reach<'_>) -> Result<bool, StoreError> {
        match reach {
            Reach::All => Ok(true),
            _ => Ok(self.get(job, reach)?.is_some()),
        }
    }
}

impl<S: Sql, D: Dialect> Life for SqlJobStore<S, D> {
    fn due(&self, now: Timestamp, latest: Timestamp) -> Result<Due, StoreError> {
        match self.run(statements::DUE, &[millis(now), millis(latest)])?.first().map(Vec::as_slice) {
            Some([SqlValue::Integer(job), SqlValue::Integer(sweep), SqlValue::Integer(stray)]) => {
                Ok(Due { job: *job != 0, sweep: *sweep != 0, stray: *stray != 0 })
            }
            _ => Err(StoreError::Corrupt("what is due".to_owned())),
        }
    }

    fn hasten(&self, now: Timestamp, latest: Timestamp) -> Result<u32, StoreError> {
        // As a new job is: due now, they would wait behind all that come in a minute.
        let due_at = now.plus_millis(-MAX_CLOCK_LAG_MS);
        let hastened = self.run(statements::HASTEN, &[millis(due_at), millis(latest)])?.len();
        Ok(u32::try_from(hastened).unwrap_or(u32::MAX))
    }

    fn history(&self, job: &JobId, reach: Reach<'_>) -> Result<Option<Vec<Entry>>, StoreError> {
        if !self.is_within(job, reach)? {
            return Ok(None);
        }
        let Some(row) = self.run(statements::HISTORY, &[id(job)])?.into_iter().next() else {
            return Ok(None);
        };
        let (ended, began) = match row.as_slice() {
            [SqlValue::Text(text), began] => (history::read(text), began),
            [SqlValue::Null, began] => (Vec::new(), began),
            _ => return Err(StoreError::Corrupt("column history".to_owned())),
        };
        let running = match began {
            SqlValue::Integer(began) => Some(Entry::running(Timestamp::from_unix_millis(*began))),
            _ => None,
        };
        Ok(Some(ended.into_iter().chain(running).collect()))
    }

    fn revive(&self, job: &JobId, reach: Reach<'_>, now: Timestamp) -> Result<Revived, StoreError> {
        if !self.is_within(job, reach)? {
            return Ok(Revived::Unknown);
        }
        let due_at = now.plus_millis(-MAX_CLOCK_LAG_MS);
        let parameters = [millis(due_at), millis(now), id(job), schema::known::<D>().into()];
        let revived = self.run_guarded(statements::REVIVE, &parameters)?.into_iter().next();
        if let Some(row) = revived {
            return Ok(Revived::Due(Box::new(row::job(row)?)));
        }
        Ok(match self.get(job, reach)?.map(|job| job.status) {
            Some(Status::Failed) => Revived::OriginalGone,
            Some(other) => Revived::NotFailed(other),
            None => Revived::Unknown,
        })
    }

    fn delete(&self, job: &JobId, reach: Reach<'_>) -> Result<bool, StoreError> {
        if !self.is_within(job, reach)? {
            return Ok(false);
        }
        let parameters = [id(job), schema::known::<D>().into()];
        Ok(!self.run_guarded(statements::DELETE, &parameters)?.is_empty())
    }

    fn garbage(&self, from: Timestamp, limit: u32) -> Result<Vec<Garbage>, StoreError> {
        let parameters = [JobId::lowest_text_at(from).into(), i64::from(limit).into()];
        Ok(self.run(statements::GARBAGE, &parameters)?.iter().filter_map(garbage).collect())
    }

    fn forget(&self, garbage: &[Garbage]) -> Result<(), StoreError> {
        if garbage.is_empty() {
            return Ok(());
        }
        let parameters: Vec<_> =
            garbage.iter().flat_map(|note| [id(&note.job), note.content().into()]).collect();
        self.run(&statements::forget(garbage.len()), &parameters)?;
        Ok(())
    }

    fn claim_sweep(&self, now: Timestamp, next: Timestamp) -> Result<bool, StoreError> {
        let parameters = [millis(next), millis(now), schema::known::<D>().into()];
        Ok(!self.run_guarded(statements::CLAIM_SWEEP, &parameters)?.is_empty())
    }

    fn call_for_sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.run(statements::CALL_FOR_SWEEP, &[millis(now)])?;
        Ok(())
    }

    fn looked(&self, search: Search) -> Result<Option<Timestamp>, StoreError> {
        match self.run(statements::LOOKED, &[search.name().into()])?.first().map(Vec::as_slice) {
            None => Ok(None),
            Some([SqlValue::Integer(up_to)]) => Ok(Some(Timestamp::from_unix_millis(*up_to))),
            Some(_) => Err(StoreError::Corrupt("a moment of a sweep".to_owned())),
        }
    }

    fn look(&self, search: Search, up_to: Timestamp) -> Result<(), StoreError> {
        self.run(statements::LOOK, &[search.name().into(), millis(up_to)])?;
        Ok(())
    }

    fn holders(&self, jobs: &[JobId]) -> Result<Vec<Holder>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let parameters: Vec<_> = jobs.iter().map(id).collect();
        let rows = self.run(&statements::holders(jobs.len()), &parameters)?;
        rows.into_iter().map(holder).collect()
    }

    fn expire_jobs(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let mut gone = 0;
        for status in [Status::Succeeded, Status::Failed] {
            let parameters = [
                status.name().into(),
                JobId::lowest_text_at(before).into(),
                i64::from(limit).into(),
                schema::known::<D>().into(),
            ];
            gone += self.run(&statements::expire_jobs::<D>(), &parameters)?.len();
        }
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }

    fn expire_originals(&self, done_by: Timestamp, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let parameters = [millis(done_by), i64::from(limit).into(), millis(now), schema::known::<D>().into()];
        let gone = self.run(&statements::expire_originals::<D>(), &parameters)?.len();
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

fn holder(row: SqlRow) -> Result<Holder, StoreError> {
    let Ok([SqlValue::Text(job), SqlValue::Text(status), thumbnail, gone]) = <[SqlValue; 4]>::try_from(row)
    else {
        return Err(StoreError::Corrupt("a job and its blobs".to_owned()));
    };
    let has_none = status == Status::Failed.name() && gone != SqlValue::Null;
    let thumbnail = match thumbnail {
        SqlValue::Text(thumbnail) if status == Status::Succeeded.name() => Some(thumbnail),
        _ => None,
    };
    Ok(Holder { job, thumbnail, has_none })
}

/// None where the note makes no sense to this version, which leaves it to others.
fn garbage(row: &SqlRow) -> Option<Garbage> {
    let [SqlValue::Text(job), SqlValue::Text(content)] = row.as_slice() else { return None };
    let thumbnail = match content.as_str() {
        "" => None,
        content => Some(Digest::parse(content).ok()?),
    };
    Some(Garbage { job: JobId::parse(job).ok()?, thumbnail })
}
