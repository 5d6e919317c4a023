//! One message: claim a job, make its thumbnails, store them, finish the job; or record that a worker was ended over one; or, once in a
//! while, sweep.
//!
//! Order: all thumbnails are stored before the row, in one statement, says so. Whatever breaks in between leaves blobs that no row names, and
//! the job is tried again when its lease ends.

use thumbs_domain::event::Event;
use thumbs_domain::failure::JobCode;
use thumbs_domain::history::given_back_for;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, Job, NamedThumbnail, Thumbnail};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::machine::{MAX_TIMED_OUT, Next, RetryPolicy};
use thumbs_domain::message::{EndReason, Message};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_domain::retention::Retention;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::{Clock, millis};
use thumbs_guest::digest::sha256;
use thumbs_guest::imaging::{Encoded, Imaging, Intake, Made, check_format};
use thumbs_guest::jobs::{Claim, Lease, Life, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::recipe::Recipe;
use thumbs_guest::wake::{Tell, Wake};

use crate::ending::FailedAttempt;
use crate::sweep;

/// At most this many jobs that died with their last worker are passed over in one message; the rest is left to the next.
const MAX_GIVEN_UP: u32 = 16;

/// What the component works with, for one message.
pub struct Resize<'a> {
    /// The rows.
    pub store: &'a dyn Life,
    /// The images and the thumbnails.
    pub blobs: &'a dyn Blobs,
    /// The maker of thumbnails.
    pub imaging: &'a dyn Imaging,
    /// The way to other workers.
    pub wake: &'a dyn Wake,
    /// The way to those who wait for a job.
    pub tell: &'a dyn Tell,
    /// The way to those who tell others of its end.
    pub callbacks: &'a dyn Wake,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who works: the id under which this message takes its lease.
    pub worker: &'a WorkerId,
    /// Upper bounds on the image.
    pub limits: UploadLimits,
    /// How often and how long a job is tried.
    pub policy: RetryPolicy,
    /// How long what is done is kept.
    pub retention: Retention,
    /// The log of this message.
    pub log: &'a Log,
}

impl Resize<'_> {
    /// Does what the message asks. A job that fails is no error of this call: it is written down.
    ///
    /// # Errors
    /// [`StoreError`] where not even that could be done; the end of the lease makes it good.
    pub fn handle(&self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::WakeUp => self.work(),
            Message::Ended { worker, reason } => self.record_end(&worker, reason),
            Message::Migrate => {
                self.store.migrate()?;
                // What is kept may be another than before.
                self.store.call_for_sweep(self.clock.now())
            }
            // To be here, it has had its settings read.
            Message::Check => Ok(()),
        }
    }

    fn work(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // Of the replicas that a wake-up reaches one gets the job: the others are to cost the database a read, not a write.
        let latest = self.policy.latest_due(now);
        let mut due = self.store.due(now, latest)?;
        if due.stray {
            self.log.event(Event::ClockWasAhead { jobs: self.store.hasten(now, latest)? });
            due.job = true;
        }
        if due.sweep && self.store.claim_sweep(now, now.plus_millis(sweep::EVERY_MS))? {
            // Before it, or jobs that never end to come would keep everything for ever.
            if due.job {
                self.wake.wake(self.log);
            }
            return self.sweep(now);
        }
        if !due.job {
            return Ok(());
        }
        for _ in 0..MAX_GIVEN_UP {
            match self.claim()? {
                Claim::Nothing => return Ok(()),
                Claim::GivenUp(job) => {
                    let log = self.log_for(&job);
                    log.event(Event::JobGivenUp { attempts: job.attempts });
                    self.tell_of(&job, &log);
                }
                Claim::Leased { mut job, more_due } => {
                    let log = self.log_for(&job);
                    // Before the work, so that others begin while this one is at it. One message at most, so their number stays bounded.
                    if more_due {
                        self.wake.wake(&log);
                    }
                    return self.attempt(&mut job, &log);
                }
            }
        }
        self.wake.wake(self.log);
        Ok(())
    }

    /// Takes a job. Where the answer did not come, it may be this worker's all the same, and would cost the job an attempt.
    fn claim(&self) -> Result<Claim, StoreError> {
        match self.store.claim(self.worker, &self.policy, self.clock.now()) {
            Err(StoreError::Unavailable(cause)) => match self.store.find_by_worker(self.worker) {
                Ok(Some(job)) => Ok(Claim::Leased { job: Box::new(job), more_due: true }),
                _ => Err(StoreError::Unavailable(cause)),
            },
            other => other,
        }
    }

    fn attempt(&self, job: &mut Job, log: &Log) -> Result<(), StoreError> {
        let traceparent = job.trace_parent.as_ref().map(|trace| trace.as_str());
        log.event(Event::JobClaimed { attempt: job.attempts, traceparent });
        let id = job.id;
        let lease = Lease { job: &id, worker: self.worker };
        match self.make(job) {
            Ok((thumbnail, cost)) => {
                let now = self.clock.now();
                let recipe = Recipe::of(&job.source.sha256, &job.options, &self.limits.image)?;
                let in_time = self.write_down(
                    job,
                    || self.store.succeed(lease, &thumbnail, &cost, &recipe, now),
                    |row| row.thumbnail.as_ref() == Some(&thumbnail),
                )?;
                // Where it is too late, another worker has the job; what was made has a name of its own and disturbs nobody.
                log.event(match in_time {
                    true => succeeded(&thumbnail, &cost),
                    false if self.store.get(&id, Reach::All)?.is_none() => {
                        self.remove(&id, &thumbnail, log);
                        Event::JobVanished { attempt: job.attempts }
                    }
                    false => Event::LeaseLost { attempt: job.attempts, code: None, cause: None },
                });
                if in_time {
                    self.tell_of(job, log);
                }
                Ok(())
            }
            Err(failed) => self.record(job, lease, failed, log),
        }
    }

    /// Reads the image, has its thumbnails made, stores them.
    fn make(&self, job: &mut Job) -> Result<(Thumbnail, Cost), FailedAttempt> {
        let started = self.clock.elapsed();
        // It may have been turned off since the upload.
        check_format(job.source.format, self.limits.formats)?;
        let intake = self.take_in(job)?;
        let made = intake.thumbnails(&job.options, job.source.is_animated(), self.clock)?;
        let Made { outputs, peak_memory_bytes, source_pixels, source_frames, decode, finish, encode } = made;
        let mut stored = Vec::with_capacity(outputs.len());
        for encoded in outputs {
            stored.push(self.store(job, encoded)?);
        }
        let thumbnail = thumbnail(job, stored).ok_or(JobCode::InvalidOption)?;
        let cost = Cost {
            decode_ms: millis(decode),
            finish_ms: millis(finish),
            encode_ms: millis(encode),
            total_ms: millis(self.clock.elapsed().saturating_sub(started)),
            peak_memory_bytes,
            pixels: source_pixels,
            frames: source_frames,
        };
        Ok((thumbnail, cost))
    }

    /// One thumbnail, and where there is one, the same as WebP.
    fn store(&self, job: &mut Job, encoded: Encoded) -> Result<Thumbnail, FailedAttempt> {
        let Encoded { data, format, width, height, frames, placeholder, warnings, concessions, webp } =
            encoded;
        let sha256 = sha256(&data);
        self.keep_lease(job)?;
        self.blobs
            .put(&ObjectKey::thumbnail(&job.id, &sha256), format.content_type(), &data)
            .map_err(|error| FailedAttempt::of_storage(&error))?;
        let bytes = data.len() as u64;
        let webp = webp.map(|webp| self.store(job, *webp)).transpose()?.map(Box::new);
        Ok(Thumbnail {
            format,
            bytes,
            width,
            height,
            sha256,
            frames,
            placeholder,
            warnings,
            concessions,
            webp,
            variants: Vec::new(),
        })
    }

    /// Nobody else knows of the thumbnails of a job that was deleted before they were there.
    fn remove(&self, job: &JobId, thumbnail: &Thumbnail, log: &Log) {
        for stored in thumbnail.stored() {
            let key = ObjectKey::thumbnail(job, &stored.sha256);
            if let Err(error) = self.blobs.delete(&key) {
                log.event(Event::BlobOrphaned { key: key.as_str(), cause: &error.to_string() });
            }
        }
    }

    /// Hands the image over to imaging as it is read, so that it is held once.
    fn take_in(&self, job: &Job) -> Result<Box<dyn Intake + '_>, FailedAttempt> {
        let (bytes, max_bytes) = (job.source.bytes, self.limits.max_upload_bytes);
        let key = ObjectKey::upload(&job.id);
        let mut image = self.blobs.read(&key, bytes.min(max_bytes)).map_err(FailedAttempt::of_reading)?;
        let mut intake = self.imaging.intake(Some(bytes.min(max_bytes)), &self.limits.image);
        loop {
            let piece = image.read().map_err(FailedAttempt::of_reading)?;
            if piece.is_empty() {
                return Ok(intake);
            }
            intake.feed(&piece)?;
        }
    }

    /// Most of the lease may be gone where the store or the decoder is slow: storing is to have at least half of one, or another
    /// worker makes the same once more. What can't have that is not begun.
    fn keep_lease(&self, job: &mut Job) -> Result<(), FailedAttempt> {
        let half = i64::from(self.policy.lease_secs) * 500;
        let Some(end) = job.due_at.filter(|end| end.millis_since(self.clock.now()) < half) else {
            return Ok(());
        };
        let lease = Lease { job: &job.id, worker: self.worker };
        let extended = self.ask_until(end, || {
            let end = self.policy.lease_end(self.clock.now());
            Ok(self.store.extend(lease, end)?.then_some(end))
        });
        match extended {
            Ok(Some(end)) => {
                job.due_at = Some(end);
                Ok(())
            }
            Ok(None) => Err(FailedAttempt::of_lease("it is another's by now".to_owned())),
            Err(error) => Err(FailedAttempt::of_lease(error.to_string())),
        }
    }

    fn record_end(&self, worker: &WorkerId, reason: EndReason) -> Result<(), StoreError> {
        // It had no job yet, or none any more.
        let Some(job) = self.held_by(worker)? else { return Ok(()) };
        let lease = Lease { job: &job.id, worker };
        let failed = match reason {
            EndReason::TimedOut if self.is_out_of_time_once_too_often(&job) => {
                FailedAttempt::of_time_once_too_often()
            }
            _ => reason.code().into(),
        };
        self.record(&job, lease, failed, &self.log_for(&job))
    }

    /// Where the store does not say, it is as if it were not.
    fn is_out_of_time_once_too_often(&self, job: &Job) -> bool {
        let history = self.store.history(&job.id, Reach::All).ok().flatten().unwrap_or_default();
        given_back_for(&history, JobCode::TimedOut.row().code) + 1 >= MAX_TIMED_OUT
    }

    fn record(
        &self,
        job: &Job,
        lease: Lease<'_>,
        failed: FailedAttempt,
        log: &Log,
    ) -> Result<(), StoreError> {
        let FailedAttempt { failure, fault, cause } = failed;
        let (code, attempt) = (failure.code.as_ref(), job.attempts);
        let cause = Some(cause.as_str()).filter(|cause| !cause.is_empty());
        let now = self.clock.now();
        let postponed = |due_at| {
            let failure = &failure;
            move |row: &Job| row.failure.as_ref() == Some(failure) && row.due_at == Some(due_at)
        };
        let (in_time, event) = match self.policy.after_failure(job.history(), fault, now) {
            Next::Retry { due_at } => {
                let write = || self.store.retry(lease, &failure, due_at, now);
                let in_time = self.write_down(job, write, postponed(due_at))?;
                (in_time, Event::AttemptFailed { code, attempt, cause })
            }
            Next::GiveBack { due_at } => {
                let write = || self.store.give_back(lease, &failure, due_at, now);
                let in_time = self.write_down(job, write, postponed(due_at))?;
                (in_time, Event::AttemptGivenBack { code, setbacks: job.setbacks.saturating_add(1), cause })
            }
            Next::GiveUp => {
                let write = || self.store.give_up(lease, &failure, now);
                let stands = |row: &Job| row.failure.as_ref() == Some(&failure) && row.due_at.is_none();
                (self.write_down(job, write, stands)?, Event::JobFailed { code, attempt, cause })
            }
        };
        let ended = in_time && matches!(event, Event::JobFailed { .. });
        log.event(if in_time { event } else { Event::LeaseLost { attempt, code: Some(code), cause } });
        if ended {
            self.tell_of(job, log);
        }
        Ok(())
    }

    /// The job has ended.
    fn tell_of(&self, job: &Job, log: &Log) {
        self.tell.ended(&job.id, log);
        if job.callback.is_some() {
            self.callbacks.wake(log);
        }
    }

    fn log_for(&self, job: &Job) -> Log {
        let log = self.log.clone().with_correlation_id(job.correlation_id.as_str());
        log.with_trace(job.trace_parent.clone()).with_job(job.id)
    }
}

/// What a job has made, of what came of each thumbnail that it asks for.
fn thumbnail(job: &Job, mut stored: Vec<Thumbnail>) -> Option<Thumbnail> {
    let variants = &job.options.variants;
    if variants.is_empty() {
        return stored.pop();
    }
    let named = variants.iter().zip(stored);
    let named = named.map(|(variant, thumbnail)| NamedThumbnail { name: variant.name.clone(), thumbnail });
    Thumbnail::of_variants(named.collect())
}

fn succeeded(thumbnail: &Thumbnail, cost: &Cost) -> Event<'static> {
    Event::JobSucceeded {
        bytes: thumbnail.stored_bytes(),
        decode_ms: cost.decode_ms,
        finish_ms: cost.finish_ms,
        encode_ms: cost.encode_ms,
        total_ms: cost.total_ms,
        peak_memory_bytes: cost.peak_memory_bytes,
    }
}
