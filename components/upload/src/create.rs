//! `POST /jobs`: from an upload to a job that is due.
//!
//! The order of the writes is blob, row, wake-up: whatever breaks in between leaves at most a blob that no row names, never a
//! job without its image. The image goes to the blob store while it comes in; everything that can be the client's fault is found
//! before its blob is finished, and of one that is not nothing is left.

use http::HeaderName;
use thumbs_domain::batch::Place;
use thumbs_domain::callback::CallbackUrl;
use thumbs_domain::digest::Digest;
use thumbs_domain::event::Event;
use thumbs_domain::job::{IdempotencyKey, Job, NewJob, Source};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::options::{CALLBACK, Draft, Options};
use thumbs_domain::problem::ProblemKind;
use thumbs_guest::blobs::Written;
use thumbs_guest::config;
use thumbs_guest::http::{Body, Failed, Request, Response};
use thumbs_guest::intake::{self, Sink};
use thumbs_guest::jobs::Created;
use thumbs_guest::wait::Wait;
use thumbs_guest::wake::{Wake, wake_for_overdue};

use crate::Upload;
use crate::answer::Accepted;
use crate::arrival::Arrival;
use crate::original::source;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a job is to be, beside its image and its options.
pub(crate) struct Intent<'a> {
    /// What makes a repetition find it.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Of which batch it is.
    pub(crate) place: Option<Place>,
    /// How the workers hear of it.
    pub(crate) wake: &'a dyn Wake,
}

impl Upload<'_> {
    pub(crate) async fn create(&self, request: &Request, body: Body) -> Result<Response, Failed> {
        let limits = config::limits(self.variables)?;
        // Not for this component: with a policy that makes no sense nobody would work on the job.
        config::policy(self.variables)?;
        let (idempotency_key, wait) = (idempotency_key(request)?, Wait::of(request)?);
        // Who waits for the job does not wait for the end of the answer.
        let wake = if wait.is_asked() { self.wake_now } else { self.wake };
        let intent = Intent { idempotency_key, place: None, wake };
        let accepted = match source(request)? {
            Some(id) => self.accept_original(request, body, &limits, intent, id).await?,
            None => {
                let receive =
                    async |image: &mut dyn Sink| intake::receive(request, body, &limits, image).await;
                self.accept(request, &limits, intent, receive).await?
            }
        };
        self.answer(request, accepted, wait)
    }

    /// Takes one image in, which `receive` hands on with the options that count for it.
    pub(crate) async fn accept(
        &self,
        request: &Request,
        limits: &UploadLimits,
        intent: Intent<'_>,
        receive: impl AsyncFnOnce(&mut dyn Sink) -> Result<Draft, Failed>,
    ) -> Result<Accepted, Failed> {
        let Intent { idempotency_key, place, wake } = intent;
        // A repetition stores no image again: its digest is all that is asked for.
        let existing = match &idempotency_key {
            Some(key) => self.store.find_by_idempotency_key(key, request.caller.owner())?,
            None => None,
        };
        if existing.is_none() {
            self.has_room(request)?;
        }
        let id = self.ids.job_id(self.clock.now()).map_err(|error| Failed::Internal(error.to_string()))?;
        let key = existing.is_none().then(|| ObjectKey::upload(&id));
        let mut arrival = Arrival::new(self.blobs, self.imaging, key, limits);
        let options = receive(&mut arrival).await?;
        let callback = self.callback(&options)?;
        let (info, arrived) = arrival.end()?;
        let options = options.finish(info.frames);
        self.imaging.check(&info, &options, &limits.image).map_err(|error| error.problem())?;
        let Written { bytes, sha256 } = arrived.store()?;
        if let Some(existing) = existing {
            return self.repeated(existing, &sha256, &options, callback.as_ref());
        }
        let (width, height, frames) = (info.width, info.height, info.frames);
        let created_at = self.clock.now();
        let job = NewJob {
            id,
            created_at,
            options,
            source: Source { sha256, format: info.format, bytes, width, height, frames },
            correlation_id: request.correlation_id.clone(),
            trace_parent: request.trace_parent(),
            idempotency_key,
            owner: request.caller.owner().cloned(),
            place,
            callback,
        };
        self.create_job(request, job, limits, wake)
    }

    /// Of an image that is stored.
    fn create_job(
        &self,
        request: &Request,
        job: NewJob,
        limits: &UploadLimits,
        wake: &dyn Wake,
    ) -> Result<Accepted, Failed> {
        let log = self.log.clone().with_job(job.id);
        let reused = self.reuse(request, &job, &limits.image, &log);
        // An error here leaves the blobs: the row may have been written all the same, and a job needs its image.
        let (created, stored) = match &reused {
            Some(reused) => self.create_reusing(&job, reused, &log)?,
            None => (self.store.create(&job)?, job.clone().stored()),
        };
        if let Created::Existing(existing) = created {
            // Another request with the same key was faster, between our look and our write.
            let copies = reused.map(|reused| reused.keys(&job.id)).unwrap_or_default();
            for key in std::iter::once(ObjectKey::upload(&job.id)).chain(copies) {
                if let Err(error) = self.blobs.delete(&key) {
                    log.event(Event::BlobOrphaned { key: key.as_str(), cause: &error.to_string() });
                }
            }
            return self.repeated(*existing, &job.source.sha256, &job.options, job.callback.as_ref());
        }
        if reused.is_none() {
            wake.wake(&log);
        } else if job.callback.is_some() {
            self.callbacks.wake(&log);
        }
        log.event(Event::JobCreated {
            content_type: job.source.format.content_type(),
            bytes: job.source.bytes,
            width: job.source.width,
            height: job.source.height,
            frames: job.source.frames,
            traceparent: job.trace_parent.as_ref().map(|trace| trace.as_str()),
        });
        Ok(Accepted { job: stored, is_repetition: false })
    }

    /// Who is told of the job's end, if the operator lets anybody be told there.
    pub(crate) fn callback(&self, options: &Draft) -> Result<Option<CallbackUrl>, Failed> {
        let Some(url) = options.callback() else { return Ok(None) };
        if config::callback_hosts(self.variables)?.allow(url) {
            return Ok(Some(url.clone()));
        }
        let detail = format!(
            "The option \"{}\" takes no address there: the variable callback_hosts of this service does not name its scheme, host and port.",
            CALLBACK.name
        );
        Err(Failed::problem(ProblemKind::InvalidOption, detail))
    }

    pub(crate) fn repeated(
        &self,
        existing: Job,
        image: &Digest,
        options: &Options,
        callback: Option<&CallbackUrl>,
    ) -> Result<Accepted, Failed> {
        if !existing.is_of(image, options, callback) {
            return Err(Failed::problem(
                ProblemKind::IdempotencyKeyReused,
                "Another image or other options were sent under this Idempotency-Key. Choose a new key for a new request.",
            ));
        }
        self.log.clone().with_job(existing.id).event(Event::JobRepeated);
        wake_for_overdue([&existing], self.store, self.wake, self.clock.now(), self.log);
        Ok(Accepted { job: existing, is_repetition: true })
    }
}

pub(crate) fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>, Failed> {
    let mut values = request.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let only = Some(value).filter(|_| values.next().is_none());
    let key = only.and_then(|value| value.to_str().ok()).and_then(IdempotencyKey::parse);
    let detail =
        "An Idempotency-Key is 1 to 255 visible ASCII characters, sent once. Send a UUID, for example.";
    key.map(Some).ok_or_else(|| Failed::problem(ProblemKind::InvalidIdempotencyKey, detail))
}
