//! Writing down how an attempt ended.
//!
//! What was made must not be lost to one statement that failed: the store is asked again while the lease lasts. That is
//! harmless, for who no longer holds the lease changes nothing; but "changed nothing" may then mean that an earlier try did it
//! and its answer was lost, which the row tells.

use std::time::Duration;

use thumbs_domain::failure::{Failure, Fault, JobCode};
use thumbs_domain::id::WorkerId;
use thumbs_domain::job::Job;
use thumbs_domain::machine::MAX_TIMED_OUT;
use thumbs_domain::owner::Reach;
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::blobs::BlobError;
use thumbs_guest::imaging::ImagingError;
use thumbs_guest::jobs::StoreError;

use crate::handler::Resize;

/// Before the first further try; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Resize<'_> {
    /// Has the store write down how the attempt at `job` ended, and tells whether the lease still held. `stands` is true of a
    /// row in which it is written.
    ///
    /// # Errors
    /// [`StoreError`] where the lease would end before another try.
    pub(crate) fn write_down(
        &self,
        job: &Job,
        write: impl Fn() -> Result<bool, StoreError>,
        stands: impl Fn(&Job) -> bool,
    ) -> Result<bool, StoreError> {
        let mut tries = 0;
        self.ask_until(job.due_at.unwrap_or(self.clock.now()), || {
            tries += 1;
            let written = write()?;
            if written || tries == 1 {
                return Ok(written);
            }
            Ok(self.store.get(&job.id, Reach::All)?.is_some_and(|row| stands(&row)))
        })
    }

    /// The job that a worker held when it was ended. A database that is away just then may be what ended it, so it is asked for
    /// as long as a lease lasts: what is not written down counts as the image's fault in the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn held_by(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError> {
        let until = self.policy.lease_end(self.clock.now());
        self.ask_until(until, || self.store.find_by_worker(worker))
    }

    /// Asks again while the store is away, after pauses that grow, as long as another try begins before `end`.
    pub(crate) fn ask_until<T>(
        &self,
        end: Timestamp,
        mut ask: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let result = ask();
            let resumed_at =
                self.clock.now().plus_millis(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            if !matches!(result, Err(StoreError::Unavailable(_))) || resumed_at >= end {
                return result;
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// An attempt that came to nothing.
pub(crate) struct FailedAttempt {
    pub(crate) failure: Failure,
    pub(crate) fault: Fault,
    /// For the log alone; empty where the failure says it all.
    pub(crate) cause: String,
}

impl From<JobCode> for FailedAttempt {
    fn from(code: JobCode) -> Self {
        Self { failure: code.into(), fault: code.row().fault, cause: String::new() }
    }
}

impl From<ImagingError> for FailedAttempt {
    fn from(error: ImagingError) -> Self {
        Self { failure: error.failure(), fault: Fault::Permanent, cause: String::new() }
    }
}

impl FailedAttempt {
    /// The image could not be read.
    pub(crate) fn of_reading(error: BlobError) -> Self {
        match error {
            BlobError::NotFound => Self { cause: error.to_string(), ..JobCode::SourceMissing.into() },
            BlobError::TooLarge { .. } => Self { cause: error.to_string(), ..JobCode::SourceTooLarge.into() },
            BlobError::Unavailable(_) => Self::of_storage(&error),
        }
    }

    /// It ended by the clock, as so many before it.
    pub(crate) fn of_time_once_too_often() -> Self {
        let message = format!(
            "None of {MAX_TIMED_OUT} attempts was over in time: the image is too large for how busy the service is, or its storage is slow. \
             Send a smaller or simpler one, or have the job tried again later."
        );
        let failure = Failure::new(JobCode::TimedOut, message);
        Self { failure, fault: Fault::Permanent, cause: String::new() }
    }

    /// The lease ends before the thumbnail could be stored.
    pub(crate) fn of_lease(why: String) -> Self {
        Self {
            cause: format!("the lease could not be extended: {why}"),
            ..JobCode::StorageUnavailable.into()
        }
    }

    /// The storage did not do what it should.
    pub(crate) fn of_storage(error: &BlobError) -> Self {
        Self { cause: error.to_string(), ..JobCode::StorageUnavailable.into() }
    }
}
