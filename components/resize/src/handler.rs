//! One message: claim a job, make its thumbnail, store it, finish the job; or record that a worker died over one.
//!
//! Order: the thumbnail is stored before the row says so. Whatever breaks in between leaves a blob that no row names, and the
//! job is tried again when its lease ends.

use thumbs_domain::event::Event;
use thumbs_domain::failure::{Failure, Fault};
use thumbs_domain::id::{JobId, LeaseToken};
use thumbs_domain::job::{Cost, Job, Thumbnail};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::machine::{Next, Policy};
use thumbs_domain::message::{EndReason, Message};
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::blobs::{BlobError, Blobs};
use thumbs_guest::clock::{Clock, millis};
use thumbs_guest::digest::sha256;
use thumbs_guest::ids::Ids;
use thumbs_guest::imaging::{Imaging, Made};
use thumbs_guest::jobs::{Claim, JobStore, Lease, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::wake::Wake;

/// So many jobs that died with their last worker are passed over in one message before the rest is left to the next.
const MAX_GIVEN_UP: u32 = 16;

/// What the component works with, for one message.
pub struct Resize<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
    /// The images and the thumbnails.
    pub blobs: &'a dyn Blobs,
    /// The maker of thumbnails.
    pub imaging: &'a dyn Imaging,
    /// The way to other workers.
    pub wake: &'a dyn Wake,
    /// Time.
    pub clock: &'a dyn Clock,
    /// New ids.
    pub ids: &'a dyn Ids,
    /// Upper bounds on the image.
    pub limits: UploadLimits,
    /// How often and how long a job is tried.
    pub policy: Policy,
    /// The log of this message.
    pub log: &'a Log,
}

/// An attempt that came to nothing.
struct Fallen {
    failure: Failure,
    fault: Fault,
    /// For the log alone; empty where the failure says it all.
    cause: String,
}

impl Resize<'_> {
    /// Does what the message asks. A job that fails is no error of this call: it is written down.
    ///
    /// # Errors
    /// [`StoreError`] where not even that could be done; the end of the lease makes it good.
    pub fn handle(&self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::WakeUp => self.work(),
            Message::WorkerEnded { job, token, reason } => self.record_end(&job, &token, reason),
        }
    }

    fn work(&self) -> Result<(), StoreError> {
        for _ in 0..MAX_GIVEN_UP {
            let token = self.ids.lease_token();
            match self.store.claim(&token, &self.policy, self.clock.now())? {
                Claim::Nothing => return Ok(()),
                Claim::GivenUp(job) => self.log_for(&job).event(Event::JobGivenUp { attempts: job.attempts }),
                Claim::Leased(job) => return self.attempt(&job, &token),
            }
        }
        self.wake.wake(self.log);
        Ok(())
    }

    fn attempt(&self, job: &Job, token: &LeaseToken) -> Result<(), StoreError> {
        let log = self.log_for(job);
        // The runtime reads this line: should it have to end this instance, it knows by it which attempt failed.
        log.event(Event::JobClaimed { attempt: job.attempts, lease_token: token.as_str() });
        // Before the work, so that others begin while this one is at it. One message at most, so their number stays bounded.
        if self.store.has_due(self.clock.now())? {
            self.wake.wake(&log);
        }
        let lease = Lease { job: &job.id, token };
        match self.make(job) {
            Ok((thumbnail, cost)) => {
                let in_time = self.store.succeed(lease, &thumbnail, &cost, self.clock.now())?;
                // Where it is too late, another worker has the job; what was made has a name of its own and disturbs nobody.
                log.event(match in_time {
                    true => succeeded(&thumbnail, &cost),
                    false => Event::LeaseLost { attempt: job.attempts, code: None, cause: None },
                });
                Ok(())
            }
            Err(fallen) => self.record(lease, job.attempts, fallen, &log),
        }
    }

    /// Reads the image, has its thumbnail made, stores it.
    fn make(&self, job: &Job) -> Result<(Thumbnail, Cost), Fallen> {
        let started = self.clock.elapsed();
        let image =
            self.blobs.get(&ObjectKey::upload(&job.id), self.limits.max_upload_bytes).map_err(source)?;
        let made = self.imaging.thumbnail(&image, &job.options, &self.limits.image, self.clock).map_err(
            |error| Fallen { failure: error.failure(), fault: Fault::Permanent, cause: String::new() },
        )?;
        let Made { data, format, width, height, frames, placeholder, warnings, concessions, .. } = made;
        let sha256 = sha256(&data);
        self.blobs
            .put(&ObjectKey::thumbnail(&job.id, &sha256), format.content_type(), &data)
            .map_err(|error| storage(&error))?;
        let bytes = data.len() as u64;
        let cost = Cost {
            decode_ms: millis(made.decode),
            finish_ms: millis(made.finish),
            encode_ms: millis(made.encode),
            total_ms: millis(self.clock.elapsed().saturating_sub(started)),
            peak_memory_bytes: made.peak_memory_bytes,
            pixels: made.source_pixels,
            frames: made.source_frames,
        };
        let thumbnail =
            Thumbnail { format, bytes, width, height, sha256, frames, placeholder, warnings, concessions };
        Ok((thumbnail, cost))
    }

    fn record_end(&self, job: &JobId, token: &LeaseToken, reason: EndReason) -> Result<(), StoreError> {
        let Some(job) = self.store.get(job)? else { return Ok(()) };
        let fallen = Fallen { failure: reason.failure(), fault: reason.fault(), cause: String::new() };
        self.record(Lease { job: &job.id, token }, job.attempts, fallen, &self.log_for(&job))
    }

    fn record(&self, lease: Lease<'_>, attempt: u32, fallen: Fallen, log: &Log) -> Result<(), StoreError> {
        let now = self.clock.now();
        let code = fallen.failure.code.as_ref();
        let cause = Some(fallen.cause.as_str()).filter(|cause| !cause.is_empty());
        let (in_time, event) = match self.policy.after_failure(attempt, fallen.fault, now) {
            Next::Retry { due_at } => (
                self.store.retry(lease, &fallen.failure, due_at, now)?,
                Event::AttemptFailed { code, attempt, cause },
            ),
            Next::GiveUp => {
                (self.store.give_up(lease, &fallen.failure, now)?, Event::JobFailed { code, attempt, cause })
            }
        };
        log.event(if in_time { event } else { Event::LeaseLost { attempt, code: Some(code), cause } });
        Ok(())
    }

    fn log_for(&self, job: &Job) -> Log {
        self.log.clone().with_correlation_id(job.correlation_id.as_str()).with_job(job.id)
    }
}

fn succeeded(thumbnail: &Thumbnail, cost: &Cost) -> Event<'static> {
    Event::JobSucceeded {
        bytes: thumbnail.bytes,
        decode_ms: cost.decode_ms,
        finish_ms: cost.finish_ms,
        encode_ms: cost.encode_ms,
        total_ms: cost.total_ms,
        peak_memory_bytes: cost.peak_memory_bytes,
    }
}

/// The image could not be read.
fn source(error: BlobError) -> Fallen {
    match error {
        BlobError::NotFound => {
            Fallen { failure: Failure::source_missing(), fault: Fault::Permanent, cause: String::new() }
        }
        // It was smaller when it came in: somebody has lowered the bound since.
        BlobError::TooLarge { .. } => Fallen {
            failure: Failure::new(
                "source-too-large",
                "The image has more bytes than are allowed now. Send a smaller one.",
            ),
            fault: Fault::Permanent,
            cause: error.to_string(),
        },
        BlobError::Unavailable(_) => storage(&error),
    }
}

/// The storage did not do what it should.
fn storage(error: &BlobError) -> Fallen {
    Fallen { failure: Failure::storage_unavailable(), fault: Fault::Transient, cause: error.to_string() }
}
