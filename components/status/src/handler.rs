//! Reading one job: at once, or as soon as it is done.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{self, Job};
use thumbs_domain::owner::Reach;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response, park};
use thumbs_guest::jobs::JobStore;
use thumbs_guest::log::Log;
use thumbs_guest::wake::{Wake, wake_for_overdue};

/// The longest that a request is held, whatever it asks for.
const MAX_WAIT_SECS: u64 = 30;

/// Between two looks at the row: short at first, when most jobs finish, then gentle.
const FIRST_POLL: Duration = Duration::from_millis(10);
const SLOWEST_POLL: Duration = Duration::from_millis(250);

/// What the component works with, for one request.
pub struct Status<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
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

impl Status<'_> {
    /// Answers one request.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub fn handle(&self, request: &Request) -> Result<Response, Failed> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Failed::Method(route::JOB.allow));
        }
        let id = JobId::parse(request.last_segment()).map_err(|_| not_found())?;
        let wait = wait(request)?.saturating_sub(self.parked.unwrap_or_default());
        let (job, left) = self.read(&id, request.caller.reach(), wait)?;
        let mut response = json(StatusCode::OK, &request.caller.view(&job));
        if job.status == job::Status::Processing {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            if !left.is_zero() {
                park::ask_again(&mut response, &id.to_string(), left)?;
            }
        }
        Ok(response)
    }

    /// The job once it is done, or when `wait` is over, or at once where the host can wait; and what is left of `wait` then.
    fn read(&self, id: &JobId, reach: Reach<'_>, wait: Duration) -> Result<(Job, Duration), Failed> {
        let give_up_at = self.clock.elapsed() + wait;
        let mut pause = FIRST_POLL;
        let mut has_woken = false;
        loop {
            let job = self.store.get(id, reach)?.ok_or_else(not_found)?;
            let left = give_up_at.saturating_sub(self.clock.elapsed());
            let is_over = left.is_zero() || self.parked.is_some();
            if job.status != job::Status::Processing {
                return Ok((job, Duration::ZERO));
            }
            let wake = if is_over { self.wake } else { self.wake_now };
            // Once is enough for one client, and all there is where the store can't note it.
            has_woken = has_woken || wake_for_overdue([&job], self.store, wake, self.clock.now(), self.log);
            if is_over {
                return Ok((job, left));
            }
            self.clock.sleep(pause.min(left));
            pause = (pause * 2).min(SLOWEST_POLL);
        }
    }
}

fn wait(request: &Request) -> Result<Duration, Failed> {
    let mut wait = None;
    for (name, value) in request.query_pairs() {
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        if name != "wait" || !digits || wait.is_some() {
            let detail = "A job takes one parameter, \"wait\": whole seconds to wait until it is done.";
            return Err(Failed::problem(ProblemKind::InvalidOption, detail));
        }
        // Digits that are no number are a very large one.
        wait = Some(value.parse().unwrap_or(MAX_WAIT_SECS).min(MAX_WAIT_SECS));
    }
    Ok(Duration::from_secs(wait.unwrap_or(0)))
}

fn not_found() -> Failed {
    Failed::problem(ProblemKind::NotFound, "There is no job with this id.")
}
