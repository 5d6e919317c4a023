//! One job: read at once or as soon as it is done, tried again, deleted. Spin chooses a component by path alone, so all that begins with a
//! job's path is here (docs/decisions/0002).

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};
use thumbs_domain::event::Event;
use thumbs_domain::history::HistoryView;
use thumbs_domain::id::JobId;
use thumbs_domain::job::{self, Job};
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response, park};
use thumbs_guest::jobs::{Batches, Life, Revived};
use thumbs_guest::log::Log;
use thumbs_guest::wait::{Memo, Wait, Waited, Waiter};
use thumbs_guest::wake::Wake;

/// What the component works with, for one request.
pub struct Status<'a> {
    /// The rows.
    pub store: &'a dyn Life,
    /// The same rows, of jobs that came together.
    pub batches: &'a dyn Batches,
    /// The way to the workers, for a client that is not to wait for it.
    pub wake: &'a dyn Wake,
    /// The same, for one that waits for the job.
    pub wake_now: &'a dyn Wake,
    /// Whether the host can keep the request.
    pub offer: park::Offer,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The log of this request.
    pub log: &'a Log,
}

impl Status<'_> {
    /// Answers one request.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub fn handle(&self, request: &Request) -> Result<Response, Failed> {
        let Some(row) = route::find(&request.path).filter(|row| row.component == route::JOB.component) else {
            return Err(not_found());
        };
        match (*row, &request.method) {
            (route::JOB, &Method::GET | &Method::HEAD) => self.read(request),
            (route::JOB, &Method::DELETE) => self.delete(request),
            (route::EVENTS, &Method::GET | &Method::HEAD) => self.events(request),
            (route::HISTORY, &Method::GET | &Method::HEAD) => self.history(request),
            (route::RETRY, &Method::POST) => self.retry(request),
            (route::BATCH, &Method::GET | &Method::HEAD) => self.batch(request),
            _ => Err(Failed::Method(row.allow)),
        }
    }

    fn read(&self, request: &Request) -> Result<Response, Failed> {
        let (id, wait) = (id(request)?, Wait::alone(request)?);
        let waited = self.waiter(self.offer.age).read(&id, request.caller.reach(), wait)?;
        let Waited { job, left } = waited.ok_or_else(not_found)?;
        let mut response = shown(StatusCode::OK, request, &job, wait);
        if !left.is_zero() {
            park::ask_again(&mut response, &id.to_string(), left)?;
        }
        Ok(response)
    }

    fn history(&self, request: &Request) -> Result<Response, Failed> {
        let id = id(request)?;
        let attempts = self.store.history(&id, request.caller.reach())?.ok_or_else(not_found)?;
        Ok(json(StatusCode::OK, &HistoryView::new(id, attempts)))
    }

    /// Has the job tried again: from here on it is as if it had just come.
    fn retry(&self, request: &Request) -> Result<Response, Failed> {
        let (id, wait) = (id(request)?, Wait::alone(request)?);
        if let Some(memo) = self.offer.note.as_deref().and_then(Memo::parse) {
            // An instance before this one had it tried again.
            let age = self.offer.age.unwrap_or(Duration::MAX);
            return self.retried(request, &id, wait, Some(wait.spent(&memo, age)));
        }
        let log = self.log.clone().with_job(id);
        let job = match self.store.revive(&id, request.caller.reach(), self.clock.now())? {
            Revived::Due(job) => *job,
            Revived::Unknown => return Err(not_found()),
            Revived::NotFailed(status) => {
                let detail =
                    format!("The job is {}. Only a job that failed can be tried again.", status.name());
                return Err(Failed::problem(ProblemKind::NotFailed, detail));
            }
            Revived::OriginalGone => {
                let detail = "The image of this job is kept no longer. Upload it again.";
                return Err(Failed::problem(ProblemKind::OriginalGone, detail));
            }
        };
        log.event(Event::JobRevived);
        if wait.is_asked() {
            self.wake_now.wake(&log);
            return self.retried(request, &id, wait, self.offer.by_note.then_some(Duration::ZERO));
        }
        self.wake.wake(&log);
        Ok(shown(StatusCode::ACCEPTED, request, &job, wait))
    }

    /// The job that was tried again, once it is done or the wait is over, of which so much is where the host can keep the request.
    fn retried(
        &self,
        request: &Request,
        id: &JobId,
        wait: Wait,
        spent: Option<Duration>,
    ) -> Result<Response, Failed> {
        let waited = self.waiter(spent).read(id, request.caller.reach(), wait)?;
        let Waited { job, left } = waited.ok_or_else(not_found)?;
        let is_done = job.status != job::Status::Processing;
        let status = if is_done { StatusCode::OK } else { StatusCode::ACCEPTED };
        let mut response = shown(status, request, &job, wait);
        if spent.is_some() && !left.is_zero() {
            let age = self.offer.age.unwrap_or_else(|| self.clock.elapsed());
            let memo = Memo { job: *id, is_repetition: false, until: age.saturating_add(left) };
            park::hand_over(&mut response, &id.to_string(), left, &memo.text())?;
        }
        Ok(response)
    }

    /// Only the row goes here, and with it a note of its blobs is written, which a worker that is woken for it deletes: whatever breaks leaves
    /// blobs that are known to be garbage, and never a row that names none. A worker that has the job finds no row in the end, and removes
    /// what it made.
    fn delete(&self, request: &Request) -> Result<Response, Failed> {
        let id = id(request)?;
        if !self.store.delete(&id, request.caller.reach())? {
            return Err(not_found());
        }
        let log = self.log.clone().with_job(id);
        log.event(Event::JobDeleted);
        match self.store.call_for_sweep(self.clock.now()) {
            Ok(()) => self.wake.wake(&log),
            // The job is gone, which is what the client asked for; a sweep comes by itself in a while.
            Err(error) => log.event(Event::DependencyUnavailable { cause: &error.to_string() }),
        }
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    pub(crate) fn waiter(&self, parked: Option<Duration>) -> Waiter<'_> {
        let Self { store, wake, wake_now, clock, log, .. } = *self;
        Waiter { store, wake, wake_now, parked, clock, log }
    }
}

fn shown(status: StatusCode, request: &Request, job: &Job, wait: Wait) -> Response {
    let mut response = json(status, &request.caller.view(job));
    if job.status == job::Status::Processing {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    wait.say(&mut response);
    response
}

/// The job that the path names.
pub(crate) fn id(request: &Request) -> Result<JobId, Failed> {
    let id = request.path.split('/').nth(2).unwrap_or_default();
    JobId::parse(id).map_err(|_| not_found())
}

pub(crate) fn not_found() -> Failed {
    Failed::problem(ProblemKind::NotFound, "There is no job with this id.")
}
