//! Giving out a thumbnail, as long as caches may keep it.

use std::time::Duration;

use http::header::{CACHE_CONTROL, ETAG, VARY};
use http::{HeaderValue, Method};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, Thumbnail};
use thumbs_domain::options;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::{Caller, Failed, Request, Response, etag, park, picture, range};
use thumbs_guest::jobs::JobStore;
use thumbs_guest::log::Log;
use thumbs_guest::wait::{Wait, Waited, Waiter};
use thumbs_guest::wake::Wake;

/// A thumbnail never changes under its id, but its job can be deleted: so a day, and no promise of eternity.
const KEEP_SECS: i64 = 86_400;

/// What one key was given, a browser must not show to who has another.
const BY_KEY: HeaderValue = HeaderValue::from_static("Authorization, X-Api-Key");

/// Under one address, who takes WebP gets that, and others something else.
const BY_FORMAT: HeaderValue = HeaderValue::from_static("Accept");

/// What the component works with, for one request.
pub struct Download<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
    /// The thumbnails.
    pub blobs: &'a dyn Blobs,
    /// The way to the workers, for a client that is not to wait for it.
    pub wake: &'a dyn Wake,
    /// The same, for one that waits for the job.
    pub wake_now: &'a dyn Wake,
    /// How long the host has kept the request; none where it can't, and this instance has to wait by itself.
    pub parked: Option<Duration>,
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
        let mut segments = route::segments(&request.path).skip(1);
        let (id, name) = match route::find(&request.path) {
            Some(&route::VARIANT) => (segments.next().unwrap_or_default(), segments.next()),
            _ => (request.last_segment(), None),
        };
        let id = JobId::parse(id).map_err(|_| not_found())?;
        let wait = Wait::of(request)?;
        no_options(request)?;
        let Self { store, wake, wake_now, clock, log, .. } = *self;
        let waiter = Waiter { store, wake, wake_now, parked: self.parked, clock, log };
        let Waited { job, left } = waiter.read(&id, request.caller.reach(), wait)?.ok_or_else(not_found)?;
        if !left.is_zero() {
            // Nobody sees it but the host, which keeps the request.
            let mut response = Response::new(Vec::new());
            park::ask_again(&mut response, &id.to_string(), left)?;
            return Ok(response);
        }
        let thumbnail = named(&job, name)?;
        let is_chosen = thumbnail.webp.is_some();
        let thumbnail = picture::choose(request, thumbnail);
        let etag = picture::etag(thumbnail)?;
        let given = self.give(request, &id, name, thumbnail, &etag);
        let mut response = given.unwrap_or_else(|failed| {
            let is_of_these_bytes = matches!(failed, Failed::Range { .. });
            let mut response = failed.into_response(&request.correlation_id, self.log);
            if is_of_these_bytes {
                response.headers_mut().insert(ETAG, etag);
            }
            response
        });
        // Also that a part is not there, or all of it, holds for those alone who are given the same.
        if is_chosen {
            response.headers_mut().append(VARY, BY_FORMAT);
        }
        wait.say(&mut response);
        Ok(response)
    }

    /// The bytes, or a part, or that the client has them.
    fn give(
        &self,
        request: &Request,
        id: &JobId,
        name: Option<&str>,
        thumbnail: &Thumbnail,
        etag: &HeaderValue,
    ) -> Result<Response, Failed> {
        let mut response = if etag::is_known(&request.headers, etag) {
            // With the headers of the full answer that a cache would update (RFC 9110, section 15.4.5).
            let mut response = etag::not_modified();
            response.headers_mut().insert(ETAG, etag.clone());
            response
        } else if request.method == Method::HEAD {
            picture::response(id, name, thumbnail, Vec::new())?
        } else {
            let bytes = usize::try_from(thumbnail.bytes).unwrap_or(usize::MAX);
            let range = range::asked(&request.headers, etag, bytes)?;
            let data = picture::read(self.blobs, id, thumbnail, self.log)?;
            let whole = picture::response(id, name, thumbnail, data)?;
            match range {
                Some(range) => range::cut(whole, range)?,
                None => whole,
            }
        };
        range::offer(response.headers_mut());
        self.keep(&mut response, &request.caller);
        Ok(response)
    }

    /// Says who may keep the bytes for how long.
    fn keep(&self, response: &mut Response, caller: &Caller) {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, caller.keep(KEEP_SECS, self.clock.now()));
        if matches!(caller, Caller::Holder(_)) {
            headers.append(VARY, BY_KEY);
        }
    }
}

/// A link is handed around, and on its way a page, a cache or a network puts something behind it (`v=2`, `fbclid=`), which means nothing here.
/// Who names an option means it, and would take the thumbnail for what was asked.
fn no_options(request: &Request) -> Result<(), Failed> {
    match request.query_pairs().iter().find(|(name, _)| options::is_option(name)) {
        Some((name, _)) => {
            let detail = format!(
                "A thumbnail is as its job asked for it: \"{name}\" is an option of POST /jobs. Take it out of the address."
            );
            Err(Failed::problem(ProblemKind::InvalidOption, detail))
        }
        None => Ok(()),
    }
}

/// What the job made under this name, or where none is asked for, its thumbnail, which is the first of all.
fn named<'a>(job: &'a Job, name: Option<&str>) -> Result<&'a Thumbnail, Failed> {
    let Some(name) = name else { return picture::made(job) };
    if !job.options.variants.iter().any(|variant| variant.name.as_str() == name) {
        return Err(Failed::problem(ProblemKind::NotFound, "The job has no thumbnail of this name."));
    }
    picture::made(job)?.variant(name).ok_or_else(|| {
        let detail = "The job was done by an older version of the service, which makes one thumbnail only. Upload the image again.";
        Failed::problem(ProblemKind::ThumbnailGone, detail)
    })
}
