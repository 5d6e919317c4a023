//! Giving out a thumbnail, with the headers that keep a browser from taking it for anything else.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderValue, Method};
use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, Status, Thumbnail};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::blobs::{BlobError, Blobs};
use thumbs_guest::clock::Clock;
use thumbs_guest::http::{Caller, Failed, Request, Response, etag};
use thumbs_guest::jobs::JobStore;
use thumbs_guest::log::Log;
use thumbs_guest::wake::{Wake, wake_for_overdue};

/// A thumbnail never changes under its id, but its job can be deleted: so a day, and no promise of eternity.
const KEEP_SECS: i64 = 86_400;

/// What one key was given, a browser must not show to who has another.
const BY_KEY: HeaderValue = HeaderValue::from_static("Authorization, X-Api-Key");

/// An image needs nothing, so nothing is what it may load, run or frame.
const NOTHING_ALLOWED: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// What the component works with, for one request.
pub struct Download<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
    /// The thumbnails.
    pub blobs: &'a dyn Blobs,
    /// The way to the workers.
    pub wake: &'a dyn Wake,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The log of this request.
    pub log: &'a Log,
}

impl Download<'_> {
    /// Answers one request. HEAD is answered from the row alone.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub fn handle(&self, request: &Request) -> Result<Response, Failed> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Failed::Method(route::THUMBNAIL.allow));
        }
        let not_found = || Failed::problem(ProblemKind::NotFound, "There is no job with this id.");
        let id = JobId::parse(request.last_segment()).map_err(|_| not_found())?;
        let job = self.store.get(&id, request.caller.reach())?.ok_or_else(not_found)?;
        wake_for_overdue([&job], self.store, self.wake, self.clock.now(), self.log);
        let thumbnail = finished(&job)?;
        let etag = header(&format!("\"{}\"", thumbnail.sha256))?;
        if etag::is_known(&request.headers, &etag) {
            let mut response = etag::not_modified();
            self.keep(&mut response, &request.caller, etag);
            return Ok(response);
        }
        let data = match request.method {
            Method::HEAD => Vec::new(),
            _ => self.read(&job, thumbnail)?,
        };
        let mut response = Response::new(data);
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(thumbnail.bytes));
        let name = format!("inline; filename=\"thumbnail-{id}.{}\"", thumbnail.format.extension());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(thumbnail.format.content_type()));
        headers.insert(CONTENT_DISPOSITION, header(&name)?);
        headers.insert(CONTENT_SECURITY_POLICY, NOTHING_ALLOWED);
        self.keep(&mut response, &request.caller, etag);
        Ok(response)
    }

    /// Says who may keep the bytes for how long: the headers that the full answer and that without a body have alike, as a cache would
    /// update them (RFC 9110, section 15.4.5).
    fn keep(&self, response: &mut Response, caller: &Caller, etag: HeaderValue) {
        let kept = caller.keep(KEEP_SECS, self.clock.now());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, kept);
        headers.insert(ETAG, etag);
        if matches!(caller, Caller::Holder(_)) {
            headers.append(VARY, BY_KEY);
        }
    }

    fn read(&self, job: &Job, thumbnail: &Thumbnail) -> Result<Vec<u8>, Failed> {
        let key = ObjectKey::thumbnail(&job.id, &thumbnail.sha256);
        self.blobs.get(&key, thumbnail.bytes).map_err(|error| match error {
            BlobError::NotFound => {
                self.log.clone().with_job(job.id).event(Event::ThumbnailGone { key: key.as_str() });
                let detail = "The thumbnail is no longer stored. Upload the image again.";
                Failed::problem(ProblemKind::ThumbnailGone, detail)
            }
            other => other.into(),
        })
    }
}

fn finished(job: &Job) -> Result<&Thumbnail, Failed> {
    match (job.status, &job.thumbnail) {
        (Status::Succeeded, Some(thumbnail)) => Ok(thumbnail),
        (Status::Succeeded, None) => Err(Failed::Internal("a succeeded job has no thumbnail".to_owned())),
        (Status::Processing, _) => {
            let detail =
                "The thumbnail is still being made. Ask again shortly, or wait with the job's \"wait\".";
            Err(Failed::problem(ProblemKind::NotReady, detail))
        }
        (Status::Failed, _) => {
            let reason = job.failure.as_ref().map_or("", |failure| failure.message.as_ref());
            Err(Failed::problem(
                ProblemKind::JobFailed,
                format!("There is no thumbnail: the job failed. {reason}"),
            ))
        }
    }
}

fn header(text: &str) -> Result<HeaderValue, Failed> {
    HeaderValue::from_str(text).map_err(|error| Failed::Internal(error.to_string()))
}
