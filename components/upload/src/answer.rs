//! What `POST /jobs` is answered with: the job as it was taken in, or where the client waits, the job once it is done, or the thumbnail itself.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_LOCATION, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use thumbs_domain::format::OutputFormat;
use thumbs_domain::job::{Job, Status};
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::view::{job_href, thumbnail_href};
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response, park, picture};
use thumbs_guest::wait::{Memo, Wait, Waiter};

use crate::Upload;

/// Tells a repetition from the first request.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A job that a request made, or came upon again.
pub(crate) struct Accepted {
    /// As it stands.
    pub(crate) job: Job,
    /// Another request had made it.
    pub(crate) is_repetition: bool,
}

impl Upload<'_> {
    /// 200 where the job is done, 202 where it is not: what a client gets who waited in vain is what one gets who does not wait.
    pub(crate) fn answer(
        &self,
        request: &Request,
        accepted: Accepted,
        wait: Wait,
    ) -> Result<Response, Failed> {
        if !wait.is_asked() {
            return self.show(request, accepted, wait);
        }
        self.wait(request, accepted, wait, self.offer.by_note.then_some(Duration::ZERO))
    }

    /// Goes on waiting for the job that a memo tells of.
    pub(crate) fn go_on(&self, request: &Request, memo: &Memo) -> Result<Response, Failed> {
        let job = self.store.get(&memo.job, request.caller.reach())?.ok_or_else(|| {
            Failed::problem(ProblemKind::NotFound, "The job was deleted while its client waited for it.")
        })?;
        let wait = Wait::of(request)?;
        let spent = wait.spent(memo, self.offer.age.unwrap_or(Duration::MAX));
        self.wait(request, Accepted { job, is_repetition: memo.is_repetition }, wait, Some(spent))
    }

    /// Shows the job once it is done or the wait is over, of which so much is where the host can keep the request.
    fn wait(
        &self,
        request: &Request,
        accepted: Accepted,
        wait: Wait,
        spent: Option<Duration>,
    ) -> Result<Response, Failed> {
        let Accepted { job, is_repetition } = accepted;
        let Self { store, wake, wake_now, clock, log, .. } = *self;
        let waiter = Waiter { store, wake, wake_now, parked: spent, clock, log };
        let (id, waited) = (job.id, waiter.read(&job.id, request.caller.reach(), wait)?);
        // One that was deleted meanwhile is shown as it was.
        let (job, left) = waited.map_or((job, Duration::ZERO), |waited| (waited.job, waited.left));
        let mut response = self.show(request, Accepted { job, is_repetition }, wait)?;
        if spent.is_some() && !left.is_zero() {
            let age = self.offer.age.unwrap_or_else(|| clock.elapsed());
            let memo = Memo { job: id, is_repetition, until: age.saturating_add(left) };
            park::hand_over(&mut response, &id.to_string(), left, &memo.text())?;
        }
        Ok(response)
    }

    fn show(&self, request: &Request, accepted: Accepted, wait: Wait) -> Result<Response, Failed> {
        let Accepted { job, is_repetition } = accepted;
        let is_done = wait.is_asked() && job.status != Status::Processing;
        let mut response = match is_done {
            true if prefers_the_picture(request, &job) => self.picture(request, &job)?,
            true => json(StatusCode::OK, &request.caller.view(&job)),
            false => json(StatusCode::ACCEPTED, &request.caller.view(&job)),
        };
        response.headers_mut().insert(LOCATION, header(&job_href(&job.id))?);
        if job.status == Status::Processing {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if is_repetition {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        wait.say(&mut response);
        Ok(response)
    }

    fn picture(&self, request: &Request, job: &Job) -> Result<Response, Failed> {
        let thumbnail = picture::choose(request, picture::made(job)?);
        let data = picture::read(self.blobs, &job.id, thumbnail, self.log)?;
        let mut response = picture::response(&job.id, None, thumbnail, data)?;
        response.headers_mut().insert(CONTENT_LOCATION, header(&thumbnail_href(&job.id))?);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// Whoever takes anything gets JSON.
fn prefers_the_picture(request: &Request, job: &Job) -> bool {
    const JSON: &str = "application/json";
    let asked = job.options.outputs().first().and_then(|(_, options)| options.format.one());
    let formats: Vec<OutputFormat> = match (asked, &job.thumbnail) {
        (Some(format), _) => vec![format],
        (None, Some(thumbnail)) => thumbnail.representations().map(|made| made.format).collect(),
        (None, None) => OutputFormat::ALL.to_vec(),
    };
    let offers: Vec<_> =
        std::iter::once(JSON).chain(formats.iter().map(|format| format.content_type())).collect();
    request.prefers(&offers) != JSON
}

pub(crate) fn header(text: &str) -> Result<HeaderValue, Failed> {
    HeaderValue::from_str(text).map_err(|error| Failed::Internal(error.to_string()))
}
